"""The types and ranges of the parameters, which scikit-learn checks before a fit."""

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from fastmlp.sklearn.constraints import COMMON as PLAIN

_COUNT = Interval(Integral, 1, None, closed="left")

COMMON: dict[str, list[Any]] = {
    "n_ens": [_COUNT],
    "hidden_layer_sizes": ["array-like", _COUNT],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "batch_size": [_COUNT],
    "max_epochs": [_COUNT],
    **{name: PLAIN[name] for name in ("activation", "validation_fraction", "random_state", "threads", "progress")},
}
CLASSIFIER = COMMON | {
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "class_weight": [dict, StrOptions({"balanced"}), None],
}
REGRESSOR = COMMON
