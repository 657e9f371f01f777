"""The methods of `fastmlp.MLP` that predict, and that say how good the predictions are."""

from typing import Any

import numpy as np

from fastmlp import engine, losses
from fastmlp.inputs import checks, samples
from fastmlp.inputs.streamed import is_stream
from fastmlp.streaming.methods import Streamed


class Predictions(Streamed):
    """What a network says of rows in arrays, sparse matrices and streams."""

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
        if not self.architecture.has_classes:
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
