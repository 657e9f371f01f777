"""Train where the system has no affinity, or no hooks at a fork; the argument says which."""

import json
import os
import sys

GONE = {
    "affinity": ("sched_getaffinity", "sched_setaffinity"),
    "forks": ("fork", "register_at_fork"),
}
for name in GONE[sys.argv[1]]:
    if hasattr(os, name):
        delattr(os, name)

from team_setup import is_clean, trained  # noqa: E402 - after the calls are gone

print(json.dumps([trained(None, 1), [trained(None, threads) for threads in (2, 9)], is_clean()]))
