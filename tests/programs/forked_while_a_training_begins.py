"""Fork while another thread's first training imports and compiles; the forked processes train, too."""

import json
import os
import threading
import time
import warnings

from team_setup import is_clean, trained

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
expected, found = [], []
beside = threading.Thread(target=lambda: expected.append(trained(None, 2)))
beside.start()
children = []
for _ in range(5):
    time.sleep(0.02)
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.write(there, json.dumps([trained(None, 2), is_clean()]).encode())
        os._exit(0)
    os.close(there)
    children.append((child, here))
for child, here in children:
    with os.fdopen(here) as answer:
        found.append(json.loads(answer.read()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
beside.join()
print(json.dumps([expected, found, is_clean()]))
