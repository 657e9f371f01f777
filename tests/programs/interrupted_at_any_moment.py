"""Press Ctrl-C at random moments of a training; the argument holds widths, batch norm and batch size as JSON."""

import json
import os
import random
import signal
import sys
import threading
import time

import numpy as np
from team_setup import is_clean, rng

from fastmlp import MLP, SGD, BatchNorm, train

widths, norm, batch_size = json.loads(sys.argv[1])
norm = norm and BatchNorm(norm)
X, y = rng.integers(0, 256, (2000, widths[0]), np.uint8), rng.integers(0, widths[-1], 2000)
train(MLP(widths, batch_norm=norm, input_scale=1 / 255), X, y, epochs=1, progress=False)
net, results, moments = MLP(widths, batch_norm=norm, input_scale=1 / 255), [], random.Random(5)
for _ in range(20):
    seconds, pressed, returned = moments.uniform(0.005, 0.15), [], threading.Event()

    def press(seconds=seconds, pressed=pressed, returned=returned):
        time.sleep(seconds)
        while not returned.is_set():  # again if Python dropped the signal, or if it came before the training began
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
            returned.wait(5)

    timer = threading.Thread(target=press)
    try:
        timer.start()  # on a busy machine the signal can come before this thread knows that the other one has started
        history = train(net, X, y, optimizer=SGD(0.001), batch_size=batch_size, epochs=10**6, progress=False)
        took = time.monotonic() - pressed[-1]
    except KeyboardInterrupt:  # the signal came before the training began
        history = None
    returned.set()
    timer.join()
    if history is None:
        continue
    usable = net.is_finite() and np.isfinite(net.cost(X[:50], y[:50]))
    results.append([history.stopped_because, bool(usable), took, is_clean()])
again = train(net, X, y, epochs=1, progress=False)
print(json.dumps([results, again.stopped_because]))
