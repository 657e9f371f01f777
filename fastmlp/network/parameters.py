"""The parameters of a network: one buffer, and arrays that are views of it."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.network.architecture import Architecture

Shapes = dict[str, list[tuple[int, ...]]]
Arrays = dict[str, list[np.ndarray]]  # by kind, such as "weights", and by layer
LEARNED = ("weights", "biases", "gammas", "betas", "factors")  # the others are running statistics


def parameter_shapes(widths: Sequence[int], batch_norm: BatchNorm | None, input_factors: bool) -> Shapes:
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
        "factors": [(widths[0],)] if input_factors else [],
    }


def named(arrays: Arrays) -> dict[str, np.ndarray]:
    """Return arrays by kind and layer as arrays by name, such as ``"weights.0"``."""
    return {f"{name}.{i}": array for name, group in arrays.items() for i, array in enumerate(group)}


class Parameters:
    """The parameters and running statistics of a network, in one buffer.

    Parameters
    ----------
    architecture : Architecture
        Of the network.

    Attributes
    ----------
    packed : object or None
        What the last prediction made of them; the engine's.
    version : int
        Counts what the package itself writes.
    lent : bool
        Whether somebody else may hold a view, and write at any time.
    """

    def __init__(self, architecture: Architecture) -> None:
        self.dtype = dtype = architecture.dtype
        self._shapes = parameter_shapes(architecture.widths, architecture.batch_norm, architecture.input_factors)
        self._state = np.zeros(sum(math.prod(shape) for group in self._shapes.values() for shape in group), dtype)
        self._views = self.views_of(self._state)
        self._begin()
        for ones in self._views["gammas"] + self._views["running_vars"] + self._views["factors"]:
            ones[:] = 1

    def _begin(self) -> None:
        self.packed: Any = None
        self.version = 0
        self.lent = False

    def views_of(self, state: np.ndarray) -> Arrays:
        """Return the arrays that a `snapshot` consists of, by kind and layer; views.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`.
        """
        found: Arrays = {name: [] for name in self._shapes}
        start = 0
        for name, group in self._shapes.items():
            for shape in group:
                end = start + math.prod(shape)
                found[name].append(state[start:end].reshape(shape))
                start = end
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in vars(self).items() if name not in ("_views", "packed", "version", "lent")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._state = self._state.copy()  # copy.copy() passes the array itself; networks must not share it
        self._views = self.views_of(self._state)
        self._begin()

    @property
    def arrays(self) -> Arrays:
        """The parameters and running statistics by kind and layer; writable views."""
        self.lent = True
        return self._views

    @property
    def views(self) -> Arrays:
        """As `arrays`, for code of the package that does not write, or not after a prediction."""
        return self._views

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(p.size for name in LEARNED for p in self.views[name])

    def named_arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters and running statistics by name, such as ``"weights.0"``; views, not copies."""
        return named(self.arrays)

    def snapshot(self) -> np.ndarray:
        """Return a copy of all parameters and running statistics, for `restore`."""
        return self._state.copy()

    def write_to(self, state: np.ndarray) -> None:
        """Make an earlier `snapshot` one of the parameters as they are now."""
        state[:] = self._state

    def restore(self, state: np.ndarray) -> None:
        """Go back to a `snapshot`.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`, of a network of these widths and this batch norm.
        """
        self.version += 1  # a prediction in another thread must not keep a mixture of the old and the new parameters
        self._state[:] = state
        self.version += 1

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
            λ, at least 0. The sum is over the weights of all layers, without biases, γ, β and the inputs' factors.
        """
        if not weight_decay:
            return 0.0
        with np.errstate(over="ignore"):  # infinity says it
            squares = sum(float(np.square(w, dtype=np.float64).sum()) for w in self.views["weights"])
        return 0.5 * weight_decay * squares
