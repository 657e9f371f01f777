"""Prediction in blocks of rows, batch norm folded into the linear layers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fastmlp import kernels
from fastmlp.batchnorm import folded
from fastmlp.engine.threading import numba_threads

if TYPE_CHECKING:
    from fastmlp.mlp import MLP

ROWS = 2048  # per block: activations stay small whatever the size of the data set


def _logits(net: "MLP", x: np.ndarray, rows: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (row indices, logits) block by block; both are overwritten by the next block."""
    weights, biases = folded(net)
    n = len(x) if rows is None else len(rows)
    buffers = [np.empty((min(ROWS, n), width), net.dtype) for width in net.widths]
    for start in range(0, n, ROWS):
        index = np.arange(start, min(n, start + ROWS)) if rows is None else rows[start : start + ROWS]
        layers = [buffer[: len(index)] for buffer in buffers]
        kernels.gather(x, index, net.input_scale, layers[0])
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if i:
                kernels.relu_forward(layers[i], layers[i])
            kernels.linear_forward(layers[i], weight, bias, layers[i + 1])
        yield index, layers[-1]


def predict_proba(net: "MLP", x: np.ndarray, threads: int) -> np.ndarray:
    """Class probabilities ``(n, n_classes)`` of the rows of `x`."""
    out = np.empty((len(x), net.n_classes), net.dtype)
    with numba_threads(threads):
        for index, logits in _logits(net, x, None):
            kernels.softmax(logits, out[index[0] : index[0] + len(index)])
    return out


def evaluate(net: "MLP", x: np.ndarray, y: np.ndarray, rows: np.ndarray | None, threads: int) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over `x` and `y`, or over some of their `rows`."""
    n = len(x) if rows is None else len(rows)
    cost, right = 0.0, 0
    with numba_threads(threads):
        for index, logits in _logits(net, x, rows):
            proba, dz, labels = np.empty_like(logits), np.empty_like(logits), y[index]
            cost += kernels.softmax_cross_entropy(logits, labels, proba, dz) * len(index)
            right += int((logits.argmax(axis=1) == labels).sum())
    return cost / n, right / n
