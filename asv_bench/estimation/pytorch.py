"""A PyTorch module in eager mode, from NumPy rows to NumPy probabilities.

The module is not trained, since the time of a prediction does not depend on the weights.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import torch

from .job import Job, Model


class _Sequential:
    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        self.job = job

    def fit(self, x: np.ndarray, y: np.ndarray, epochs: int, state: int) -> int:
        torch.manual_seed(state)
        layers: list[torch.nn.Module] = []
        for n_in, n_out in pairwise([x.shape[1], *self.job.hidden, int(y.max()) + 1]):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1], torch.nn.Softmax(dim=1)).to(torch.from_numpy(x).dtype).eval()
        return 0

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean(self.predictor(x)().argmax(axis=1) == y))

    def predictor(self, x: np.ndarray) -> Any:
        def call() -> np.ndarray:
            with torch.inference_mode():
                probabilities: np.ndarray = self.net(torch.from_numpy(x)).numpy()
            return probabilities

        return call


def make(job: Job) -> Model:
    """Return the module."""
    return _Sequential(job)
