"""RealMLP-TD: with numeric embeddings, parametric activations, dropout and weight decay."""

from typing import Any

from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

from .authors import behind_medians
from .job import Job


def make(job: Job, seed: int) -> Any:
    """Return the estimator."""
    return behind_medians((RealMLP_TD_Classifier, RealMLP_TD_Regressor), job, seed)
