"""The types and ranges of the parameters, which scikit-learn checks before a fit."""

from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from fastmlp.batchnorm import BatchNorm
from fastmlp.schedules import Schedule

_AT_LEAST_0 = Interval(Real, 0, None, closed="left")
_ABOVE_0 = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")
_BELOW_1 = Interval(Real, 0, 1, closed="left")

COMMON: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": [StrOptions({"identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu", "selu", "mish"})],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [_AT_LEAST_0],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_ABOVE_0],
    "power_t": [_AT_LEAST_0],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_AT_LEAST_0],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [_BELOW_1],
    "beta_1": [_BELOW_1],
    "beta_2": [_BELOW_1],
    "epsilon": [_ABOVE_0],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    # parameters that scikit-learn's estimators do not have
    "batch_norm": ["boolean", BatchNorm],
    "dropout": [_BELOW_1, "array-like"],
    "clip_norm": [_ABOVE_0, None],
    "weight_decay": [_AT_LEAST_0],
    "callbacks": [list, tuple],
    "schedule": [Schedule, None],
    "metric": [StrOptions(set(get_scorer_names())), callable, None],
    "matmul_precision": [StrOptions({"float32", "bfloat16"})],
    "checkpoint": [str, PathLike, None],
    "checkpoint_epochs": [_COUNT],
    "checkpoint_seconds": [_AT_LEAST_0, None],
    "threads": [_COUNT, None],
    "progress": ["boolean", None],
}
CLASSIFIER = COMMON | {"class_weight": [dict, StrOptions({"balanced"}), None], "label_smoothing": [_BELOW_1]}
REGRESSOR = COMMON | {"loss": [StrOptions({"squared_error", "poisson", "absolute_error", "huber"})]}
