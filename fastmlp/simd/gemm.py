"""The matrix products, in LLVM IR: register tiles of the output and the loops over them.

All matrices are panels: ``[m][n]`` is stored as ``[n / lanes][m][lanes]``, one panel holds `lanes` columns. The strides
``a_panel``, ``b_panel``, ``c_panel`` are the elements from one panel to the next. Every lane sums in the order of the
contraction by fused multiply-adds, so the bits depend neither on the tile's shape nor on the CPU.

``rows`` form (forward, dx):  ``acc[i][lane] = Σ_k a[i][k] · b[k][lane]``, a and c by rows.
``columns`` form (dW):        ``acc[i][lane] = Σ_r a[r][i] · b[r][lane]``, a read by columns.

A ``listed`` product leaves terms out: the sums of a tile run over those that its list names. A list is `LIST` bytes,
the number of terms and then the terms, in order and at least one, counted from a multiple of `LISTED`.

An epilogue turns the accumulators into the output while they are in registers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastmlp.simd import ir
from fastmlp.simd.target import TILES
from fastmlp.simd.vector import llvm_vector

LISTED = 128  # most terms of a list, so that they are bytes; of so many rows of weights two panels fill 16 KB
LIST = LISTED + 8  # whoever writes it writes 8 terms at once

Builder: TypeAlias = llvm.IRBuilder


@dataclass(frozen=True)
class _Operands:
    """Addresses and strides of a product, as LLVM values."""

    a: Any
    b: Any
    out: Any
    operand: Any
    count: Any
    a_panel: Any
    b_panel: Any
    out_panel: Any
    alpha: Any
    beta: Any
    begun: Any = None  # whether the output holds the sums of earlier terms; None where all terms are here
    unfinished: Any = None  # whether more terms follow
    lists: Any = None  # of the tiles; None where all terms count
    list_stride: Any = None  # bytes from one tile's lists to the next one's


@dataclass(frozen=True)
class _Form:
    """Which product: how it reads ``a``, what it does with the sums, and how the epilogue's operand is laid out."""

    by_rows: bool
    epilogue: "Epilogue"
    per_column: bool  # the operand is one vector for each panel (a bias) and not laid out as the output


Epilogue = Callable[[Builder, Any, Any, Any, _Operands], Any]  # builder, sum, address in out, address in operand


def _store(builder: Builder, value: Any, out: Any, operand: Any, all_: _Operands) -> Any:
    return value


def _bias(builder: Builder, value: Any, out: Any, operand: Any, all_: _Operands) -> Any:
    return builder.fadd(value, ir.load(builder, operand, value.type))


def _bias_relu(builder: Builder, value: Any, out: Any, operand: Any, all_: _Operands) -> Any:
    return ir.relu(builder, builder.fadd(value, ir.load(builder, operand, value.type)))


def _mask(builder: Builder, value: Any, out: Any, operand: Any, all_: _Operands) -> Any:
    return ir.where_positive(builder, ir.load(builder, operand, value.type), value)


def _scaled_add(builder: Builder, value: Any, out: Any, operand: Any, all_: _Operands) -> Any:
    kept = builder.fmul(ir.splat(builder, all_.beta, value.type), ir.load(builder, out, value.type))
    return ir.fma(builder, ir.splat(builder, all_.alpha, value.type), value, kept)


def _places(builder: Builder, x: _Operands, lanes: int, height: int, vectors: int) -> list[Any]:
    """Where the vectors of a tile lie in the output, row by row."""
    panels = [builder.mul(x.out_panel, ir.index(j)) for j in range(vectors)]
    return [builder.add(panel, ir.index(i * lanes)) for i in range(height) for panel in panels]


def _contract(builder: Builder, x: _Operands, by_rows: bool, kind: Any, lanes: int, height: int, vectors: int) -> Any:
    """Emit the sums of one tile; return the accumulators, row by row."""

    def turn(a: Any, columns: list[Any], sums: list[Any]) -> list[Any]:
        values = [ir.load(builder, column, kind) for column in columns]
        results = []
        for i in range(height):
            element = builder.load(builder.gep(a, [ir.index(i * (lanes if by_rows else 1))]))
            factor = ir.splat(builder, element, kind)
            results += [ir.fma(builder, factor, values[j], sums[i * vectors + j]) for j in range(vectors)]
        return results

    panels = [builder.gep(x.b, [builder.mul(x.b_panel, ir.index(j))]) for j in range(vectors)]
    starts = [ir.constant(kind, 0.0)] * (height * vectors)
    if x.begun is not None:
        places = [builder.gep(x.out, [place]) for place in _places(builder, x, lanes, height, vectors)]
        starts = ir.where_begun(builder, x.begun, places, starts)
    width = ir.index(lanes)

    def row(r: Any, sums: list[Any]) -> list[Any]:
        step = builder.mul(r, width)
        return turn(builder.gep(x.a, [step]), [builder.gep(panel, [step]) for panel in panels], sums)

    def listed(position: Any, sums: list[Any]) -> list[Any]:
        at = builder.gep(x.lists, [builder.add(position, ir.index(1))])
        term = builder.zext(builder.load(at), ir.INDEX)
        if not by_rows:
            return row(term, sums)
        a_panel = builder.mul(builder.udiv(term, width), x.a_panel)
        a = builder.gep(x.a, [builder.add(a_panel, builder.urem(term, width))])
        return turn(a, [builder.gep(panel, [builder.mul(term, width)]) for panel in panels], sums)

    if x.lists is not None:
        return ir.loop(builder, builder.zext(builder.load(x.lists), ir.INDEX), starts, listed)
    if not by_rows:
        return ir.loop(builder, x.count, starts, row)

    def panel_of_a(o: Any, sums: list[Any]) -> list[Any]:
        a = builder.gep(x.a, [builder.mul(o, x.a_panel)])
        done = builder.mul(o, width)
        rest = builder.sub(x.count, done)
        here = builder.select(builder.icmp_signed("<", rest, width), rest, width)
        rows = [builder.gep(panel, [builder.mul(done, width)]) for panel in panels]

        def column(k: Any, sums: list[Any]) -> list[Any]:
            step = builder.mul(k, width)
            return turn(builder.gep(a, [k]), [builder.gep(row, [step]) for row in rows], sums)

        return ir.loop(builder, here, sums, column)

    whole = builder.sdiv(builder.add(x.count, ir.index(lanes - 1)), width)
    return ir.loop(builder, whole, starts, panel_of_a)


def _tile(builder: Builder, x: _Operands, form: _Form, kind: Any, lanes: int, height: int, vectors: int) -> None:
    """Emit one tile of the output, at the start of `x`'s addresses."""
    sums = _contract(builder, x, form.by_rows, kind, lanes, height, vectors)

    def write(epilogue: Epilogue) -> None:
        for i, place in enumerate(_places(builder, x, lanes, height, vectors)):
            out = builder.gep(x.out, [place])
            operand = builder.gep(x.operand, [ir.index(i % vectors * lanes) if form.per_column else place])
            ir.store(builder, epilogue(builder, sums[i], out, operand, x), out)

    if x.unfinished is None:
        write(form.epilogue)
        return
    with builder.if_else(x.unfinished) as (unfinished, finished):
        with unfinished:
            write(_store)
        with finished:
            write(form.epilogue)


def _rows_of_panels(
    builder: Builder,
    x: _Operands,
    form: _Form,
    first: Any,
    rows: tuple[Any, Any],
    lanes: int,
    shape: tuple[Any, int, int],
) -> None:
    """Emit the tiles of some rows of the panels from `first` on, ``shape = (type of a vector, height, vectors)``."""
    kind, height, vectors = shape
    out_start = builder.mul(first, x.out_panel)
    operand_start = builder.mul(first, ir.index(lanes)) if form.per_column else out_start
    at_panel = replace(
        x,
        b=builder.gep(x.b, [builder.mul(first, x.b_panel)]),
        out=builder.gep(x.out, [out_start]),
        operand=builder.gep(x.operand, [operand_start]),
    )
    with cgutils.for_range_slice(builder, *rows, ir.index(height)) as (row, _):
        position = builder.mul(row, ir.index(lanes))
        at_row = replace(
            at_panel,
            a=builder.gep(x.a, [position if form.by_rows else row]),
            out=builder.gep(at_panel.out, [position]),
            operand=at_panel.operand if form.per_column else builder.gep(at_panel.operand, [position]),
        )
        if x.lists is not None:
            tile = builder.udiv(row, ir.index(height))
            at_row = replace(at_row, lists=builder.gep(x.lists, [builder.mul(tile, x.list_stride)]))
        _tile(builder, at_row, form, kind, lanes, height, vectors)


def _panel(
    builder: Builder, x: _Operands, form: _Form, first: Any, rows: Any, lanes: int, shape: tuple[int, int, int]
) -> None:
    """Emit all rows of the panels from `first` on, ``shape = (tall, vectors, halves)``."""
    tall, vectors, halves = shape
    kind = llvm.VectorType(x.a.type.pointee, lanes // halves)
    group = TILES.group if halves == 1 else tall
    tall_rows = builder.sub(rows, builder.srem(rows, ir.index(group)))
    for start, stop, height in ((ir.index(0), tall_rows, tall), (tall_rows, rows, TILES.short)):
        _rows_of_panels(builder, x, form, first, (start, stop), lanes, (kind, height, vectors))


def _all_panels(builder: Builder, x: _Operands, form: _Form, rows: Any, columns: Any, lanes: int) -> None:
    panels = builder.sdiv(builder.add(columns, ir.index(lanes - 1)), ir.index(lanes))
    wide = builder.sub(panels, builder.srem(panels, ir.index(TILES.vectors)))
    if TILES.half_tall:  # the last panel is done by halves where the other half would be padding
        wide = builder.sdiv(builder.add(columns, ir.index(lanes // 2 - 1)), ir.index(lanes))
    with cgutils.for_range_slice(builder, ir.index(0), wide, ir.index(TILES.vectors)) as (panel, _):
        _panel(builder, x, form, panel, rows, lanes, (TILES.tall, TILES.vectors, 1))
    with builder.if_then(builder.icmp_signed("<", wide, panels)):
        half = TILES.half_tall if form.by_rows else TILES.half_square
        last = (half, 1, 2) if half else (TILES.tall, 1, 1)
        _panel(builder, x, form, wide, rows, lanes, last)


def _listed_panels(builder: Builder, x: _Operands, form: _Form, rows: Any, columns: Any, lanes: int) -> None:
    """Emit tiles of few rows: the more rows, the fewer terms are zero in all of them."""
    height, vectors = TILES.listed
    kind = llvm.VectorType(x.a.type.pointee, lanes)
    panels = builder.sdiv(builder.add(columns, ir.index(lanes - 1)), ir.index(lanes))
    wide = builder.sub(panels, builder.srem(panels, ir.index(vectors)))
    for start, stop, width in ((ir.index(0), wide, vectors), (wide, panels, 1)):
        with cgutils.for_range_slice(builder, start, stop, ir.index(width)) as (panel, _):
            _rows_of_panels(builder, x, form, panel, (ir.index(0), rows), lanes, (kind, height, width))


def _all_terms(builder: Builder, x: _Operands, form: _Form, rows: Any, columns: Any, lanes: int) -> None:
    """Emit the panels, for so many terms at a time as stay in the caches where that is what they need."""
    depth, emit = (TILES.depth, _all_panels) if x.lists is None else (LISTED, _listed_panels)
    if not form.by_rows or depth is None:
        emit(builder, x, form, rows, columns, lanes)
        return
    with cgutils.for_range_slice(builder, ir.index(0), x.count, ir.index(depth)) as (done, _):
        rest = builder.sub(x.count, done)
        unfinished = builder.icmp_signed("<", ir.index(depth), rest)
        some = replace(
            x,
            a=builder.gep(x.a, [builder.mul(builder.sdiv(done, ir.index(lanes)), x.a_panel)]),
            b=builder.gep(x.b, [builder.mul(done, ir.index(lanes))]),
            count=builder.select(unfinished, ir.index(depth), rest),
            begun=builder.icmp_signed("<", ir.index(0), done),
            unfinished=unfinished,
        )
        if x.lists is not None:
            before = builder.mul(builder.udiv(done, ir.index(LISTED)), ir.index(LIST))
            some = replace(some, lists=builder.gep(x.lists, [before]))
        emit(builder, some, form, rows, columns, lanes)


def make_product(epilogue: Epilogue, *, by_rows: bool, per_column: bool = False, listed: bool = False) -> Any:
    """Make a matrix product.

    Parameters
    ----------
    epilogue : callable
        From accumulator to output.
    by_rows : bool
        The ``rows`` or the ``columns`` form; the latter takes at most `lanes` rows, one panel of ``a``.
    per_column : bool
        The epilogue's operand is one vector for each panel (a bias) and not laid out as the output.
    listed : bool
        Sums run over the terms of lists; in the ``columns`` form there are at most `LISTED` terms.

    Returns
    -------
    intrinsic
        ``product(a, b, out, operand, rows, columns, count, a_panel, b_panel, out_panel, alpha, beta)``: `rows`, a
        multiple of 4, by `columns` of the output, `count` (at least 1) terms in each sum. A listed product takes two
        more: a pointer to the `lists` of the tiles, ``TILES.listed[0]`` rows each, and the bytes from one tile's lists
        to the next one's; in the ``rows`` form a tile has a list for each `LISTED` terms.
    """
    form = _Form(by_rows, epilogue, per_column)

    def emit(target: Any, builder: Builder, signature: Any, arguments: Any) -> Any:
        addresses, (row_count, column_count), rest = arguments[:4], arguments[4:6], arguments[6:12]
        lanes = llvm_vector(signature.args[0].dtype).count
        operands = _Operands(*addresses, *rest)
        if listed:
            operands = replace(operands, lists=arguments[12], list_stride=arguments[13])
        _all_terms(builder, operands, form, row_count, column_count, lanes)
        return target.get_dummy_value()

    def signature(a: Any, *lists: Any) -> Any:
        return types.void(a, a, a, a, *(types.intp,) * 6, a.dtype, a.dtype, *lists)

    if listed:

        @intrinsic
        def listed_product(
            context: Any,
            a: Any,
            b: Any,
            out: Any,
            operand: Any,
            rows: Any,
            columns: Any,
            count: Any,
            a_panel: Any,
            b_panel: Any,
            out_panel: Any,
            alpha: Any,
            beta: Any,
            lists: Any,
            stride: Any,
        ) -> Any:
            return signature(a, lists, types.intp), emit

        return listed_product

    @intrinsic
    def product(
        context: Any,
        a: Any,
        b: Any,
        out: Any,
        operand: Any,
        rows: Any,
        columns: Any,
        count: Any,
        a_panel: Any,
        b_panel: Any,
        out_panel: Any,
        alpha: Any,
        beta: Any,
    ) -> Any:
        return signature(a), emit

    return product


forward = make_product(_bias, by_rows=True, per_column=True)  # out = a·b + operand
forward_relu = make_product(_bias_relu, by_rows=True, per_column=True)  # out = relu(a·b + operand)
backward = make_product(_store, by_rows=True)  # out = a·b
backward_masked = make_product(_mask, by_rows=True)  # out = a·b where operand > 0, else 0
update = make_product(_scaled_add, by_rows=False)  # out = alpha · aᵀb + beta · out
forward_listed = make_product(_bias, by_rows=True, per_column=True, listed=True)
forward_relu_listed = make_product(_bias_relu, by_rows=True, per_column=True, listed=True)
update_listed = make_product(_scaled_add, by_rows=False, listed=True)
