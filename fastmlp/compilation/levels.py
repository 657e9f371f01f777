"""Levels of a CPU's instructions, for which kernels can be compiled in another place than where they run."""

import platform
from typing import NamedTuple

from llvmlite import binding

_V3 = (
    "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt",
    "movbe",
)  # fmt: skip
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")


class Level(NamedTuple):
    """A set of features.

    Attributes
    ----------
    name : str
        For people and folders.
    cpu : str
        LLVM's name of a CPU that has them.
    features : tuple of str
        By LLVM's names.
    """

    name: str
    cpu: str
    features: tuple[str, ...]

    @property
    def flags(self) -> str:
        """The features as LLVM and ``NUMBA_CPU_FEATURES`` write them."""
        return ",".join(f"+{feature}" for feature in self.features)


_X86 = (
    Level("x86-64-v4-bf16", "x86-64-v4", (*_V4, "avx512bf16")),
    Level("x86-64-v4", "x86-64-v4", _V4),
    Level("x86-64-v3", "x86-64-v3", _V3),
)
_ARM = (Level("armv8-a", "generic", ("fp-armv8", "neon")),)
BY_MACHINE = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}


def usable_levels() -> list[Level]:
    """Return the levels that this machine's CPU has, the highest first."""
    found = binding.get_host_cpu_features()
    known = BY_MACHINE.get(platform.machine(), ())
    return [level for level in known if all(found.get(feature) for feature in level.features)]
