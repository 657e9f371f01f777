"""How many cores this process may use."""

import functools
import math
import os
from pathlib import Path

CGROUP_QUOTAS = ("/sys/fs/cgroup/cpu.max",)


@functools.cache
def _quota() -> float:
    """Cores that a container's CPU quota allows (cgroup v2)."""
    for name in CGROUP_QUOTAS:
        try:
            limit, period = Path(name).read_text().split()
            return math.inf if limit == "max" else int(limit) / int(period)
        except (OSError, ValueError):
            continue
    return math.inf


def usable_cores() -> int:
    """Return the number of cores: the process's affinity, no more than a container's quota, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _quota())))
