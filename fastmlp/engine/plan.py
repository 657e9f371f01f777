"""Who does what: shapes, offsets and the split of the work, made from shapes alone.

Rows of the mini-batch are dealt out in blocks, parameters in tiles. Partial sums (the cost, the statistics of batch
norm) belong to blocks and are combined in block order, and a tile sums over all rows in order; so neither depends on
the number of threads.
"""

import functools
from dataclasses import dataclass

import numpy as np

from fastmlp.kernels.bfloat16 import PACKED, PLAIN
from fastmlp.kernels.dropout import threshold_of
from fastmlp.kernels.tiles import TILE_PANELS
from fastmlp.network import Architecture
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import VECTOR_BYTES

PLANS = 32  # plans that are remembered; to make the one of 784-20-7-5-10 takes 0.2 ms, a hundredth of an epoch
FLOAT32_LANES = VECTOR_BYTES // 4
ROWS_UNIT = 8  # rows of the smallest block
MOST_NORM_BLOCKS = 64  # every thread merges the batch norm statistics of all blocks, which takes about 1 % of a step
CHUNK_ROWS = 96  # rows that go through all layers together: their activations stay in a 512 KB cache for 512 features

PARALLEL_FLOP = 1e6  # of a step; in a smaller one, the barriers cost more than a second thread saves
# Products by the instruction for bfloat16 take half as long, but threads wait for each other's lines as often:
# 784-20-7-5-10 at batch 32, 3 MFLOP, takes 27 µs on one thread and 29 on two (Zen 4).
PACKED_PARALLEL_FLOP = 4e6
EPOCH_FLOP = 1e8  # of an epoch in float32, about a millisecond; in a shorter one, a second thread wakes too late

FUSED = ("relu", "identity")  # activations that the matrix products compute; others are called by address
NORM_NONE, NORM_AFTER_RELU, NORM_BEFORE_RELU = 0, 1, 2

# Kinds of passes over the rows. WHOLE: forward through all layers and back. FORWARD: up to a layer. BACKWARD: back
# from a normalised layer.
WHOLE, FORWARD, BACKWARD = 0, 1, 2
# The memory for the sums of blocks has two halves. A pass writes its sums into its `half` and reads those of the pass
# before from the other one.
PASS = np.dtype([(name, np.int64) for name in ("kind", "layer", "half")])

# statistics of a layer, of which each thread has a copy; each is as long as the padded layer
STATISTICS = MEAN, INV_STD, VAR, DGAMMA, DBETA = 0, 1, 2, 3, 4

# Where the products read their operands. In the buffer of rows: the input of the layer and the gradient of its output,
# each by rows and by pairs of rows. In the buffer of copies: the weights and their transpose.
_OPERANDS = ("input_rows", "input_pairs", "dz_rows", "dz_pairs", "weight_copy", "transposed_copy")
# Addresses of the functions that compute the layer's products; 0 where the products are compiled into the step.
_ADDRESSES = ("forward", "backward", "update")
_OFFSETS = ("weight", "transposed", "bias", "gamma", "beta", "running_mean", "running_var")
_ROWS = ("input", "pre", "out", "slope", "dz")
# A linear layer and what follows it. Offsets count elements: of the parameter buffer, of the buffer of rows, or of a
# thread's statistics. `tiles` is the number of the layer's tiles, `first_tile` that of all layers before it,
# `threshold` that of dropout (`fastmlp.kernels.dropout`). `weight_rate` and `bias_rate` multiply the learning rate.
# `factors` are those of the inputs, -1 where a layer has none, and `scaled` the weights with the factors in them, which
# the products read; without factors, these are the weights themselves.
_OTHERS = ("statistics", "tiles", "first_tile", "threshold")
_INTEGERS = ("n_in", "n_out", *_OFFSETS, "factors", "scaled", *_ROWS, *_OPERANDS, *_OTHERS, *_ADDRESSES)
RATES = ("weight_rate", "bias_rate")
LAYER = np.dtype([(name, np.int64) for name in _INTEGERS] + [(name, np.float64) for name in RATES])


@dataclass(frozen=True, eq=False)
class Plan:
    """The layout of one network at one batch size.

    Attributes
    ----------
    layers : numpy.ndarray of LAYER
        In order.
    lanes : int
        Elements of a vector, the width of a panel.
    batch : int
        Rows of a full mini-batch.
    block : int
        Rows of a block.
    stride : int
        Elements from one panel of rows to the next.
    passes : numpy.ndarray of PASS
        How often, and for what, the rows of a mini-batch are passed over before the parameters can be updated.
    norm : int
        One of the ``NORM_`` constants.
    operands : int
        What the products read: one of ``PLAIN``, ``ROUNDED``, ``PACKED`` of `fastmlp.kernels.bfloat16`.
    n_parameters, n_copies, n_rows, n_statistics : int
        Sizes of the buffers, in elements; no copies where the products read the parameters themselves.
    n_gradient : int
        Elements of the parameters without the transposed and scaled weights, which lie behind all others.
    widest : int
        Elements of the widest layer, padded.
    """

    layers: np.ndarray
    lanes: int
    batch: int
    block: int
    stride: int
    passes: np.ndarray
    norm: int
    operands: int
    n_parameters: int
    n_copies: int
    n_rows: int
    n_statistics: int
    n_gradient: int
    widest: int

    @property
    def flop_of_row(self) -> int:
        """Floating point operations of a row's part in a training step: three products for each layer."""
        return 6 * sum(int(layer["n_in"]) * int(layer["n_out"]) for layer in self.layers)

    @property
    def n_tiles(self) -> int:
        """Tiles of all layers."""
        return int(self.layers["tiles"].sum())

    @property
    def blocks(self) -> int:
        """Blocks of a full mini-batch."""
        return ceil_divide(self.batch, self.block)


class _Allocator:
    """Hands out offsets, each on a cache line of its own."""

    def __init__(self, lanes: int) -> None:
        self.size, self.lanes = 0, lanes

    def take(self, elements: int) -> int:
        start = self.size
        self.size += round_up(elements, self.lanes)
        return start


def make_passes(n_layers: int, norm: int) -> np.ndarray:
    """Return the passes over the rows: a single one, or with batch norm one more for each statistic of the batch."""
    passes = [(WHOLE, 0)]
    if norm != NORM_NONE:
        passes = [(FORWARD, i) for i in range(n_layers)] + [(BACKWARD, i) for i in reversed(range(n_layers - 1))]
    return np.array([(kind, layer, number % 2) for number, (kind, layer) in enumerate(passes)], PASS)


def _place_operands(
    layer: np.void,
    operands: int,
    stride: int,
    rows: _Allocator,
    copies: _Allocator,
    *,
    transposed: bool,
    training: bool,
) -> None:
    """Write into the layer where its products read their operands."""
    lanes = rows.lanes
    inputs, outputs = ceil_divide(int(layer["n_in"]), lanes), ceil_divide(int(layer["n_out"]), lanes)
    layer["input_rows"] = layer["input_pairs"] = layer["input"]
    layer["dz_rows"] = layer["dz_pairs"] = layer["dz"]
    layer["weight_copy"], layer["transposed_copy"] = layer["scaled"], layer["transposed"]
    if operands == PLAIN:
        return
    half = 2 if operands == PACKED else 1  # a copy of 16 bits a number takes half the elements
    squares = inputs * outputs * lanes * lanes // half
    layer["weight_copy"] = copies.take(squares)
    layer["transposed_copy"] = copies.take(squares) if transposed else -1
    if operands == PACKED:
        for name, panels in (("input", inputs), ("dz", outputs)) if training else (("input", inputs),):
            layer[f"{name}_rows"], layer[f"{name}_pairs"] = (rows.take(stride * panels // 2) for _ in range(2))


@functools.lru_cache(maxsize=PLANS)
def make_plan(architecture: Architecture, batch: int, *, training: bool = True, operands: int = PLAIN) -> Plan:
    """Lay out the buffers for mini-batches of `batch` rows; without `training` only what the forward pass needs.

    A prediction has batch norm and the factors of the inputs folded into the weights. Where the `operands` of the
    products are copies, these have room of their own.
    """
    widths, dropout = architecture.widths, architecture.dropout
    lanes = VECTOR_BYTES // architecture.dtype.itemsize
    norm = NORM_NONE
    if training and architecture.batch_norm is not None:
        norm = NORM_AFTER_RELU if architecture.batch_norm.placement == "after_relu" else NORM_BEFORE_RELU
    factors = training and architecture.input_factors
    slopes = not training or architecture.activation not in FUSED  # hidden layers have room for the derivatives
    block = (
        ROWS_UNIT if norm == NORM_NONE else max(ROWS_UNIT, round_up(ceil_divide(batch, MOST_NORM_BLOCKS), ROWS_UNIT))
    )
    # An odd number of cache lines puts panels into different cache sets. A line holds two rows of a copy of 16 bits.
    stride = (round_up(batch, 4) + (2 if operands == PACKED else 1)) * lanes
    layers = np.zeros(len(widths) - 1, LAYER)
    for name in RATES:
        layers[name] = 1
    parameters, copies, rows, statistics = (_Allocator(lanes) for _ in range(4))
    before = rows.take(stride * (ceil_divide(widths[0], lanes)))
    for i, layer in enumerate(layers):
        n_in, n_out = widths[i], widths[i + 1]
        padded = round_up(n_out, lanes)
        hidden_norm = norm != NORM_NONE and i < len(layers) - 1
        layer["n_in"], layer["n_out"], layer["input"] = n_in, n_out, before
        layer["weight"] = parameters.take(round_up(n_in, lanes) * padded)
        layer["bias"] = parameters.take(padded)
        for name in _OFFSETS[3:]:
            layer[name] = parameters.take(padded) if hidden_norm else -1
        layer["factors"] = parameters.take(n_in) if factors and i == 0 else -1
        layer["out"] = before = rows.take(stride * (padded // lanes))
        layer["pre"] = rows.take(stride * (padded // lanes)) if hidden_norm else before
        # at prediction, the function of the last layer writes its slope as well
        last = i == len(layers) - 1 and training
        layer["slope"] = rows.take(stride * (padded // lanes)) if slopes and not last else before
        layer["dz"] = rows.take(stride * (padded // lanes)) if i < len(layers) - 1 and training else before
        layer["statistics"] = statistics.take(len(STATISTICS) * padded) if hidden_norm else -1
        layer["tiles"] = ceil_divide(n_in, lanes) * ceil_divide(n_out, lanes * TILE_PANELS)
        layer["first_tile"] = layers[:i]["tiles"].sum()
        layer["threshold"] = threshold_of(dropout[i]) if training and i < len(dropout) else 0
    n_gradient = parameters.size
    for i, layer in enumerate(layers):
        transposed = i > 0 and training
        own = transposed and operands == PLAIN
        squares = round_up(int(layer["n_in"]), lanes) * round_up(int(layer["n_out"]), lanes)
        layer["transposed"] = parameters.take(squares) if own else -1
        layer["scaled"] = parameters.take(squares) if factors and i == 0 else layer["weight"]
        _place_operands(layer, operands, stride, rows, copies, transposed=transposed, training=training)
    return Plan(
        layers,
        lanes,
        batch,
        block,
        stride,
        make_passes(len(layers), norm),
        norm,
        operands,
        parameters.size,
        copies.size,
        rows.size,
        statistics.size,
        n_gradient,
        round_up(max(widths), lanes),
    )


@functools.lru_cache(maxsize=PLANS)
def deal_tiles(plan: Plan, threads: int) -> np.ndarray:
    """Deal out the tiles: ``[thread, layer] = (first, last)``, an equal share of every layer for each thread.

    A tile is one panel of a layer's inputs by `TILE_PANELS` panels of its outputs (`fastmlp.kernels.tiles.tile_at`).
    Where the number of tiles is no multiple of the threads, those with the least work so far take one more.
    """
    dealt = np.zeros((threads, len(plan.layers), 2), np.int64)
    work = np.zeros(threads)
    for i, layer in enumerate(plan.layers):
        count, n_out = int(layer["tiles"]), int(layer["n_out"])
        share = np.full(threads, count // threads)
        share[np.argsort(work, kind="stable")[: count % threads]] += 1
        dealt[:, i, 1] = np.cumsum(share)
        dealt[:, i, 0] = dealt[:, i, 1] - share
        work += share * min(n_out, plan.lanes * TILE_PANELS)
    return dealt


def is_short(plan: Plan, rows: int) -> bool:
    """Whether the caller's thread is done with so many rows before another thread has woken."""
    return rows * plan.flop_of_row * FLOAT32_LANES < EPOCH_FLOP * plan.lanes


def useful_threads(plan: Plan, threads: int, rows: int, shards: int = 1) -> int:
    """Return how many of `threads` threads make training on so many rows faster; the bits are the same with any.

    A step is one mini-batch, or several shards of that size.
    """
    least = PACKED_PARALLEL_FLOP if plan.operands == PACKED else PARALLEL_FLOP
    return 1 if shards * plan.batch * plan.flop_of_row < least or is_short(plan, rows) else threads
