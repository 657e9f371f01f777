"""``fastmlp info``, and the functions that find out about the machine."""

import json
import platform
import re
import sys

import numba
import numpy as np
import pytest

import fastmlp
from fastmlp.cli import machine
from fastmlp.cli.info import lines


def test_json(run):
    outcome = run("info", "--json", "--threading-layer")
    found = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert found["versions"]["fastmlp"] == fastmlp.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["numba"] == numba.__version__
    assert found["versions"]["python"] == platform.python_version()
    assert found["threads"]["threading_layer"] in ("omp", "tbb", "workqueue")
    assert found["threads"]["cores_usable"] >= found["threads"]["default"] >= 1
    assert found["processor"]["vector_bits"] in (128, 256, 512)
    assert {"plot", "tables", "experiments"} <= set(found["extras"])
    assert found["folders"]["compiled_kernels"] == str(fastmlp.compilation.cache.FOLDER)


def test_the_threading_layer_only_where_it_is_asked_for(run):
    assert json.loads(run("info", "--json").out)["threads"]["threading_layer"] is None
    assert "threading layer" not in run("info").out
    assert re.search(r"threads +\d+, threading layer (omp|tbb|workqueue)\n", run("info", "--threading-layer").out)


def test_text(run):
    out = run("info").out
    for label in ("processor", "compiled for", "vector width", "cores usable", "threads", "compiled kernels", "extras"):
        assert f"\n{label} " in "\n" + out
    assert f"fastmlp {fastmlp.__version__}" in out


def test_text_of_another_machine():
    shown = "\n".join(
        lines(
            {
                "processor": {"name": "Old", "compiled_for": "generic", "vector_bits": 128, "features": []},
                "bfloat16_products": "by multiply-adds of float32",
                "threads": {"cores_usable": 8, "container_quota": 1.5, "default": 8, "threading_layer": "omp"},
                "folders": {"compiled_kernels": None, "prebuilt_kernels": "none", "user_cache": "/cache"},
                "versions": {"fastmlp": "1.0"},
                "extras": {"tables": {"pandas": "3.0", "pyarrow": None}, "plot": {"matplotlib": "3.9"}},
            }
        )
    )
    assert "generic (baseline)" in shown
    assert "128 bits: 4 float32 at a time" in shown
    assert "8 (the container grants 1.5)" in shown
    assert "no writable folder: compiled anew in every process" in shown
    assert "tables: pip install 'fastmlp[tables]' (missing: pyarrow)" in shown
    assert "plot: installed" in shown


@pytest.mark.parametrize(
    ("features", "bits"),
    [(["sse2"], 128), (["sse2", "avx"], 256), (["avx2", "avx", "avx512f"], 512), (["neon"], 128), ([], 128)],
)
def test_vector_bits(features, bits):
    assert machine.vector_bits(features) == bits


def test_target_follows_numbas_settings(monkeypatch):
    from numba.core import config

    monkeypatch.setattr(config, "CPU_NAME", "skylake-avx512")
    monkeypatch.setattr(config, "CPU_FEATURES", "+sse2,+avx,+avx512f,-sse4a")
    assert machine.target() == ("skylake-avx512", ["sse2", "avx", "avx512f"])
    monkeypatch.setattr(config, "ENABLE_AVX", 0)
    assert machine.target() == ("skylake-avx512", ["sse2"])


def test_target_of_this_machine():
    name, features = machine.target()
    assert name
    assert isinstance(features, list)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
    ],
)
def test_quota_of_a_container(tmp_path, files, cores):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert machine.cgroup_quota(tmp_path) == cores


def test_extras_include_one_another(monkeypatch):
    requirements = ["numpy>=1", "a>=1; extra == 'first'", 'b; extra == "second"', "fastmlp[first]; extra == 'second'",
                    "fastmlp[first,second]; extra == 'all'"]  # fmt: skip
    monkeypatch.setattr("importlib.metadata.requires", lambda name: requirements)
    monkeypatch.setattr(machine, "_version", lambda name: "1.0" if name == "a" else None)
    assert machine.extras() == {"first": {"a": "1.0"}, "second": {"b": None, "a": "1.0"}}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_processor():
    assert machine.processor()
