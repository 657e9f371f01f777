"""The compiled function of fastmlp's prediction alone: settings, folded parameters and memory are made before."""

from typing import Any

import numpy as np

from fastmlp.engine.inference import packed_for
from fastmlp.kernels.bfloat16 import PLAIN
from fastmlp.sklearn import MLPClassifier

from .job import Job, Model
from .scikit_learn import Classifier


class Kernel(Classifier):
    """A prediction of which only the arithmetic is timed, and the start of the threads if there are several chunks."""

    def predictor(self, x: np.ndarray) -> Any:
        """Return a call of `predict_chunks`' machine code."""
        net = self.net.network_
        packed = packed_for(net.network, PLAIN)
        forward = packed.take(net.architecture, x, len(x), 1 if len(x) == 1 else self.job.threads, net.output)
        out = np.empty((len(x), net.n_outputs), net.dtype)

        def call(x: np.ndarray = x) -> np.ndarray:  # the default keeps x in memory: the kernel has only its address
            forward.predict(out)
            return out

        return call


def make(job: Job) -> Model:
    """Return the kernel."""
    return Kernel(MLPClassifier, job)
