"""The network: its shape, its parameters, and what it predicts."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import engine, losses, storage
from fastmlp.batchnorm import BatchNorm
from fastmlp.exchange.methods import Exchange
from fastmlp.init import Initialiser, kaiming, zeros
from fastmlp.inputs import checks, samples
from fastmlp.inputs.streamed import is_stream
from fastmlp.network import Architecture, Parameters
from fastmlp.network.architecture import ACTIVATIONS, OUTPUTS
from fastmlp.network.drawing import drawn, of_layers
from fastmlp.streaming.methods import Streamed


class MLP(Exchange, Streamed):
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

    def outputs(self, X: Any, *, matmul_precision: str = "float32", threads: int | None = None) -> np.ndarray:
        """Return the outputs; batch norm uses its running statistics (see `BatchNorm`), dropout does nothing.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
            Integers or floats, scaled by `input_scale` inside.
        matmul_precision : {"float32", "bfloat16"}
            To what the operands of the matrix products are rounded; the second is for networks of dtype float32.
        threads : int, optional
            Default: all cores that the process may use.

        Returns
        -------
        numpy.ndarray (n, n_outputs)
            In the network's dtype.

        Raises
        ------
        ValueError, TypeError
            `X` has another width or shape, no rows, another dtype, or a value that is not finite.
        """
        precision = checks.matmul_precision(matmul_precision, self.dtype)
        if is_stream(X):
            return self.streamed_outputs(X, checks.threads(threads), precision)
        x = samples.matrix("X", X, self.n_inputs)
        found, finite = engine.outputs(self.network, x, checks.threads(threads), precision)
        if not finite:  # an element of x, or its product with input_scale
            samples.finite("X", x, self.dtype)
        return found

    def predict_proba(self, X: Any, *, matmul_precision: str = "float32", threads: int | None = None) -> np.ndarray:
        """Return probabilities: the `outputs` of a network whose output is softmax or logistic.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
            Integers or floats, scaled by `input_scale` inside.
        matmul_precision : {"float32", "bfloat16"}
            To what the operands of the matrix products are rounded; the second is for networks of dtype float32.
        threads : int, optional
            Default: all cores that the process may use.

        Returns
        -------
        numpy.ndarray (n, n_outputs)
            In the network's dtype; every row of a softmax sums to 1.

        Raises
        ------
        ValueError, TypeError
            `X` has another width or shape, no rows, another dtype, or a value that is not finite; or the outputs are no
            probabilities.
        """
        if self.output not in ("softmax", "logistic"):
            raise ValueError(f"probabilities need output='softmax' or 'logistic', got output={self.output!r}")
        return self.outputs(X, matmul_precision=matmul_precision, threads=threads)

    def predict(self, X: Any, *, matmul_precision: str = "float32", threads: int | None = None) -> np.ndarray:
        """Return what the outputs say of each row.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
            Integers or floats, scaled by `input_scale` inside.
        matmul_precision : {"float32", "bfloat16"}
            To what the operands of the matrix products are rounded; the second is for networks of dtype float32.
        threads : int, optional
            Default: all cores that the process may use.

        Returns
        -------
        numpy.ndarray
            Softmax: the most probable class index, int64 ``(n,)``. Logistic: 1 where the probability is above ½, else
            0, int64 ``(n, n_outputs)``. Others: the `outputs`.

        Raises
        ------
        ValueError, TypeError
            As for `outputs`.
        """
        found = self.outputs(X, matmul_precision=matmul_precision, threads=threads)
        if self.output == "softmax":
            classes: np.ndarray = np.argmax(found, axis=1)
            return classes
        return (found > 0.5).astype(np.int64) if self.output == "logistic" else found

    def accuracy(self, X: Any, y: Any = None, *, threads: int | None = None) -> float:
        """Return the share of rows whose predicted class is `y`, or all of whose logistic outputs are on y's side of ½.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
            Integers or floats.
        y : array-like (n,) or (n, n_outputs)
            Integer class indices; flags for logistic outputs. Left out beside a stream, which has its own.
        threads : int, optional
            Default: all cores that the process may use.

        Raises
        ------
        ValueError, TypeError
            `X` or `y` has a wrong shape, dtype or value; or the outputs are no classes.
        """
        accuracy = self._evaluate(X, y, threads)[1]
        if accuracy is None:
            raise ValueError(f"accuracy needs output='softmax' or 'logistic', got output={self.output!r}")
        return accuracy

    def cost(
        self,
        X: Any,
        y: Any = None,
        weight_decay: float = 0.0,
        *,
        loss: losses.Loss | None = None,
        sample_weight: Any = None,
        threads: int | None = None,
    ) -> float:
        """Return the mean loss plus ``weight_decay/2 · Σ‖W‖²``.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
            Integers or floats.
        y : array-like (n,) or (n, n_outputs)
            Integer class indices for softmax outputs, else the targets. Left out beside a stream, which has its own.
        weight_decay : float
            At least 0.
        loss : Loss, optional
            From `fastmlp.losses`; default: the one that belongs to the network's output.
        sample_weight : array-like (n,), optional
            Weights of the rows in the mean.
        threads : int, optional
            Default: all cores that the process may use.

        Raises
        ------
        ValueError, TypeError
            An argument has a wrong shape, dtype or value.
        """
        checks.not_negative("weight_decay", weight_decay)
        return self._evaluate(X, y, threads, loss, sample_weight)[0] + self.penalty(weight_decay)

    def loss_of(self, loss: losses.Loss | None) -> losses.Loss:
        """Return the loss, None being the one that belongs to the output.

        Parameters
        ----------
        loss : Loss or None
            From `fastmlp.losses`.

        Raises
        ------
        ValueError, TypeError
            It is no loss, or belongs to another output.
        """
        if loss is None:
            return losses.default(self.output)
        checks.instance("loss", loss, losses.Loss)
        if loss.output != self.output:
            raise ValueError(f"{loss} needs a network with output={loss.output!r}, got output={self.output!r}")
        return loss

    def _evaluate(
        self, X: Any, y: Any, threads: int | None, loss: losses.Loss | None = None, sample_weight: Any = None
    ) -> tuple[float, float | None]:
        loss = self.loss_of(loss)
        if is_stream(X):
            checks.absent_beside_a_stream(y=y, sample_weight=sample_weight)
            return self.streamed_evaluation(X, loss, checks.threads(threads))
        x = samples.features("X", X, self.n_inputs, self.dtype)
        targets = samples.targets("y", y, loss.kernel, self.n_outputs, len(x), self.dtype)
        weights = samples.weights("sample_weight", sample_weight, len(x))
        return engine.evaluate(
            self.network, x, targets, None, checks.threads(threads), loss=loss, sample_weight=weights
        )

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
