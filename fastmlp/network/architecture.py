"""What a network consists of, as plain values."""

from dataclasses import dataclass

import numpy as np

from fastmlp.batchnorm import BatchNorm

ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu", "selu", "mish")
OUTPUTS = ("softmax", "logistic", "identity", "exp")


@dataclass(frozen=True)
class Architecture:
    """What a network consists of; `fastmlp.MLP` describes and checks the values.

    Attributes
    ----------
    widths : tuple of int
        Inputs, hidden layers, outputs.
    activation, output : str
        Functions of the hidden layers and of the last one.
    dropout : tuple of float
        Rate of each hidden layer.
    batch_norm : BatchNorm or None
        Of every hidden layer.
    input_scale : float
        Multiplies the inputs.
    dtype : numpy.dtype
        Of the parameters and of all arithmetic.
    input_factors : bool
        Whether each input is multiplied by a factor that is learned.
    """

    widths: tuple[int, ...]
    activation: str
    output: str
    dropout: tuple[float, ...]
    batch_norm: BatchNorm | None
    input_scale: float
    dtype: np.dtype
    input_factors: bool = False

    @property
    def n_inputs(self) -> int:
        """Width of the input."""
        return self.widths[0]

    @property
    def n_outputs(self) -> int:
        """Width of the last layer."""
        return self.widths[-1]

    @property
    def has_classes(self) -> bool:
        """Whether the outputs are probabilities of classes, so that a prediction is right or wrong."""
        return self.output in ("softmax", "logistic")
