"""The levels of x86-64 that this machine's CPU has, as settings of Numba.

Run as a program, it prints a line for each but the highest, which the CPU's own target covers: name and features.
"""

import platform

from llvmlite import binding

V2 = ("sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16")
V3 = (*V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
V4 = (*V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
LEVELS = {"x86-64-v2": V2, "x86-64-v3": V3, "x86-64-v4": V4}


def levels():
    """The environment in which Numba compiles for each level, by its name; none on other machines than x86-64."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    found = binding.get_host_cpu_features()
    return {
        name: {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ",".join(f"+{feature}" for feature in features)}
        for name, features in LEVELS.items()
        if all(found.get(feature) for feature in features)
    }


if __name__ == "__main__":
    for settings in list(levels().values())[:-1]:
        print(*settings.values())  # noqa: T201
