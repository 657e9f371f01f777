"""The network inside fastmlp's MLPClassifier, without the estimator around it."""

from functools import partial
from typing import Any

import numpy as np

from fastmlp.sklearn import MLPClassifier

from .job import Job, Model
from .scikit_learn import Classifier


class Network(Classifier):
    """The network, with as many threads as the estimator uses: one for few rows."""

    def predictor(self, x: np.ndarray) -> Any:
        """Return a call of ``MLP.predict_proba``."""
        return partial(self.net.network_.predict_proba, x, threads=1 if len(x) == 1 else self.job.threads)


def make(job: Job) -> Model:
    """Return the network."""
    return Network(MLPClassifier, job)
