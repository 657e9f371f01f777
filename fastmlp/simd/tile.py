"""A register tile of a matrix product, in LLVM IR: its sums, and the epilogue that turns them into the output.

Every lane sums in the order of the contraction by fused multiply-adds, so the bits depend neither on the tile's shape
nor on the CPU. `fastmlp.simd.gemm` says how the matrices lie in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from llvmlite import ir as llvm

from fastmlp.simd import ir

Builder: TypeAlias = llvm.IRBuilder


@dataclass(frozen=True)
class Operands:
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
class Form:
    """Which product: how it reads ``a``, what it does with the sums, and how the epilogue's operand is laid out."""

    by_rows: bool
    epilogue: "Epilogue"
    per_column: bool  # the operand is one vector for each panel (a bias) and not laid out as the output


Epilogue = Callable[[Builder, Any, Any, Any, Operands], Any]  # builder, sum, address in out, address in operand


def store(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return value


def bias(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return builder.fadd(value, ir.load(builder, operand, value.type))


def bias_relu(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return ir.relu(builder, builder.fadd(value, ir.load(builder, operand, value.type)))


def mask(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return ir.where_positive(builder, ir.load(builder, operand, value.type), value)


def scaled_add(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    kept = builder.fmul(ir.splat(builder, all_.beta, value.type), ir.load(builder, out, value.type))
    return ir.fma(builder, ir.splat(builder, all_.alpha, value.type), value, kept)


def _places(builder: Builder, x: Operands, lanes: int, height: int, vectors: int) -> list[Any]:
    """Where the vectors of a tile lie in the output, row by row."""
    panels = [builder.mul(x.out_panel, ir.index(j)) for j in range(vectors)]
    return [builder.add(panel, ir.index(i * lanes)) for i in range(height) for panel in panels]


def _contract(builder: Builder, x: Operands, by_rows: bool, kind: Any, lanes: int, height: int, vectors: int) -> Any:
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


def emit_tile(builder: Builder, x: Operands, form: Form, kind: Any, lanes: int, height: int, vectors: int) -> None:
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
            write(store)
        with finished:
            write(form.epilogue)
