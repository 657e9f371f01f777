"""The methods of `fastmlp.MLP` that convert networks to and from other libraries."""

from typing import Any, Self

from fastmlp.network.parts import Parts
from fastmlp.system.extras import require


class Exchange(Parts):
    """Conversion to and from networks of other libraries. Each library is imported when it is used."""

    class_names: list[str] | None
    feature_names: list[str] | None

    def to_onnx(self, path: Any) -> None:
        """Write the network to an ONNX file, with which other programs predict.

        The file has opset 9. Its input is ``X (N, n_inputs)`` in the network's dtype. It contains the multiplication by
        `input_scale` and the output function. The weights of its first layer are multiplied by the factors of the
        inputs. Its output is ``outputs (N, n_outputs)``. Batch norm uses its running statistics. `class_names` and
        `feature_names` are metadata, as JSON lists. In float64 the activation GELU has the precision of float32, since
        onnxruntime has no error function for float64. Everything else has the precision of float64.

        Parameters
        ----------
        path : path-like
            The file. An earlier file is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written. An earlier file is not changed.
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
            Leave the output function out: PyTorch's losses take logits.

        Returns
        -------
        torch.nn.Sequential
            The modules Linear, BatchNorm1d, Dropout, and the modules of the activation and the output function. All are
            PyTorch's, except that of the output function ``"exp"``: `fastmlp.exchange.to_pytorch.Exp`. The weights of
            the first Linear are multiplied by `input_scale` and by the factors of the inputs. The running statistics
            are copied, so the predictions in ``eval()`` mode are the same. In a further training, PyTorch averages
            unbiased variances, and fastmlp biased ones.

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
        """Return a network with copies of a PyTorch module's parameters. It makes the same predictions.

        Parameters
        ----------
        sequential : torch.nn.Sequential
            Linears in float32 or float64, also in Sequentials inside the Sequential. Between two Linears there may be
            an activation (Identity, Sigmoid, Tanh, ReLU, ``LeakyReLU(0.01)``, exact GELU, SiLU), BatchNorm1d before or
            after the activation, and Dropout after both. All hidden layers must have the same activation. Either none
            of them has batch norm, or all of them have the same. The first module may be Flatten. The last module may
            be Softmax, LogSoftmax (which is read as Softmax), Sigmoid or the Exp of `to_torch`.
        output : {"softmax", "logistic", "identity", "exp"}, optional
            The output function, if `sequential` ends without one, in logits: "softmax" if it was trained with
            CrossEntropyLoss, "logistic" with BCEWithLogitsLoss, "exp" with PoissonNLLLoss. Default: the function of the
            last module, or "identity" if there is none, so that `outputs` are the results of `sequential`.

        Raises
        ------
        TypeError, ValueError
            `sequential` is not such a Sequential. The message names the module that does not fit.
        ImportError
            PyTorch is not installed (extra ``torch``).
        """
        require("torch", extra="torch")
        from fastmlp.exchange import from_pytorch

        return from_pytorch.from_torch(cls, sequential, output)

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """Return a network with copies of a fitted estimator's parameters. It makes the same predictions.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            A fitted estimator of scikit-learn or of `fastmlp.sklearn`. The classes of a classifier become
            `class_names`. A classifier of two classes has one logistic output, the probability of the second class. The
            names of the columns become `feature_names`.

        Raises
        ------
        TypeError, ValueError
            `estimator` is not such an estimator, or it is not fitted.
        """
        from fastmlp.exchange import from_scikit_learn

        return from_scikit_learn.from_sklearn(cls, estimator)
