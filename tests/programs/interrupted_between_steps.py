"""Press Ctrl-C at random moments of an epoch whose parameters after every step are known."""

import json
import os
import random
import signal
import sys
import threading
import time

import numpy as np
from team_setup import X, digest, make, y

from fastmlp import SGD, Adam, BatchNorm
from fastmlp.engine import Trainer

optimizer = {"plain": SGD(0.05), "clipped": Adam(0.01, clip_norm=0.5)}[sys.argv[1]]
net_of, order = (lambda: make(BatchNorm(affine=True))), np.resize(np.random.default_rng(1).permutation(400), 400 * 60)
labels = y.astype(np.int64)
whole = []
net = net_of()
trainer = Trainer(net.network, X, labels, 32, optimizer, 1)
whole.append(digest(net))
for start in range(0, len(order), 32):
    trainer.run_epoch(order[start : start + 32])
    whole.append(digest(net))
found = []
for threads in (1, 2, 3) * 15:
    net, moment = net_of(), random.uniform(0, 0.02)
    trainer = Trainer(net.network, X, labels, 32, optimizer, threads)
    timer = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        trainer.run_epoch(order)
        time.sleep(1)
    except KeyboardInterrupt:
        pass
    timer.join()
    found.append([trainer.steps_done, digest(net)])
print(json.dumps([whole, found]))
