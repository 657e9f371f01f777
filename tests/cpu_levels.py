"""The levels of x86-64 that this machine's CPU has, as settings of Numba.

As a program, the file prints a line with name and features for each level except the highest. The highest level is
tested by compiling for the CPU itself.
"""

import platform

from fastmlp.compilation.levels import Level, usable_levels

V2 = Level("x86-64-v2", "x86-64-v2", ("sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"))


def levels():
    """The environment variables with which Numba compiles for each level, by its name; none on CPUs of other kinds."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    found = [V2, *reversed(usable_levels())]
    return {level.name: {"NUMBA_CPU_NAME": level.cpu, "NUMBA_CPU_FEATURES": level.flags} for level in found}


if __name__ == "__main__":
    for settings in list(levels().values())[:-1]:
        print(*settings.values())  # noqa: T201
