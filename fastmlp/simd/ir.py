"""Short forms of the LLVM instructions that the intrinsics are made of.

Everything takes an llvmlite IRBuilder first; vectors are LLVM vectors of float or double.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

INDEX = ir.IntType(64)
_SHUFFLE = ir.IntType(32)


class _BFloat(ir.Type):
    """The 16 upper bits of a float32; llvmlite has no name for it."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def index(value: int) -> ir.Constant:
    """Return an index constant."""
    return ir.Constant(INDEX, value)


def constant(kind: ir.Type, value: float) -> ir.Constant:
    """Return a vector constant with `value` in every lane."""
    return ir.Constant(kind, [ir.Constant(kind.element, value)] * kind.count)


def load(builder: ir.IRBuilder, pointer: ir.Value, kind: ir.Type) -> ir.Value:
    """Load a vector from memory aligned as its elements are."""
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=_width(kind.element))


def store(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value) -> None:
    """Store a vector to memory aligned as its elements are."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=_width(value.type.element))


def _width(element: ir.Type) -> int:
    return element.width // 8 if isinstance(element, ir.IntType) else 4 if element == ir.FloatType() else 8


def splat(builder: ir.IRBuilder, scalar: ir.Value, kind: ir.Type) -> ir.Value:
    """Return `scalar` in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(_SHUFFLE, 0))
    return shuffle(builder, first, first, [0] * kind.count)


def shuffle(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, lanes: Sequence[int]) -> ir.Value:
    """Return the named lanes of `x` followed by `y`."""
    mask = ir.Constant(ir.VectorType(_SHUFFLE, len(lanes)), [ir.Constant(_SHUFFLE, lane) for lane in lanes])
    return builder.shuffle_vector(x, y, mask)


def call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: Sequence[ir.Value]) -> ir.Value:
    """Call a function or LLVM intrinsic by name."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def suffix(kind: ir.Type) -> str:
    """Return the ending of LLVM's overloaded intrinsics for a type, such as ``v16f32``."""
    element = "f32" if kind.element == ir.FloatType() else "f64"
    return f"v{kind.count}{element}"


def fma(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """Return ``x · y + z``, rounded once."""
    return call(builder, f"llvm.fma.{suffix(x.type)}", x.type, [x, y, z])


def words(kind: ir.Type) -> ir.Type:
    """Return the vector of 32-bit integers with as many lanes."""
    return ir.VectorType(ir.IntType(32), kind.count)


def add_pair_products(builder: ir.IRBuilder, total: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
    """Return the sums with the products of the pairs of bfloat16 in the 32-bit lanes of `x` and `y` (VDPBF16PS)."""
    pairs = ir.VectorType(_BFloat(), 2 * total.type.count)
    arguments = [total, *(builder.bitcast(value, pairs) for value in (x, y))]
    return call(builder, "llvm.x86.avx512bf16.dpbf16ps.512", total.type, arguments)


def round_vectors(builder: ir.IRBuilder, first: ir.Value, second: ir.Value) -> ir.Value:
    """Return the bfloat16 of the lanes of two vectors, the first one's first, in lanes of 16 bits (VCVTNE2PS2BF16)."""
    halves = ir.VectorType(_BFloat(), 2 * first.type.count)
    found = call(builder, "llvm.x86.avx512bf16.cvtne2ps2bf16.512", halves, [second, first])
    return builder.bitcast(found, ir.VectorType(ir.IntType(16), halves.count))


def relu(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """Return ``max(x, 0)``; NaN stays NaN."""
    zero = constant(x.type, 0.0)
    return builder.select(builder.fcmp_ordered(">", zero, x), zero, x)


def where_positive(builder: ir.IRBuilder, condition: ir.Value, value: ir.Value) -> ir.Value:
    """Return `value` where ``condition > 0``, else 0."""
    return where(builder, condition, value, constant(value.type, 0.0))


def where(builder: ir.IRBuilder, condition: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
    """Return `x` where ``condition > 0``, else `y`."""
    return builder.select(builder.fcmp_ordered(">", condition, constant(condition.type, 0.0)), x, y)


def where_begun(
    builder: ir.IRBuilder, begun: ir.Value, pointers: Sequence[ir.Value], starts: Sequence[ir.Value]
) -> list[ir.Value]:
    """Return the vectors at the pointers if `begun`, else `starts`."""
    before = builder.block
    with builder.if_then(begun):
        loaded = [load(builder, pointer, start.type) for pointer, start in zip(pointers, starts, strict=True)]
        inside = builder.block
    values = []
    for vector, start in zip(loaded, starts, strict=True):
        values.append(builder.phi(start.type))
        values[-1].add_incoming(vector, inside)
        values[-1].add_incoming(start, before)
    return values


def _not_unrolled(module: ir.Module) -> Any:
    """Return the metadata of a loop that stays as it is; LLVM takes only a node that names itself first."""
    node = module.add_metadata([["llvm.loop.unroll.disable"]])
    node.operands = (node, node.operands[-1])
    return node


def loop(
    builder: ir.IRBuilder,
    count: ir.Value,
    carried: Sequence[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], list[ir.Value]],
    *,
    unrolled: bool = True,
) -> list[ir.Value]:
    """Emit ``for i in range(count)``, count at least 1, with values that live in registers from turn to turn.

    Where `unrolled` is False, LLVM must not do several turns at once.
    """
    entry = builder.block
    head, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INDEX)
    i.add_incoming(index(0), entry)
    values = []
    for value in carried:
        phi = builder.phi(value.type)
        phi.add_incoming(value, entry)
        values.append(phi)
    results = body(i, list(values))
    following = builder.add(i, index(1))
    i.add_incoming(following, builder.block)
    for phi, result in zip(values, results, strict=True):
        phi.add_incoming(result, builder.block)
    turn = builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    if not unrolled:
        turn.set_metadata("llvm.loop", _not_unrolled(builder.module))
    builder.position_at_end(after)
    return results
