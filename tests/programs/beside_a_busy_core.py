"""Train while another process keeps a core busy."""

import json
import os
import subprocess
import sys

from team_setup import CORES, NORMS, is_clean, trained

lone = [trained(norm) for norm in NORMS]
busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
try:
    if CORES:
        os.sched_setaffinity(busy.pid, {min(CORES)})
    # with as many threads as cores, the threads are pinned, and one of them to the busy core
    beside = [trained(norm, threads) for norm in NORMS for threads in (2, len(CORES or [1, 2]), 5)]
finally:
    busy.kill()
    busy.wait()
print(json.dumps([lone, beside, is_clean()]))
