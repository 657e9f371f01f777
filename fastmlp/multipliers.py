"""Learning rates that differ between parameters, as plain settings for an optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmlp.inputs import checks


@dataclass(frozen=True)
class RateMultipliers:
    """What multiplies the learning rate of each kind of parameter.

    A kind with the multiplier c has steps with ``c · lr`` in place of ``lr``, in all formulas of the optimizer, its
    weight decay included. A multiplier of 0 leaves the parameters as they are.

    Multipliers also give the neural tangent parametrisation, ``z = x · U / √n_in + b`` with U drawn from N(0, 1):
    Jacot, Gabriel and Hongler, "Neural Tangent Kernel: Convergence and Generalization in Neural Networks" (2018). The
    network holds ``W = U / √n_in``, which `fastmlp.init.lecun` draws. A step of U with the rate lr is a step of W with
    the multiplier ``1 / n_in`` for `SGD`, with momentum or without, and with ``1 / √n_in`` for `Adam`, whose ε on U is
    ``ε · √n_in`` on W. A decay λ of U is the decay ``λ · n_in`` of W for `SGD` and `Adam`, and ``λ · √n_in`` of W for
    `AdamW`.

    Parameters
    ----------
    weights, biases : float or sequence of float
        Of all layers, or one for each layer; at least 0.
    norms : float
        Of the γ and β of batch norm; at least 0.
    factors : float
        Of the factors of the inputs; at least 0.

    Raises
    ------
    ValueError, TypeError
        A multiplier is out of its range or no number.
    """

    weights: float | Sequence[float] = 1.0
    biases: float | Sequence[float] = 1.0
    norms: float = 1.0
    factors: float = 1.0

    def __post_init__(self) -> None:
        for name in ("weights", "biases"):
            value = getattr(self, name)
            if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
                for i, one in enumerate(value):
                    checks.not_negative(f"{name}[{i}]", one)
                object.__setattr__(self, name, tuple(map(float, value)))
            else:
                checks.not_negative(name, value)
        checks.not_negative("norms", self.norms)
        checks.not_negative("factors", self.factors)

    def of_layers(self, layers: int) -> NDArray[np.float64]:
        """Return the multipliers of the weights and of the biases of each layer.

        Parameters
        ----------
        layers : int
            Number of layers.

        Returns
        -------
        numpy.ndarray (2, layers)
            Weights first.

        Raises
        ------
        ValueError
            There is one multiplier for each of another number of layers.
        """
        return np.array([_spread("weights", self.weights, layers), _spread("biases", self.biases, layers)])


def _spread(name: str, value: float | Sequence[float], layers: int) -> Sequence[float]:
    if not isinstance(value, Sequence):
        return layers * [float(value)]
    if len(value) != layers:
        raise ValueError(
            f"rate_multipliers: {name} must be one multiplier or one for each of {layers} layers, got {len(value)}"
        )
    return value


EQUAL_RATES = RateMultipliers()
