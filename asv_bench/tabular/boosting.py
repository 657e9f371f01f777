"""scikit-learn's HistGradientBoosting with its defaults, and the categories of a frame as such."""

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline

from .job import Job
from .levels import Categories


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    kind = HistGradientBoostingClassifier if job.classes else HistGradientBoostingRegressor
    return make_pipeline(Categories(), kind(categorical_features="from_dtype", random_state=seed))
