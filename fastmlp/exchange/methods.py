"""What a network of another library becomes, and what becomes of ours there: the methods that `fastmlp.MLP` has."""

from typing import Any, Self

from fastmlp.network.parts import Parts
from fastmlp.system.extras import require


class Exchange(Parts):
    """The ways to and from the networks of other libraries, each of which is imported when it is used."""

    class_names: list[str] | None
    feature_names: list[str] | None

    def to_onnx(self, path: Any) -> None:
        """Write the network to an ONNX file, which other programs predict with.

        The file (opset 9) takes ``X (N, n_inputs)`` in the network's dtype, multiplies by `input_scale` itself, and
        gives ``outputs (N, n_outputs)``, those behind the output function. Batch norm uses its running statistics.
        `class_names` and `feature_names` are metadata, as JSON lists. In float64 the activation GELU has the precision
        of float32, as onnxruntime has no error function in double; all else keeps that of float64.

        Parameters
        ----------
        path : path-like
            The file; an earlier one is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written; an earlier one stands as it was.
        ImportError
            onnx is not installed (extra ``onnx``).
        """
        require("onnx", extra="onnx")
        from fastmlp.exchange import to_onnx

        to_onnx.save(self.network, path, class_names=self.class_names, feature_names=self.feature_names)

    def to_torch(self, *, logits: bool = False) -> Any:
        """Return a copy of the network as a PyTorch module, in ``eval()`` mode.

        Parameters
        ----------
        logits : bool
            Leave the output function out, as PyTorch's losses want it.

        Returns
        -------
        torch.nn.Sequential
            Of Linear, BatchNorm1d, Dropout, the activation's and the output function's modules; all are PyTorch's own
            but that of the output function ``"exp"``, `fastmlp.exchange.to_pytorch.Exp`. `input_scale` is multiplied
            into the first Linear's weights. The running statistics are the same numbers, so that ``eval()`` predicts
            the same; trained on, PyTorch averages unbiased variances, and fastmlp biased ones.

        Raises
        ------
        ImportError
            PyTorch is not installed (extra ``torch``).
        """
        require("torch", extra="torch")
        from fastmlp.exchange import to_pytorch

        return to_pytorch.to_torch(self.network, logits)

    @classmethod
    def from_torch(cls, sequential: Any, *, output: str | None = None) -> Self:
        """Return a network with copies of a PyTorch module's parameters, which predicts the same.

        Parameters
        ----------
        sequential : torch.nn.Sequential
            Of Linears in float32 or float64, also in Sequentials within. Between two Linears may stand an activation
            (Identity, Sigmoid, Tanh, ReLU, ``LeakyReLU(0.01)``, exact GELU, SiLU), BatchNorm1d before or behind it, and
            Dropout behind both: one kind of activation, and one of batch norm or none, in the whole network. Flatten
            may come first, and Softmax, LogSoftmax (read as Softmax) or Sigmoid last.
        output : {"softmax", "logistic", "identity", "exp"}, optional
            The output function, where `sequential` ends without one, in logits: "softmax" if it was trained by
            CrossEntropyLoss, "logistic" by BCEWithLogitsLoss, "exp" by PoissonNLLLoss. Default: that of the last
            module, and "identity" where there is none, so that `outputs` are what `sequential` returns.

        Raises
        ------
        TypeError, ValueError
            It is not such a Sequential; the message names the module.
        ImportError
            PyTorch is not installed (extra ``torch``).
        """
        require("torch", extra="torch")
        from fastmlp.exchange import from_pytorch

        return from_pytorch.from_torch(cls, sequential, output)

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """Return a network with copies of a fitted estimator's parameters, which predicts the same.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Of scikit-learn or `fastmlp.sklearn`, fitted. A classifier's classes become `class_names`; one of two
            classes has a single logistic output, the probability of the second. The names of the columns become
            `feature_names`.

        Raises
        ------
        TypeError, ValueError
            It is not such an estimator, or not fitted.
        """
        from fastmlp.exchange import from_scikit_learn

        return from_scikit_learn.from_sklearn(cls, estimator)
