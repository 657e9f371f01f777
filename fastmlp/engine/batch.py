"""A mini-batch as one thread of a team sees it, and where things are in the engine's memory."""

from typing import NamedTuple

from fastmlp.compilation.jit import borrowing, inlined
from fastmlp.engine.arguments import Layout, Member
from fastmlp.engine.plan import INV_STD, MEAN
from fastmlp.engine.workspace import Memory
from fastmlp.kernels.batchnorm import Normalisation
from fastmlp.kernels.panels import Panels, dense
from fastmlp.kernels.targets import Targets
from fastmlp.simd.kinds import Array, Pointer, Record
from fastmlp.simd.pointer import cast_address, offset, part_of, pointer
from fastmlp.simd.sizes import round_up
from fastmlp.simd.vector import lanes


class Batch(NamedTuple):
    """A mini-batch as one thread sees it.

    Attributes
    ----------
    settings, step : record
        `fastmlp.engine.settings.SETTINGS` and ``STEP``.
    layers, passes : numpy.ndarray
        Of `fastmlp.engine.plan.LAYER` and ``PASS``.
    tiles : numpy.ndarray
        As `fastmlp.engine.plan.deal_tiles` deals them out.
    parameters, copies, rows : pointer
        To the buffers that the plan lays out; where the products read the parameters, they are the copies, too.
    state : numpy.ndarray or None
        Of the update rule: buffers laid out as the parameters; plain SGD has none.
    statistics : pointer or None
        To the thread's own copy of the statistics; None where there is no batch norm.
    sums : pointer
        To the sums of the blocks for batch norm, in two halves.
    costs : pointer
        To the costs of the blocks.
    gradient_squares, weight_squares : pointer
        To the summed squares of each tile's gradients and weights.
    index : pointer
        To the numbers of the mini-batch's rows in the data.
    readable : int
        How many indices follow from there on.
    n : int
        Rows of the mini-batch.
    lists : pointer
        To the thread's own memory for lists of the terms that are not zero.
    """

    settings: Record
    step: Record
    layers: Array
    passes: Array
    tiles: Array
    parameters: Pointer
    copies: Pointer
    rows: Pointer
    state: Array
    statistics: Pointer
    sums: Pointer
    costs: Pointer
    gradient_squares: Pointer
    weight_squares: Pointer
    index: Pointer
    readable: int
    n: int
    lists: Pointer


class Part(NamedTuple):
    """Which rows a mini-batch has, and which part of the memory.

    Attributes
    ----------
    step : record
        Of `fastmlp.engine.settings.STEP`.
    order : numpy.ndarray
        Numbers of rows in the data, int64.
    start, n : int
        Where those of the mini-batch begin in `order`, and how many there are.
    number, parts : int
        The part of the memory, and how many there are.
    """

    step: Record
    order: Array
    start: int
    n: int
    number: int
    parts: int


@inlined
def batch_of(layout: Layout, memory: Memory, member: Member, part: Part) -> Batch:
    """Return a mini-batch as a thread sees it."""
    settings, number, parts = layout.settings[0], part.number, part.parts
    return Batch(
        settings=settings,
        step=part.step,
        layers=layout.layers,
        passes=layout.passes,
        tiles=layout.tiles,
        parameters=pointer(memory.parameters, 0),
        copies=pointer(memory.copies, 0),
        rows=part_of(memory.rows, number, parts),
        state=memory.state,
        statistics=part_of(memory.statistics, member.thread * parts + number, settings.threads * parts),
        sums=part_of(memory.sums, number, parts),
        costs=part_of(memory.costs, number, parts),
        gradient_squares=pointer(memory.gradient_squares, 0),
        weight_squares=pointer(memory.weight_squares, 0),
        index=pointer(part.order, part.start),
        readable=part.order.size - part.start,
        n=part.n,
        lists=part_of(memory.lists, member.thread, settings.threads),
    )


@borrowing
def region_rows(b: Batch, region: int, first: int, count: int, columns: int) -> Panels:
    """Return some rows of a region of the buffer of rows."""
    start = offset(b.rows, region + first * lanes(b.rows))
    return Panels(start=start, stride=b.settings.stride, rows=count, columns=columns)


@borrowing
def operand_rows(b: Batch, region: int, first: int, count: int, columns: int) -> Panels:
    """Return some rows of a region that the products read; a copy of 16 bits a number takes half the elements."""
    packed = b.settings.packed
    start = offset(b.rows, region + (first * lanes(b.rows) >> packed))
    return Panels(start=start, stride=b.settings.stride >> packed, rows=count, columns=columns)


@borrowing
def operand_weights(copies: Pointer, place: int, rows: int, columns: int, packed: int) -> Panels:
    """Return a layer's weights or their transpose as the products read them."""
    start, width = offset(copies, place), lanes(copies)
    return Panels(start=start, stride=round_up(rows, width) * width >> packed, rows=rows, columns=columns)


@borrowing
def region_at(b: Batch, region: int, first: int) -> Pointer:
    """Return where a row of a region starts."""
    return offset(b.rows, region + first * lanes(b.rows))


@borrowing
def weights_in(buffer: Pointer, layer: Record) -> Panels:
    """Return a layer's weights in a buffer that is laid out as the parameters."""
    return dense(offset(buffer, layer.weight), layer.n_in, layer.n_out)


@borrowing
def statistic(b: Batch, layer: Record, which: int) -> Pointer:
    """Return a vector of a layer's statistics."""
    return offset(b.statistics, layer.statistics + which * round_up(layer.n_out, lanes(b.statistics)))


@borrowing
def normalisation(b: Batch, layer: Record) -> Normalisation:
    """Return what a layer is normalised with."""
    return Normalisation(
        mean=statistic(b, layer, MEAN),
        inv_std=statistic(b, layer, INV_STD),
        gamma=offset(b.parameters, layer.gamma),
        beta=offset(b.parameters, layer.beta),
    )


@borrowing
def targets_at(settings: Record, index: Pointer) -> Targets:
    """Return the targets of the rows whose numbers `index` points to."""
    weights = cast_address(settings.at.weights, 1.0)
    return Targets(values=settings.at.targets, weights=weights, stride=settings.weight_stride, index=index)
