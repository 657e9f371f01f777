"""RealMLP of its authors, in PyTorch, on the CPU. It takes no gaps in numbers: medians stand for them."""

from typing import Any

from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from .job import Job


def behind_medians(kinds: tuple[Any, Any], job: Job, seed: int) -> Any:
    """Return the classifier or the regressor of `kinds`, with medians in place of gaps in numbers."""
    gaps = ColumnTransformer(
        [("numbers", SimpleImputer(strategy="median"), make_column_selector(dtype_include="number"))],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    kind = kinds[0] if job.classes else kinds[1]
    return make_pipeline(gaps, kind(device="cpu", random_state=seed, n_threads=job.threads))
