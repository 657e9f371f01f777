"""Train in processes that are forked after or during a training; the argument says which."""

import json
import os
import sys
import threading
import warnings

from team_setup import CORES, NORMS, is_clean, trained

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
expected = [trained(norm, 2) for norm in NORMS]
stop = threading.Event()


def keep_training():
    while not stop.is_set():
        trained(None, len(CORES or [1, 2]))


beside = threading.Thread(target=keep_training)
if sys.argv[1] == "during":
    beside.start()
found = []
for _ in range(5):
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.write(there, json.dumps([trained(norm, 2) for norm in NORMS] + [is_clean()]).encode())
        os._exit(0)
    os.close(there)
    with os.fdopen(here) as answer:
        found.append(json.loads(answer.read()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop.set()
if sys.argv[1] == "during":
    beside.join()
print(json.dumps([expected, found, is_clean(), trained(None, 2)]))
