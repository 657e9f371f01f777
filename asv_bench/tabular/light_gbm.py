"""LightGBM with its defaults, and the categories of a frame as such."""

from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.pipeline import make_pipeline

from .job import Job
from .levels import Categories


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    kind = LGBMClassifier if job.classes else LGBMRegressor
    return make_pipeline(Categories(), kind(n_jobs=job.threads, random_state=seed, verbose=-1))
