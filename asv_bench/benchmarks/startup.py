"""The time to the first result in a new interpreter, with kernels in the cache and with an empty cache."""

import json
import os
import statistics
import subprocess
import sys
import tempfile

from ._pages import shown_as

REPEATS = 5

# each of these programs prints two times in seconds
IMPORTS = """
import json, time
start = time.perf_counter()
import numba
middle = time.perf_counter()
import fastmlp
print(json.dumps([middle - start, time.perf_counter() - middle]))
"""
TRAINING = """
import json, time
import numpy
import fastmlp
X, y = numpy.zeros((256, 784), numpy.uint8), numpy.zeros(256, numpy.int64)
net = fastmlp.MLP([784, 20, 7, 5, 10], input_scale=1 / 255)
seconds = []
for _ in range(2):
    start = time.perf_counter()
    fastmlp.train(net, X, y, validation=0.5, batch_size=32, epochs=1, progress=False)
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""
CODE = {
    "nothing": "pass",
    "import numba": "import numba",
    "import fastmlp": "import fastmlp",
    "first training": TRAINING,
}


def run(code: str, **variables: str) -> str:
    """Run `code` in a new interpreter; return what it printed."""
    # -P: import the installed package, and not a package in the working folder
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | variables).stdout


def intervals(code: str, **variables: str) -> tuple[float, float]:
    """Run `code`, which prints two times in seconds as JSON; return them."""
    first, second = json.loads(run(code, **variables))
    return first, second


class Startup:
    params = (list(CODE),)
    param_names = ("what",)
    number = 1
    warmup_time = 0.0
    timeout = 300.0

    def setup(self, what: str) -> None:
        self.time_process(what)

    @shown_as("Start-up: a new interpreter, one thing")
    def time_process(self, what: str) -> None:
        run(CODE[what])


class WarmStart:
    """Medians over new processes. Each difference is of two times of the same process, so its noise partly cancels."""

    timeout = 300.0

    def setup(self) -> None:
        run(TRAINING)

    @shown_as("Start-up: import of fastmlp beyond Numba's", unit="s")
    def track_import_beyond_numba(self) -> float:
        return statistics.median(intervals(IMPORTS)[1] for _ in range(REPEATS))

    @shown_as("Start-up: first training, kernels cached", unit="s")
    def track_first_training_beyond_second(self) -> float:
        pairs = [intervals(TRAINING) for _ in range(REPEATS)]
        return statistics.median(first - second for first, second in pairs)


class ColdStart:
    """Compilation of all kernels of one float32 training with validation. One measurement takes many seconds."""

    timeout = 900.0

    @shown_as("Start-up: first training, nothing compiled", unit="s")
    def track_first_training(self) -> float:
        with tempfile.TemporaryDirectory() as cache:
            return intervals(TRAINING, NUMBA_CACHE_DIR=cache)[0]
