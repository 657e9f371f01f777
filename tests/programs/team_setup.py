"""Functions of the programs about teams: a small problem, networks, digests, a check for threads and held cores."""

import hashlib
import os
import sys
import threading
import time

import numpy as np

from fastmlp import MLP, SGD, BatchNorm, train
from fastmlp.engine import plan, team

plan.PARALLEL_FLOP = plan.PACKED_PARALLEL_FLOP = plan.EPOCH_FLOP = 0  # threads for networks and data of any size
team.IDLE_SECONDS = 0.005
rng = np.random.default_rng(0)
X, y = rng.integers(0, 256, (400, 40), np.uint8), rng.integers(0, 10, 400)
NORMS = [None, BatchNorm(affine=True), BatchNorm("before_relu")]
QUIET = {"validation": 0.1, "optimizer": SGD(0.1), "batch_size": 32, "progress": False}


def make(norm=None):
    return MLP([40, 64, 33, 10], batch_norm=norm, input_scale=1 / 255)


def digest(net):
    return hashlib.sha256(net.snapshot().tobytes()).hexdigest()


def trained(norm=None, threads=1, epochs=3, seed=0):
    net = make(norm)
    train(net, X, y, epochs=epochs, seed=seed, threads=threads, **QUIET)
    return digest(net)


def is_clean():
    deadline = time.monotonic() + 2  # threads without work may need some time to end
    while any(thread.name.startswith("fastmlp-") for thread in threading.enumerate()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return (team._pinned is None or team._pinned.is_set()) and cores == CORES


CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


def unraisable(what, original=sys.unraisablehook):
    # Python drops a KeyboardInterrupt inside a callback of a weak reference, and Thread objects have such callbacks
    if what.exc_type is not KeyboardInterrupt:
        original(what)


sys.unraisablehook = unraisable
