"""Estimators for tables as files: one of safetensors with the parameters of the networks, and all else as JSON."""

import json
import os
from typing import Any

import numpy as np

from fastmlp import storage
from fastmlp.inputs import checks
from fastmlp.loading import built
from fastmlp.sklearn.tabular.base import BaseTabularMLP
from fastmlp.sklearn.tabular.classifier import TabularMLPClassifier
from fastmlp.sklearn.tabular.plain import parameters_of
from fastmlp.sklearn.tabular.regressor import TabularMLPRegressor
from fastmlp.tables.encoder import Encoder

ESTIMATORS: dict[str, type[BaseTabularMLP]] = {
    kind.__name__: kind for kind in (TabularMLPClassifier, TabularMLPRegressor)
}


def load(path: str | os.PathLike[str]) -> BaseTabularMLP:
    """Read an estimator for tables that its method `save` wrote. Nothing is unpickled.

    Parameters
    ----------
    path : path-like
        A safetensors file.

    Returns
    -------
    TabularMLPClassifier or TabularMLPRegressor
        It gives the same predictions, to the bit. It has no `histories_`; `threads` and `progress` have their defaults.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is truncated, was not written by such an estimator, or its parts do not fit together.
    """
    with storage.opened(path, storage.TABLES) as (file, text):
        try:
            described = json.loads(text)
            found = _estimator(described)
            networks = list(described["networks"])
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"{path} describes no estimator that fastmlp knows: {error!r}") from error
        parts = [storage.stored(path, file, network, f"{i}.") for i, network in enumerate(networks)]
        others = len(file.keys()) - sum(len(part.arrays) for part in parts)
    if others or not parts:
        raise ValueError(
            f"{path} must hold the arrays of at least one network, got {len(parts)} and {others} more arrays"
        )
    found.networks_ = [built(part, path) for part in parts]
    shape = (found.encoder_.n_inputs, found._width_of_output)
    for net in found.networks_:
        if (net.n_inputs, net.n_outputs) != shape:
            raise ValueError(
                f"{path}: networks must have {shape} inputs and outputs, got {net.n_inputs, net.n_outputs}"
            )
        net.feature_names = found.encoder_.inputs
    return found


def _estimator(described: dict[str, Any]) -> BaseTabularMLP:
    """Return the estimator without its networks."""
    checks.one_of("estimator", described["estimator"], list(ESTIMATORS))
    found = ESTIMATORS[described["estimator"]](**parameters_of(described["parameters"]))
    found._validate_params()
    found.encoder_ = Encoder.of(described["columns"])
    found.n_features_in_ = len(found.encoder_.columns)
    names = described["feature_names"]
    if names is not None:
        if names != [column.name for column in found.encoder_.columns]:
            raise ValueError(f"feature_names must be the names of the columns, got {names}")
        found.feature_names_in_ = np.array(names, object)
    found.target_name_ = described.get("target_name")
    if not isinstance(found.target_name_, (str, type(None))):
        raise ValueError(f"target_name must be text or null, got {found.target_name_!r}")
    found._take_up(described["target"])
    return found
