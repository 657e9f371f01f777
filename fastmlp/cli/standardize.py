"""Training on standardised columns, and a saved network that takes the columns as they are in the file."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fastmlp import MLP
    from fastmlp.streaming.stream import Stream


class Standardizer:
    """Mean and standard deviation of each column.

    `apply` standardises the data before the training. After the training, `fold_into` changes the network. With
    ``x' = (x - mean) / std`` the first layer computes ``x' W + b = x (W / std) + (b - (mean / std) W)``. So the changed
    network gives the same outputs for the columns as they are in the file. A constant column gets weights of 0.

    Parameters
    ----------
    X : array (n, n_in)
        The rows that the network will be trained on.
    names : list of str, optional
        Names of the columns, for the text of an error.
    dtype : numpy.dtype
        Dtype of the network.

    Raises
    ------
    ValueError
        The standard deviation of a column is too small compared with its mean: in `dtype`, the folded network would
        lose too many digits.
    """

    def __init__(self, X: np.ndarray, names: list[str] | None, dtype: np.dtype) -> None:
        self.mean = X.mean(axis=0, dtype=np.float64)
        self.std = X.std(axis=0, dtype=np.float64)
        self.std[X.max(axis=0) == X.min(axis=0)] = 0  # rounding gives a column of 0.1 a deviation of 1e-17
        self.dtype = dtype
        self._refuse_narrow(names)

    def _refuse_narrow(self, names: list[str] | None) -> None:
        offset = np.divide(np.abs(self.mean), self.std, out=np.zeros_like(self.mean), where=self.std > 0)
        # the rounding error of x is at most a thousandth of a standard deviation, less than the noise of any training
        if offset.size and offset.max() * np.finfo(self.dtype).eps > 1e-3:
            worst = int(offset.argmax())
            label = repr(names[worst]) if names else str(worst)
            raise ValueError(
                f"X: column {label} has mean {self.mean[worst]:.6g} and standard deviation {self.std[worst]:.3g}, too "
                f"close for {np.dtype(self.dtype)}; subtract a constant from the column or give --dtype float64"
            )

    def apply(self, X: Any) -> Any:
        """Return the standardised rows, in the network's dtype."""
        scaled: np.ndarray = np.subtract(X, self.mean, dtype=np.float64)
        np.divide(scaled, self.std, out=scaled, where=self.std > 0)
        scaled[:, self.std == 0] = 0
        return scaled.astype(self.dtype)

    def fold_into(self, net: "MLP") -> None:
        """Change the first layer so that the network takes the columns as they are.

        Raises
        ------
        ValueError
            The folded weights are too large for the network's dtype.
        """
        weight = net.weights[0].astype(np.float64)
        folded = np.divide(weight, self.std[:, None], out=np.zeros_like(weight), where=self.std[:, None] > 0)
        with np.errstate(over="ignore"):
            net.biases[0][...] -= self.mean @ folded
            net.weights[0][...] = folded
        if not net.is_finite():
            raise ValueError(
                f"the trained weights grew beyond {net.dtype}: nothing saved; try a smaller --learning-rate"
            )


class StreamStandardizer(Standardizer):
    """Mean and spread of each column of a stream, over all of its rows; of categories 0 and 1.

    Parameters
    ----------
    stream : Stream
        The rows that the network will be trained on, those that are held out included.
    dtype : numpy.dtype
        Type that the network computes in.

    Raises
    ------
    ValueError
        A column varies too little beside its mean for `dtype`.
    """

    def __init__(self, stream: "Stream", dtype: np.dtype) -> None:
        columns = stream.complete()
        scaling = stream.scaling(columns)
        inputs = [max(1, len(column.categories)) for column in columns for _ in range(column.width)]
        self.mean, self.std = np.repeat(scaling.mean, inputs), np.repeat(scaling.deviation, inputs)
        self.dtype = dtype
        self._refuse_narrow(stream.feature_names)

    def apply(self, X: Any) -> Any:
        """Return the stream, which standardises its columns from now on."""
        X.scaled = True
        return X
