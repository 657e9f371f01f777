"""The network as users know it: how it is made and kept. Its base classes predict, and convert it."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import storage
from fastmlp.batchnorm import BatchNorm
from fastmlp.exchange.methods import Exchange
from fastmlp.init import Initialiser, kaiming, zeros
from fastmlp.inputs import checks
from fastmlp.network import Architecture, Parameters
from fastmlp.network.architecture import ACTIVATIONS, OUTPUTS
from fastmlp.network.drawing import drawn, of_layers
from fastmlp.predictions import Predictions


class MLP(Exchange, Predictions):
    """A multilayer perceptron.

    All parameters live in one buffer; `weights`, `biases`, `gammas`, `betas`, `factors` and the running statistics are
    writable views of it, so writing into them changes the network.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers, outputs (classes); at least two numbers.
    activation : {"relu", "leaky_relu", "gelu", "silu", "selu", "mish", "tanh", "logistic", "identity"}
        Of all hidden layers. The slope of leaky_relu below 0 is 0.01; gelu is exact (``x · Φ(x)``).
    output : {"softmax", "logistic", "identity", "exp"}
        Function of the last layer: probabilities of classes that exclude one another; a probability for each output
        (one for two classes, several for labels that may occur together); any numbers; numbers above 0.
    dropout : float or sequence of float
        Share of each hidden layer's outputs, or of all of them, set to 0 at random in training; at least 0, below 1.
    batch_norm : BatchNorm, optional
        Normalise every hidden layer.
    init : callable or sequence of callable
        An initialiser of the weights from `fastmlp.init`, or its class for its defaults, for all layers; or one for
        each. It is called with a Generator, n_in and n_out.
    bias_init : callable or sequence of callable
        Likewise for the biases. It is called with a Generator, 1 and n_out. All weights are drawn before the biases.
    input_scale : float
        Multiplies the inputs inside the engine, such as 1/255 for pixels; stored with the model.
    input_factors : bool
        Multiply each input by a factor that is learned, 1 at first: the scaling layer of Holzmüller, Grinsztajn and
        Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data" (2024).
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
    factors : list of numpy.ndarray
        ``(n_inputs,)``, one array; empty unless `input_factors`.
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
        activation: str = "relu",
        output: str = "softmax",
        dropout: float | Sequence[float] = 0.0,
        batch_norm: BatchNorm | None = None,
        init: Initialiser | Sequence[Initialiser] = kaiming(),  # noqa: B008 - immutable
        bias_init: Initialiser | Sequence[Initialiser] = zeros(),  # noqa: B008
        input_scale: float = 1.0,
        input_factors: bool = False,
        dtype: str = "float32",
        seed: int | np.random.Generator = 0,
    ) -> None:
        widths = checks.widths(widths)
        checks.one_of("activation", activation, ACTIVATIONS)
        checks.one_of("output", output, OUTPUTS)
        dropout = checks.dropout(dropout, len(widths) - 2)
        if batch_norm is not None:
            checks.instance("batch_norm", batch_norm, BatchNorm)
        of_weights = of_layers("init", init, len(widths) - 1)
        of_biases = of_layers("bias_init", bias_init, len(widths) - 1)
        checks.positive("input_scale", input_scale)
        checks.flag("input_factors", input_factors)
        kind = checks.network_dtype(dtype)
        self.architecture = Architecture(
            widths, activation, output, dropout, batch_norm, float(input_scale), kind, bool(input_factors)
        )
        self.parameters = Parameters(self.architecture)
        self.class_names = self.feature_names = None
        rng = checks.generator("seed", seed)
        for weight, initialiser in zip(self.views["weights"], of_weights, strict=True):
            weight[:] = drawn("init", initialiser, rng, weight.shape)
        for bias, initialiser in zip(self.views["biases"], of_biases, strict=True):
            bias[:] = drawn("bias_init", initialiser, rng, (1, bias.size))[0]

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.parameters = copy.copy(self.parameters)  # of copy.copy(): two networks must not share them

    def save(self, path: Any) -> None:
        """Write the network to a safetensors file, which `fastmlp.load` reads.

        Parameters
        ----------
        path : path-like
            The file; an earlier one is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        storage.save(self.network, path, class_names=self.class_names, feature_names=self.feature_names)

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.widths))
        functions = f"{self.activation}, {self.output}"
        return f"<MLP {shape}, {functions}, {self.n_parameters} parameters, {self.dtype}, batch_norm={self.batch_norm}>"
