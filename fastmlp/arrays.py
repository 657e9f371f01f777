"""The parameters of a network: one buffer, and arrays that are views of it."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.engine.inference import Packed

Shapes = dict[str, list[tuple[int, ...]]]


def parameter_shapes(widths: Sequence[int], batch_norm: BatchNorm | None) -> Shapes:
    """Return the shapes of a network's arrays, by kind and layer, in the order in which they lie in memory."""
    hidden: list[tuple[int, ...]] = [] if batch_norm is None else [(n,) for n in widths[1:-1]]
    affine = hidden if batch_norm is not None and batch_norm.affine else []
    return {
        "weights": list(itertools.pairwise(widths)),
        "biases": [(n,) for n in widths[1:]],
        "gammas": affine,
        "betas": affine,
        "running_means": hidden,
        "running_vars": hidden,
    }


class Arrays:
    """The parameters and running statistics of a network, in one buffer.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers, outputs.
    batch_norm : BatchNorm or None
        Decides what hidden layers have besides weights and biases.
    dtype : numpy.dtype
        Of all arrays.

    Attributes
    ----------
    weights : list of numpy.ndarray
        ``(n_in, n_out)`` for each layer.
    biases : list of numpy.ndarray
        ``(n_out,)`` for each layer.
    gammas, betas : list of numpy.ndarray
        ``(n,)`` for each hidden layer, empty unless the batch norm is affine.
    running_means, running_vars : list of numpy.ndarray
        ``(n,)`` for each hidden layer, empty without batch norm.
    """

    def __init__(self, widths: Sequence[int], batch_norm: BatchNorm | None, dtype: np.dtype) -> None:
        self.dtype = dtype
        self._shapes = parameter_shapes(widths, batch_norm)
        self._state = np.zeros(sum(math.prod(shape) for group in self._shapes.values() for shape in group), dtype)
        self._views = self.views_of(self._state)
        self.packed: Packed | None = None  # since the last prediction
        for ones in self.gammas + self.running_vars:
            ones[:] = 1

    def views_of(self, state: np.ndarray) -> dict[str, list[np.ndarray]]:
        """Return the arrays that a `snapshot` consists of, by kind and layer; views.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`.
        """
        sizes = [math.prod(shape) for group in self._shapes.values() for shape in group]
        pieces = iter(np.split(state, np.cumsum(sizes)[:-1]))
        return {name: [next(pieces).reshape(shape) for shape in group] for name, group in self._shapes.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_views", "packed")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._state = self._state.copy()  # copy.copy() passes the very array; two networks must not share parameters
        self._views = self.views_of(self._state)
        self.packed = None

    @property
    def arrays(self) -> dict[str, list[np.ndarray]]:
        """The parameters and running statistics by kind and layer; writable views."""
        return self._views

    @property
    def weights(self) -> list[np.ndarray]:  # noqa: D102 - described by the class
        return list(self._views["weights"])

    @property
    def biases(self) -> list[np.ndarray]:  # noqa: D102
        return list(self._views["biases"])

    @property
    def gammas(self) -> list[np.ndarray]:  # noqa: D102
        return list(self._views["gammas"])

    @property
    def betas(self) -> list[np.ndarray]:  # noqa: D102
        return list(self._views["betas"])

    @property
    def running_means(self) -> list[np.ndarray]:  # noqa: D102
        return list(self._views["running_means"])

    @property
    def running_vars(self) -> list[np.ndarray]:  # noqa: D102
        return list(self._views["running_vars"])

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(p.size for name in ("weights", "biases", "gammas", "betas") for p in self._views[name])

    def named_arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters and running statistics by name, such as ``"weights.0"``; views, not copies."""
        return {f"{name}.{i}": array for name, group in self._views.items() for i, array in enumerate(group)}

    def snapshot(self) -> np.ndarray:
        """Return a copy of all parameters and running statistics, for `restore`."""
        return self._state.copy()

    def restore(self, state: np.ndarray) -> None:
        """Go back to a `snapshot`.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`, of a network of these widths and this batch norm.
        """
        self._state[:] = state

    @property
    def bits(self) -> np.ndarray:
        """All parameters and running statistics as unsigned integers; a view."""
        return self._state.view(f"u{self.dtype.itemsize}")

    def is_finite(self) -> bool:
        """Whether all parameters and running statistics are finite."""
        return bool(np.isfinite(self._state).all())

    def penalty(self, weight_decay: float) -> float:
        """Return ``weight_decay/2 · Σ‖W‖²``, the L2 part of the cost.

        Parameters
        ----------
        weight_decay : float
            λ, at least 0. The sum is over the weights of all layers, without biases, γ and β.
        """
        if not weight_decay:
            return 0.0
        return 0.5 * weight_decay * sum(float(np.square(w, dtype=np.float64).sum()) for w in self.weights)
