"""Raise KeyboardInterrupt inside Thread.start of the last thread; the argument is the number of threads."""

import json
import sys
import threading

import numpy as np
from team_setup import X, digest, is_clean, make, y

from fastmlp import SGD
from fastmlp.engine import Trainer, epoch

threads, original, labels = int(sys.argv[1]), threading.Thread.start, y.astype(np.int64)
order = np.resize(np.arange(400), 400 * 4000)


def start(self):
    original(self)
    if self.name == f"fastmlp-{threads - 1}":
        raise KeyboardInterrupt


found, done = [], []
for _ in range(20):
    net = make()
    trainer = Trainer(net.network, X, labels, 32, SGD(0.001), threads)
    is_clean()  # waits until no idle thread is left that the team could use
    threading.Thread.start = start
    try:
        trainer.run_epoch(order)
    except KeyboardInterrupt:
        found.append(digest(net))
    finally:
        threading.Thread.start = original
    done.append(int(trainer.workspace.control[epoch.STEPS_DONE]))
net = make()
trainer = Trainer(net.network, X, labels, 32, SGD(0.001), 1)
whole = [digest(net)]
for start in range(0, 32 * (max(min(done[-1], 3000), *(d for d in done if d < 3000), 0) + 1), 32):
    trainer.run_epoch(order[start : start + 32])
    whole.append(digest(net))
print(json.dumps([whole, found, done, len(order) // 32, is_clean()]))
