"""Estimators trained by fastmlp's engine: scikit-learn's `MLPClassifier` and `MLPRegressor`, and two for tables.

Needs the extra ``sklearn``: ``pip install "fastmlp[sklearn]"``.

The modules: `classifier` and `regressor` have the two estimators, `base` their base class, `solvers` the training of a
fit. `constraints` has the checks of parameters, `network` the initial weights, `dataset` the rows. `epochs` trains by
mini-batches (sgd, adam), with the optimizer and learning rate of `update_rule`; `improvement` decides when to stop.
`lbfgs` trains on all rows at once. `workers` chooses the number of threads. `tabular` has the estimators for tables.
"""

from fastmlp.system.extras import require

require("sklearn", extra="sklearn")

from fastmlp.sklearn.classifier import MLPClassifier  # noqa: E402 - the line above names the missing library
from fastmlp.sklearn.regressor import MLPRegressor  # noqa: E402
from fastmlp.sklearn.tabular.classifier import TabularMLPClassifier  # noqa: E402
from fastmlp.sklearn.tabular.files import load  # noqa: E402
from fastmlp.sklearn.tabular.regressor import TabularMLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor", "TabularMLPClassifier", "TabularMLPRegressor", "load"]
