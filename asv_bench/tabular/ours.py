"""fastmlp's estimators for tables, with their defaults."""

from typing import Any

from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor

from .job import Job


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    kind = TabularMLPClassifier if job.classes else TabularMLPRegressor
    return kind(random_state=seed)
