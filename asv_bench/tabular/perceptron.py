"""scikit-learn's MLP with its defaults, behind the ordinary preparation; the target of a regression is standardized."""

import warnings
from typing import Any

from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from .job import Job
from .pipeline import prepared

warnings.simplefilter("ignore", ConvergenceWarning)  # the default of 200 epochs is not always enough


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    if job.classes:
        return prepared(MLPClassifier(random_state=seed))
    return TransformedTargetRegressor(prepared(MLPRegressor(random_state=seed)), transformer=StandardScaler())
