"""Raise KeyboardInterrupt at every line of `train` and the engine, with "new" or "idle" threads."""

import json
import linecache
import os
import sys
import time

import numpy as np
from team_setup import CORES, QUIET, X, digest, is_clean, make, y

from fastmlp import BatchNorm, train
from fastmlp.engine import plan, team
from fastmlp.simd.atomics import CONTROL_CELLS

if sys.argv[1] == "idle":
    team.IDLE_SECONDS = 0.05
files = (os.path.dirname(plan.__file__), sys.modules["fastmlp.train"].__file__)
settings = QUIET | {"batch_size": 400, "epochs": 1, "threads": len(CORES or [1, 2])}  # one step


def end_idle_threads():
    """End idle threads at once, in the same way as after their waiting time."""
    with team._lock:
        members = dict.fromkeys(team._idle)
        for member in members:
            team._idle.remove(member)
    for member in members:
        member.teams.put(None)
    for member in members:
        member.join()


def interrupted(line):
    net, count, where, outcome = make(BatchNorm(affine=True)), 0, None, "raised"

    def trace(frame, event, _):
        nonlocal count, where
        if not frame.f_code.co_filename.startswith(files):
            return None
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and "(" in text and not text.startswith(("with ", "def ")):
            count += 1
            if count == line:
                where = f"{os.path.basename(frame.f_code.co_filename)}: {text}"
                raise KeyboardInterrupt
        return trace

    if sys.argv[1] == "idle":
        team.run_team(lambda _: None, settings["threads"], np.zeros(CONTROL_CELLS, np.int64))
    sys.settrace(trace)
    try:
        outcome = train(net, X, y, **settings).stopped_because
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    end_idle_threads()
    return count, [where, outcome, digest(net), is_clean()]


whole = [digest(make(BatchNorm(affine=True))), interrupted(0)[1][2]]
results, line, count = [], 0, 0
while count >= line:
    line += 1
    count, result = interrupted(line)
    results.append(result)
    if not result[-1]:  # the next training must start without threads of this one
        deadline = time.monotonic() + 2
        while not is_clean() and time.monotonic() < deadline:
            time.sleep(0.001)
        if not is_clean():
            break
print(json.dumps([whole, results]))
