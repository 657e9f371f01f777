"""Prediction and evaluation: chunks of rows dealt out to a team, batch norm folded into the linear layers."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.batchnorm import folded
from fastmlp.engine.plan import CHUNK_ROWS, Plan, make_plan
from fastmlp.engine.settings import make_settings
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import Parameters, aligned
from fastmlp.jit import body, worker
from fastmlp.kernels._panels import unpack_strip
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.linear import forward_rows
from fastmlp.kernels.softmax import count_right_rows, cross_entropy_rows, softmax_rows
from fastmlp.simd.atomics import CONTROL_CELLS, STOP, load_shared
from fastmlp.simd.pointer import offset, pointer
from fastmlp.simd.vector import lanes

if TYPE_CHECKING:
    from fastmlp.mlp import MLP


@body
def _logits(s: Any, layers: Any, parameters: Any, rows: Any, index: Any, known: int, count: int) -> Any:
    """Fill the logits of `count` rows; return where they are."""
    gather_rows(s.convert, s.address, index, count, known, s.n_features, s.scale, rows, s.panel)
    for i in range(len(layers)):
        layer = layers[i]
        forward_rows(
            offset(rows, layer.input),
            offset(parameters, layer.weight),
            offset(parameters, layer.bias),
            offset(rows, layer.out),
            count,
            layer.n_in,
            layer.n_out,
            s.panel,
            i < len(layers) - 1,
        )
    return offset(rows, layers[len(layers) - 1].out)


@worker
def evaluate_chunks(first: int, last: int, thread: int, settings: Any, layers: Any, parameters: Any, row_buffer: Any,
                    order: Any, labels: Any, costs: Any, right: Any, control: Any) -> None:  # fmt: skip
    """Summed cost and number of right answers of the chunks ``first … last - 1`` of the rows `order`."""
    s = settings[0]
    rows = pointer(row_buffer, thread * (row_buffer.size // s.threads))
    n_classes = layers[len(layers) - 1].n_out
    for chunk in range(first, last):
        if load_shared(pointer(control, STOP)) != 0:
            return
        start = chunk * s.batch
        count = min(s.batch, order.size - start)
        index = pointer(order, start)
        z = _logits(s, layers, pointer(parameters, 0), rows, index, order.size - start, count)
        right[chunk] = count_right_rows(z, pointer(labels, 0), index, count, n_classes, s.panel)
        costs[chunk] = cross_entropy_rows(z, pointer(labels, 0), index, count, n_classes, s.panel, 1.0)


@worker
def predict_chunks(first: int, last: int, thread: int, settings: Any, layers: Any, parameters: Any, row_buffer: Any,
                   order: Any, proba: Any, control: Any) -> None:  # fmt: skip
    """Class probabilities of the chunks ``first … last - 1`` of the rows `order`, into ``proba (n, n_classes)``."""
    s = settings[0]
    rows = pointer(row_buffer, thread * (row_buffer.size // s.threads))
    width = lanes(rows)
    for chunk in range(first, last):
        if load_shared(pointer(control, STOP)) != 0:
            return
        start = chunk * s.batch
        count = min(s.batch, order.size - start)
        z = _logits(s, layers, pointer(parameters, 0), rows, pointer(order, start), order.size - start, count)
        softmax_rows(z, count, proba.shape[1], s.panel)
        for j in range(0, proba.shape[1], width):
            unpack_strip(offset(z, j // width * s.panel), proba, start, count, j)


class _Forward:
    """What the chunks share: folded parameters, memory for each thread, settings."""

    def __init__(self, net: "MLP", x: np.ndarray, n: int, threads: int) -> None:
        weights, biases = folded(net)
        self.plan: Plan = make_plan(net.widths, net.dtype, None, min(n, CHUNK_ROWS), training=False)
        self.chunks = -(-n // self.plan.batch)
        self.threads = min(threads, self.chunks)
        parameters = Parameters(self.plan, net.dtype)
        parameters.pack(weights, {"bias": biases})
        self.parameters = parameters.buffer
        self.rows = aligned(self.threads * self.plan.n_rows, net.dtype)
        self.control = aligned(CONTROL_CELLS, np.int64)
        self.settings = make_settings(self.plan, net.dtype, x, net.input_scale, self.threads)

    def run(self, chunks: Any, *results: np.ndarray) -> None:
        """Call ``chunks`` in every thread for its share of the chunks."""

        def work(thread: int) -> None:
            first = self.chunks * thread // self.threads
            last = self.chunks * (thread + 1) // self.threads
            layers = self.plan.layers
            chunks(first, last, thread, self.settings, layers, self.parameters, self.rows, *results, self.control)

        if self.chunks == 1:  # starting a thread takes longer than one chunk of a small network
            work(0)
        else:
            run_team(work, self.threads, self.control)


def predict_proba(net: "MLP", x: np.ndarray, threads: int) -> np.ndarray:
    """Class probabilities ``(n, n_classes)`` of the rows of `x`."""
    out = np.empty((len(x), net.n_classes), net.dtype)
    _Forward(net, x, len(x), threads).run(predict_chunks, np.arange(len(x)), out)
    return out


def evaluate(net: "MLP", x: np.ndarray, y: np.ndarray, rows: np.ndarray | None, threads: int) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over `x` and `y`, or over some of their `rows`."""
    order = np.arange(len(x)) if rows is None else np.ascontiguousarray(rows)
    forward = _Forward(net, x, len(order), threads)
    costs, right = np.zeros(forward.chunks), np.zeros(forward.chunks, np.int64)
    forward.run(evaluate_chunks, order, y, costs, right)
    return float(costs.sum()) / len(order), int(right.sum()) / len(order)
