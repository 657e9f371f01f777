"""Logistic or ridge regression with their defaults, behind the ordinary preparation."""

from typing import Any

from sklearn.linear_model import LogisticRegression, Ridge

from .job import Job
from .pipeline import prepared


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    model = LogisticRegression(max_iter=1000, random_state=seed) if job.classes else Ridge(random_state=seed)
    return prepared(model)
