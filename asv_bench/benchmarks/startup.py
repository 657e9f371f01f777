"""From the command to the first result, in a new interpreter, with the kernels compiled before."""

import subprocess
import sys

FIRST_PREDICTION = """
import fastmlp, numpy
fastmlp.MLP([784, 20, 7, 5, 10]).predict(numpy.zeros((32, 784), numpy.uint8))
"""
CODE = {
    "nothing": "pass",
    "import numba": "import numba",
    "import fastmlp": "import fastmlp",
    "first prediction": FIRST_PREDICTION,
}


class Startup:
    params = (list(CODE),)
    param_names = ("what",)
    number = 1
    warmup_time = 0.0
    timeout = 300.0

    def setup(self, what: str) -> None:
        self.time_process(what)

    def time_process(self, what: str) -> None:
        # -P: the installed package, not one that lies in the working folder
        subprocess.run([sys.executable, "-P", "-c", CODE[what]], check=True)
