"""The tile shapes for each CPU."""

import pytest
from llvmlite import binding
from numba.core import config

from fastmlp.simd.target import VECTOR_BYTES, features, tiles

LINUX, ARM, MAC = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "arm64-apple-darwin23"
# features, triple, number of registers, bytes of a register
CPUS = {
    "avx512": ("+sse2,+avx,+avx2,+fma,+avx512f", LINUX, 32, 64),
    "avx2": ("+sse2,+avx,+avx2,+fma,-avx512f", LINUX, 16, 32),
    "sse": ("+sse2,+sse4.2,-avx,-avx2,-avx512f", LINUX, 16, 16),
    "generic": ("", LINUX, 16, 16),
    "neon": ("", ARM, 32, 16),
    "apple": ("+neon", MAC, 32, 16),
}


@pytest.mark.parametrize("cpu", list(CPUS))
def test_tiles_fit_the_rows_and_the_registers(cpu):
    cpu_features, triple, registers, size = CPUS[cpu]
    found = tiles(cpu_features, triple)
    assert found.group % found.tall == found.group % 4 == 4 % found.short == 0
    assert found.register == size
    assert found.depth is None or found.depth % 16 == 0  # a multiple of the panels of float32 and of float64
    per_vector = VECTOR_BYTES // size
    height, vectors = found.listed
    assert 4 % height == 0  # groups of four rows are whole tiles
    assert 4 <= height * vectors * per_vector < registers
    assert found.tall * found.vectors * per_vector < registers
    if found.half_tall is not None:
        assert found.half_tall % 4 == 0
        assert found.vectors == 1  # `_all_panels` takes panels one by one if the last one may be halved
        assert found.half_tall * per_vector / 2 < registers


def test_every_kind_of_cpu_has_its_tiles():
    shapes = {cpu: tiles(*CPUS[cpu][:2]) for cpu in CPUS}
    assert shapes["generic"] == shapes["sse"]
    assert shapes["apple"] == shapes["neon"]
    assert len({shapes[cpu] for cpu in ("avx512", "avx2", "sse")}) == 3


def test_features_are_those_that_numba_compiles_for(monkeypatch):
    monkeypatch.setattr(config, "CPU_FEATURES", "+avx2,+fma")
    assert features() == "+avx2,+fma"
    monkeypatch.setattr(config, "CPU_FEATURES", None)
    monkeypatch.setattr(config, "CPU_NAME", "generic")
    assert features() == ""
    monkeypatch.setattr(config, "CPU_NAME", None)
    assert features() == binding.get_host_cpu_features().flatten()
