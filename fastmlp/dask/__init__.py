"""Estimators for clusters: `fastmlp.sklearn`'s MLPs, trained by the workers of a Dask cluster where the data lie.

Needs the extra ``dask``: ``pip install "fastmlp[dask]"``.

classifier, regressor · base (what they share) · partitions (the collections that a fit is given) · homes (which worker
holds which partition) · blocks (what a worker makes of its partitions) · members (the workers' blocks, and their
replacement) · supervision (waiting, and workers that die) · local_sgd (training and averaging, on the workers) · rounds
(the epochs of a fit, as the client sees them) · scores.
"""

from fastmlp.system.extras import require

for _module in ("dask.array", "distributed"):
    require(_module, extra="dask")

from fastmlp.dask.classifier import MLPClassifier  # noqa: E402 - the lines above name the missing library
from fastmlp.dask.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
