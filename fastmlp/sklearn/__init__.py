"""Drop-in estimators: scikit-learn's `MLPClassifier` and `MLPRegressor`, trained by fastmlp's engine.

Needs the extra ``sklearn``: ``pip install "fastmlp[sklearn]"``.

classifier, regressor · base (what they share) · solvers (how a fit trains) · constraints · network (initial weights,
views) · dataset · epochs (sgd, adam) · update_rule (optimizer and learning rate) · improvement (when to stop) · lbfgs ·
workers (threads).
"""

from fastmlp.system.extras import require

require("sklearn", extra="sklearn")

from fastmlp.sklearn.classifier import MLPClassifier  # noqa: E402 - the line above names the missing library
from fastmlp.sklearn.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
