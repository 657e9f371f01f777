"""The network: its shape, its parameters, and what it predicts."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from fastmlp import checks
from fastmlp.batchnorm import BatchNorm
from fastmlp.engine import evaluate, predict_proba
from fastmlp.init import Initialiser, kaiming

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


class MLP:
    """A multilayer perceptron with ReLU hidden layers and a softmax output.

    All parameters live in one buffer; `weights`, `biases`, `gammas`, `betas` and the running statistics are writable
    views of it, so writing into them changes the network.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers, classes; at least two numbers.
    batch_norm : BatchNorm, optional
        Normalise every hidden layer.
    init : callable
        An initialiser from `fastmlp.init`, or its class for its defaults; called with a Generator, n_in and n_out.
    input_scale : float
        Multiplies the inputs inside the engine, such as 1/255 for pixels; stored with the model.
    dtype : {"float32", "float64"}
        Of the parameters and of all arithmetic.
    seed : int or numpy.random.Generator
        For the initial weights.

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
    class_names, feature_names : list of str or None
        Free to set; stored with the model.

    Raises
    ------
    ValueError, TypeError
        A parameter is out of its range or of the wrong type.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        batch_norm: BatchNorm | None = None,
        init: Initialiser = kaiming(),  # noqa: B008 - immutable
        input_scale: float = 1.0,
        dtype: str = "float32",
        seed: int | np.random.Generator = 0,
    ) -> None:
        self.widths = checks.widths(widths)
        if batch_norm is not None:
            checks.instance("batch_norm", batch_norm, BatchNorm)
        if isinstance(init, type):
            init = cast(Callable[[], Initialiser], init)()
        if not callable(init):
            raise TypeError(f"init must be an initialiser such as fastmlp.init.xavier(), got {init!r}")
        checks.positive("input_scale", input_scale)
        self.batch_norm = batch_norm
        self.input_scale = float(input_scale)
        self.dtype = checks.network_dtype(dtype)
        self.class_names: list[str] | None = None
        self.feature_names: list[str] | None = None
        self._shapes = parameter_shapes(self.widths, batch_norm)
        self._state = np.zeros(sum(math.prod(shape) for group in self._shapes.values() for shape in group), self.dtype)
        self._views = self.views_of(self._state)
        for ones in self.gammas + self.running_vars:
            ones[:] = 1
        rng = checks.generator("seed", seed)
        for weight in self.weights:
            drawn = np.asarray(init(rng, *weight.shape))
            if drawn.shape != weight.shape:
                raise ValueError(f"init must return an array {weight.shape} for these widths, got {drawn.shape}")
            weight[:] = drawn

    def views_of(self, state: np.ndarray) -> dict[str, list[np.ndarray]]:
        """Return the arrays that a `snapshot` consists of, by kind and layer; views."""
        sizes = [math.prod(shape) for group in self._shapes.values() for shape in group]
        pieces = iter(np.split(state, np.cumsum(sizes)[:-1]))
        return {name: [next(pieces).reshape(shape) for shape in group] for name, group in self._shapes.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_views"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._state = self._state.copy()  # copy.copy() passes the very array; two networks must not share parameters
        self._views = self.views_of(self._state)

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
    def n_inputs(self) -> int:
        """Width of the input."""
        return self.widths[0]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.widths[-1]

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
        """Go back to a `snapshot`."""
        self._state[:] = state

    def is_finite(self) -> bool:
        """Whether all parameters and running statistics are finite."""
        return bool(np.isfinite(self._state).all())

    def penalty(self, weight_decay: float) -> float:
        """Return ``weight_decay/2 · Σ‖W‖²``, the L2 part of the cost."""
        if not weight_decay:
            return 0.0
        return 0.5 * weight_decay * sum(float(np.square(w, dtype=np.float64).sum()) for w in self.weights)

    def predict_proba(self, X: Any, *, threads: int | None = None) -> np.ndarray:
        """Return class probabilities; batch norm uses its running statistics (see `BatchNorm`).

        Parameters
        ----------
        X : array-like (n, n_inputs)
            Integers or floats, scaled by `input_scale` inside.
        threads : int, optional
            Default: all cores that the process may use.

        Returns
        -------
        numpy.ndarray (n, n_classes)
            In the network's dtype; every row sums to 1.

        Raises
        ------
        ValueError, TypeError
            `X` has another width or shape, no rows, another dtype, or a value that is not finite.
        """
        return predict_proba(self, checks.features("X", X, self.n_inputs, self.dtype), checks.threads(threads))

    def predict(self, X: Any, *, threads: int | None = None) -> np.ndarray:
        """Return the most probable class index of each row, int64 ``(n,)``; parameters as for `predict_proba`."""
        classes: np.ndarray = np.argmax(self.predict_proba(X, threads=threads), axis=1)
        return classes

    def accuracy(self, X: Any, y: Any, *, threads: int | None = None) -> float:
        """Return the share of rows whose predicted class is `y`.

        Parameters
        ----------
        X : array-like (n, n_inputs)
            Integers or floats.
        y : array-like (n,)
            Integer class indices.
        threads : int, optional
            Default: all cores that the process may use.

        Raises
        ------
        ValueError, TypeError
            `X` or `y` has a wrong shape, dtype or value.
        """
        return self._evaluate(X, y, threads)[1]

    def cost(self, X: Any, y: Any, weight_decay: float = 0.0, *, threads: int | None = None) -> float:
        """Return the mean cross-entropy plus ``weight_decay/2 · Σ‖W‖²``; parameters as for `accuracy`."""
        checks.not_negative("weight_decay", weight_decay)
        return self._evaluate(X, y, threads)[0] + self.penalty(weight_decay)

    def _evaluate(self, X: Any, y: Any, threads: int | None) -> tuple[float, float]:
        data = checks.features("X", X, self.n_inputs, self.dtype)
        return evaluate(self, data, checks.labels("y", y, self.n_classes, len(data)), None, checks.threads(threads))

    def save(self, path: Any) -> None:
        """Write the network to a safetensors file; an earlier file is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        from fastmlp import storage  # which builds networks itself

        storage.save(self, path)

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.widths))
        return f"<MLP {shape}, {self.n_parameters} parameters, {self.dtype}, batch_norm={self.batch_norm}>"
