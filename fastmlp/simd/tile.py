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
Turn: TypeAlias = Callable[[Any, list[Any]], list[Any]]  # number of a term, sums -> sums with it


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


def _half(builder: Builder, count: Any) -> Any:
    return builder.lshr(builder.add(count, ir.index(1)), ir.index(1))


class Terms:
    """How the terms of a sum lie in memory, and how one is added: one number a term, in their order."""

    def width(self, lanes: int, by_rows: bool) -> int:
        """Return the elements of a row of a panel of ``a``."""
        return lanes

    def count(self, builder: Builder, numbers: Any) -> Any:
        """Return how many terms so many numbers make."""
        return numbers

    def factor(self, builder: Builder, address: Any, kind: Any) -> Any:
        """Return an element of ``a`` in every lane."""
        return ir.splat(builder, builder.load(address), kind)

    def values(self, builder: Builder, address: Any, kind: Any) -> Any:
        """Return a vector of elements of ``b``."""
        return ir.load(builder, address, kind)

    def add(self, builder: Builder, factor: Any, values: Any, total: Any) -> Any:
        """Return the sums with one more term."""
        return ir.fma(builder, factor, values, total)

    def loop(self, builder: Builder, count: Any, starts: list[Any], body: Turn, *, unrolled: bool) -> list[Any]:
        """Call ``body(number of a term, sums)`` for all terms in their order; return the last sums."""
        return ir.loop(builder, count, starts, body, unrolled=unrolled)


class Swapped(Terms):
    """One number a term, of every two the second one first; behind an odd number of terms lies a term of zeros."""

    def loop(self, builder: Builder, count: Any, starts: list[Any], body: Turn, *, unrolled: bool) -> list[Any]:
        """Call ``body`` for two terms a turn."""

        def pair(number: Any, sums: list[Any]) -> list[Any]:
            even = builder.shl(number, ir.index(1))
            return body(even, body(builder.add(even, ir.index(1)), sums))

        return ir.loop(builder, _half(builder, count), starts, pair, unrolled=unrolled)


class Pairs(Terms):
    """Two bfloat16 a term, in 32 bits; VDPBF16PS adds the product of the second ones first, then of the first ones."""

    def width(self, lanes: int, by_rows: bool) -> int:
        """By rows, two columns lie in an element; by columns, two rows."""
        return lanes // 2 if by_rows else lanes

    def count(self, builder: Builder, numbers: Any) -> Any:
        """An odd number has a zero behind it."""
        return _half(builder, numbers)

    def factor(self, builder: Builder, address: Any, kind: Any) -> Any:
        """A pair of ``a`` in every lane."""
        return ir.splat(builder, builder.load(address), ir.words(kind))

    def values(self, builder: Builder, address: Any, kind: Any) -> Any:
        """A vector of pairs of ``b``."""
        return ir.load(builder, address, ir.words(kind))

    def add(self, builder: Builder, factor: Any, values: Any, total: Any) -> Any:
        """Both products at once."""
        return ir.add_pair_products(builder, total, factor, values)


@dataclass(frozen=True)
class Form:
    """Which product: how it reads ``a``, what it does with the sums, and how the epilogue's operand is laid out."""

    by_rows: bool
    epilogue: "Epilogue"
    per_column: bool  # the operand is one vector for each panel (a bias) and not laid out as the output
    terms: Terms


Epilogue = Callable[[Builder, Any, Any, Any, Operands], Any]  # builder, sum, address in out, address in operand


def store(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return value


def bias(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return builder.fadd(value, ir.load(builder, operand, value.type))


def bias_relu(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return ir.relu(builder, builder.fadd(value, ir.load(builder, operand, value.type)))


def scaled_bias(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    """``alpha · value + operand``, and at least `beta`: 0 makes it a ReLU, -∞ leaves it."""
    scale, least = (ir.splat(builder, number, value.type) for number in (all_.alpha, all_.beta))
    total = ir.fma(builder, scale, value, ir.load(builder, operand, value.type))
    return builder.select(builder.fcmp_ordered(">", least, total), least, total)


def mask(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    return ir.where_positive(builder, ir.load(builder, operand, value.type), value)


def scaled_add(builder: Builder, value: Any, out: Any, operand: Any, all_: Operands) -> Any:
    kept = builder.fmul(ir.splat(builder, all_.beta, value.type), ir.load(builder, out, value.type))
    return ir.fma(builder, ir.splat(builder, all_.alpha, value.type), value, kept)


def _places(builder: Builder, x: Operands, lanes: int, height: int, vectors: int) -> list[Any]:
    """Where the vectors of a tile lie in the output, row by row."""
    panels = [builder.mul(x.out_panel, ir.index(j)) for j in range(vectors)]
    return [builder.add(panel, ir.index(i * lanes)) for i in range(height) for panel in panels]


def _contract(builder: Builder, x: Operands, form: Form, kind: Any, lanes: int, height: int, vectors: int) -> Any:
    """Emit the sums of one tile; return the accumulators, row by row."""
    terms, across = form.terms, form.terms.width(lanes, form.by_rows)

    def turn(a: Any, columns: list[Any], sums: list[Any]) -> list[Any]:
        values = [terms.values(builder, column, kind) for column in columns]
        results = []
        for i in range(height):
            factor = terms.factor(builder, builder.gep(a, [ir.index(i * (across if form.by_rows else 1))]), kind)
            results += [terms.add(builder, factor, values[j], sums[i * vectors + j]) for j in range(vectors)]
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
        if not form.by_rows:
            return row(term, sums)
        a_panel = builder.mul(builder.udiv(term, width), x.a_panel)
        a = builder.gep(x.a, [builder.add(a_panel, builder.urem(term, width))])
        return turn(a, [builder.gep(panel, [builder.mul(term, width)]) for panel in panels], sums)

    if x.lists is not None:
        return ir.loop(builder, builder.zext(builder.load(x.lists), ir.INDEX), starts, listed)
    # Of two turns of half a vector at once (AVX2), LLVM reads so many factors ahead that a sum goes through memory in
    # each: a step of 784-20-7-5-10 took 1.13 times as long. Whole vectors stay in registers, and gain by it.
    unrolled = kind.count == lanes
    if not form.by_rows:
        return terms.loop(builder, x.count, starts, row, unrolled=unrolled)

    def panel_of_a(o: Any, sums: list[Any]) -> list[Any]:
        a = builder.gep(x.a, [builder.mul(o, x.a_panel)])
        done = builder.mul(o, ir.index(across))
        rest = builder.sub(x.count, done)
        here = builder.select(builder.icmp_signed("<", rest, ir.index(across)), rest, ir.index(across))
        rows = [builder.gep(panel, [builder.mul(done, width)]) for panel in panels]

        def column(k: Any, sums: list[Any]) -> list[Any]:
            step = builder.mul(k, width)
            return turn(builder.gep(a, [k]), [builder.gep(row, [step]) for row in rows], sums)

        return terms.loop(builder, here, sums, column, unrolled=unrolled)

    whole = builder.sdiv(builder.add(x.count, ir.index(across - 1)), ir.index(across))
    return ir.loop(builder, whole, starts, panel_of_a)


def emit_tile(builder: Builder, x: Operands, form: Form, kind: Any, lanes: int, height: int, vectors: int) -> None:
    """Emit one tile of the output, at the start of `x`'s addresses."""
    sums = _contract(builder, x, form, kind, lanes, height, vectors)

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
