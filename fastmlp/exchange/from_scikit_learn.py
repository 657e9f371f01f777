"""Networks from scikit-learn's fitted ``MLPClassifier`` and ``MLPRegressor``."""

from typing import Any, cast

from fastmlp.exchange.assembly import Network, assembled
from fastmlp.network import Architecture


def from_sklearn(kind: type[Network], estimator: Any) -> Network:
    """Return `estimator` as a network; see `MLP.from_sklearn`."""
    if not hasattr(estimator, "hidden_layer_sizes"):
        shown = " ".join(repr(estimator).split())
        raise TypeError(f"estimator must be an MLPClassifier or MLPRegressor, got {shown} ({type(estimator).__name__})")
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"estimator must be fitted: call its fit first, got {estimator!r}")
    own = getattr(estimator, "network_", None)
    architecture = getattr(own, "architecture", None)
    if own is not None and isinstance(
        architecture, Architecture
    ):  # an estimator of fastmlp has settings that scikit-learn's attributes do not show
        settings = ("activation", "output", "dropout", "batch_norm", "input_scale", "input_factors")
        net: Any = assembled(kind, own.views, **{name: getattr(architecture, name) for name in settings})
    else:
        arrays = {"weights": list(estimator.coefs_), "biases": list(estimator.intercepts_)}
        net = assembled(kind, arrays, activation=estimator.activation, output=estimator.out_activation_)
    net.class_names = _names(estimator, "classes_")
    net.feature_names = _names(estimator, "feature_names_in_")
    return cast(Network, net)


def _names(estimator: Any, attribute: str) -> list[str] | None:
    values = getattr(estimator, attribute, None)
    return None if values is None else [str(value) for value in values]
