"""The matrix products, in LLVM IR: the loops over the register tiles of the output (`fastmlp.simd.tile`).

All matrices are panels (`fastmlp.kernels.panels`): ``[m][n]`` is stored as ``[n / lanes][m][lanes]``, and one panel
holds `lanes` columns. The strides ``a_panel``, ``b_panel``, ``out_panel`` are the elements from one panel to the next.

``rows`` form (forward, dx):  ``acc[i][lane] = Σ_k a[i][k] · b[k][lane]``, a and out by rows.
``columns`` form (dW):        ``acc[i][lane] = Σ_r a[r][i] · b[r][lane]``, a read by columns.

A ``listed`` product leaves terms out: the sums of a tile run over those that its list names. A list is `LIST` bytes,
the number of terms and then the terms, in order and at least one, counted from a multiple of `LISTED`.
"""

from dataclasses import replace
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastmlp.simd import ir
from fastmlp.simd.target import TILES
from fastmlp.simd.tile import (
    Builder,
    Epilogue,
    Form,
    Operands,
    Pairs,
    Swapped,
    Terms,
    bias,
    bias_relu,
    emit_tile,
    mask,
    scaled_add,
    scaled_bias,
    store,
)
from fastmlp.simd.vector import llvm_vector

LISTED = 128  # most terms of a list: their numbers fit a byte, and so many rows of two panels of weights fill 16 KB
SINGLE, SWAPPED, PAIRS = Terms(), Swapped(), Pairs()
LIST = LISTED + 8  # bytes of a list; its writer stores 8 terms at once, up to 7 behind the last one


def _rows_of_panels(
    builder: Builder,
    x: Operands,
    form: Form,
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
        position, across = builder.mul(row, ir.index(lanes)), ir.index(form.terms.width(lanes, form.by_rows))
        at_row = replace(
            at_panel,
            a=builder.gep(x.a, [builder.mul(row, across) if form.by_rows else row]),
            out=builder.gep(at_panel.out, [position]),
            operand=at_panel.operand if form.per_column else builder.gep(at_panel.operand, [position]),
        )
        if x.lists is not None:
            tile = builder.udiv(row, ir.index(height))
            at_row = replace(at_row, lists=builder.gep(x.lists, [builder.mul(tile, x.list_stride)]))
        emit_tile(builder, at_row, form, kind, lanes, height, vectors)


def _panel(
    builder: Builder, x: Operands, form: Form, first: Any, rows: Any, lanes: int, shape: tuple[int, int, int]
) -> None:
    """Emit all rows of the panels from `first` on, ``shape = (tall, vectors, halves)``."""
    tall, vectors, halves = shape
    kind = llvm.VectorType(x.out.type.pointee, lanes // halves)
    group = TILES.group if halves == 1 else tall
    tall_rows = builder.sub(rows, builder.srem(rows, ir.index(group)))
    for start, stop, height in ((ir.index(0), tall_rows, tall), (tall_rows, rows, TILES.short)):
        _rows_of_panels(builder, x, form, first, (start, stop), lanes, (kind, height, vectors))


def _all_panels(builder: Builder, x: Operands, form: Form, rows: Any, columns: Any, lanes: int) -> None:
    panels = builder.sdiv(builder.add(columns, ir.index(lanes - 1)), ir.index(lanes))
    wide = builder.sub(panels, builder.srem(panels, ir.index(TILES.vectors)))
    if TILES.half_tall:  # where half of the last panel would be padding, only the other half is computed
        wide = builder.sdiv(builder.add(columns, ir.index(lanes // 2 - 1)), ir.index(lanes))
    with cgutils.for_range_slice(builder, ir.index(0), wide, ir.index(TILES.vectors)) as (panel, _):
        _panel(builder, x, form, panel, rows, lanes, (TILES.tall, TILES.vectors, 1))
    with builder.if_then(builder.icmp_signed("<", wide, panels)):
        half = TILES.half_tall if form.by_rows else TILES.half_square
        last = (half, 1, 2) if half else (TILES.tall, 1, 1)
        _panel(builder, x, form, wide, rows, lanes, last)


def _listed_panels(builder: Builder, x: Operands, form: Form, rows: Any, columns: Any, lanes: int) -> None:
    """Emit tiles of few rows: the more rows, the fewer terms are zero in all of them."""
    height, vectors = TILES.listed
    kind = llvm.VectorType(x.out.type.pointee, lanes)
    panels = builder.sdiv(builder.add(columns, ir.index(lanes - 1)), ir.index(lanes))
    wide = builder.sub(panels, builder.srem(panels, ir.index(vectors)))
    for start, stop, width in ((ir.index(0), wide, vectors), (wide, panels, 1)):
        with cgutils.for_range_slice(builder, start, stop, ir.index(width)) as (panel, _):
            _rows_of_panels(builder, x, form, panel, (ir.index(0), rows), lanes, (kind, height, width))


def _all_terms(builder: Builder, x: Operands, form: Form, rows: Any, columns: Any, lanes: int) -> None:
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


def make_product(
    epilogue: Epilogue, *, by_rows: bool, per_column: bool = False, listed: bool = False, terms: Terms = SINGLE
) -> Any:
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
    terms : Terms
        How the terms of a sum lie in memory.

    Returns
    -------
    intrinsic
        ``product(a, b, out, operand, alpha, beta)`` of three matrices (`fastmlp.kernels.panels.Panels`), a pointer and
        two numbers. Rows of the output are computed in fours, up to 3 rows of padding with them; sums have at least one
        term. A listed product also takes a pointer to lists: of every tile of ``TILES.listed[0]`` rows a list for each
        `LISTED` terms.
    """
    form = Form(by_rows, epilogue, per_column, terms)

    def emit(target: Any, builder: Builder, signature: Any, arguments: Any) -> Any:
        a, b, out, operand, alpha, beta = arguments[:6]
        (a_start, a_panel, a_rows, a_columns), (b_start, b_panel, _, _), (out_start, out_panel, rows, columns) = (
            [builder.extract_value(matrix, field) for field in range(4)] for matrix in (a, b, out)
        )
        count = terms.count(builder, a_columns if by_rows else a_rows)
        operands = Operands(a_start, b_start, out_start, operand, count, a_panel, b_panel, out_panel, alpha, beta)
        if listed:
            parts = builder.udiv(builder.add(count, ir.index(LISTED - 1)), ir.index(LISTED))
            operands = replace(operands, lists=arguments[6], list_stride=builder.mul(parts, ir.index(LIST)))
        in_fours = builder.and_(builder.add(rows, ir.index(3)), ir.index(-4))
        _all_terms(builder, operands, form, in_fours, columns, llvm_vector(signature.args[3].dtype).count)
        return target.get_dummy_value()

    def signature(a: Any, b: Any, out: Any, *lists: Any) -> Any:
        start = out.types[0]
        return types.void(a, b, out, start, start.dtype, start.dtype, *lists)

    if listed:

        @intrinsic
        def listed_product(
            context: Any, a: Any, b: Any, out: Any, operand: Any, alpha: Any, beta: Any, lists: Any
        ) -> Any:
            return signature(a, b, out, lists), emit

        return listed_product

    @intrinsic
    def product(context: Any, a: Any, b: Any, out: Any, operand: Any, alpha: Any, beta: Any) -> Any:
        return signature(a, b, out), emit

    return product


forward = make_product(bias, by_rows=True, per_column=True)  # out = a·b + operand
forward_relu = make_product(bias_relu, by_rows=True, per_column=True)  # out = relu(a·b + operand)
backward = make_product(store, by_rows=True)  # out = a·b
backward_masked = make_product(mask, by_rows=True)  # out = a·b where operand > 0, else 0
update = make_product(scaled_add, by_rows=False)  # out = alpha · aᵀb + beta · out
forward_listed = make_product(bias, by_rows=True, per_column=True, listed=True)
forward_relu_listed = make_product(bias_relu, by_rows=True, per_column=True, listed=True)
update_listed = make_product(scaled_add, by_rows=False, listed=True)

# Products of bfloat16 numbers that are stored as float32 (`fastmlp.kernels.bfloat16`), summed in the order of the
# instruction VDPBF16PS; lists are in that order, too. The forward products are max(alpha · a·b + operand, beta).
forward_swapped = make_product(scaled_bias, by_rows=True, per_column=True, terms=SWAPPED)
forward_swapped_listed = make_product(scaled_bias, by_rows=True, per_column=True, listed=True)
backward_swapped = make_product(store, by_rows=True, terms=SWAPPED)
backward_swapped_masked = make_product(mask, by_rows=True, terms=SWAPPED)
update_swapped = make_product(scaled_add, by_rows=False, terms=SWAPPED)
# products by that instruction, of pairs of bfloat16
forward_pairs = make_product(scaled_bias, by_rows=True, per_column=True, terms=PAIRS)
backward_pairs = make_product(store, by_rows=True, terms=PAIRS)
backward_pairs_masked = make_product(mask, by_rows=True, terms=PAIRS)
update_pairs = make_product(scaled_add, by_rows=False, terms=PAIRS)
