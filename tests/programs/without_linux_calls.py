"""Train where the system has no affinity, no hooks at a fork, or Windows' way to yield; the argument says which."""

import ctypes
import json
import os
import sys
from types import SimpleNamespace

GONE = {
    "affinity": ("sched_getaffinity", "sched_setaffinity"),
    "forks": ("fork", "register_at_fork"),
    "yield": (),
}
for name in GONE[sys.argv[1]]:
    if hasattr(os, name):
        delattr(os, name)
if sys.argv[1] == "yield":
    from llvmlite import binding

    from fastmlp.simd import atomics

    binding.add_symbol("SwitchToThread", ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value)
    atomics.platform = SimpleNamespace(system=lambda: "Windows", machine=lambda: "another")

from team_setup import is_clean, trained  # noqa: E402 - after the calls are gone

print(json.dumps([trained(None, 1), [trained(None, threads) for threads in (2, 9)], is_clean()]))
