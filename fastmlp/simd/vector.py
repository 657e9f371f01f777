"""A vector register as a Numba type, and its operations: 16 float32 or 8 float64 lanes.

Each operation is one LLVM instruction per lane and rounds once, so its bits are the same on every CPU.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic, models, register_model

from fastmlp.simd import ir
from fastmlp.simd.target import VECTOR_BYTES


class Vector(types.Type):
    """``VECTOR_BYTES`` of one floating point type."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.lanes = VECTOR_BYTES // (dtype.bitwidth // 8)
        super().__init__(name=f"Vector({dtype})")


def llvm_vector(dtype: types.Float) -> llvm.VectorType:
    """Return the LLVM type of a logical vector."""
    element = llvm.FloatType() if dtype.bitwidth == 32 else llvm.DoubleType()
    return llvm.VectorType(element, VECTOR_BYTES // (dtype.bitwidth // 8))


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, llvm_vector(kind.dtype))


Emit = Callable[..., Any]


def _unary(emit: Emit) -> Any:
    @intrinsic
    def operation(context: Any, x: Any) -> Any:
        return x(x), lambda _, builder, signature, arguments: emit(builder, *arguments)

    return operation


def _binary(emit: Emit) -> Any:
    @intrinsic
    def operation(context: Any, x: Any, y: Any) -> Any:
        return x(x, y), lambda _, builder, signature, arguments: emit(builder, *arguments)

    return operation


def _ternary(emit: Emit) -> Any:
    @intrinsic
    def operation(context: Any, x: Any, y: Any, z: Any) -> Any:
        return x(x, y, z), lambda _, builder, signature, arguments: emit(builder, *arguments)

    return operation


def _reduction(combine: Emit) -> Any:
    @intrinsic
    def operation(context: Any, x: Any) -> Any:
        def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = arguments[0]
            while value.type.count > 1:
                half = value.type.count // 2
                low = ir.shuffle(builder, value, value, range(half))
                value = combine(builder, low, ir.shuffle(builder, value, value, range(half, 2 * half)))
            return builder.extract_element(value, ir.index(0))

        return x.dtype(x), emit

    return operation


def _larger(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


def _smaller(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", x, y), x, y)


add = _binary(lambda builder, x, y: builder.fadd(x, y))
subtract = _binary(lambda builder, x, y: builder.fsub(x, y))
multiply = _binary(lambda builder, x, y: builder.fmul(x, y))
divide = _binary(lambda builder, x, y: builder.fdiv(x, y))
maximum = _binary(_larger)
minimum = _binary(_smaller)
fma = _ternary(ir.fma)  # x · y + z
where = _ternary(ir.where)  # the second where the first is above 0, else the third
relu = _unary(ir.relu)
where_positive = _binary(ir.where_positive)  # the second where the first is above 0, else 0
square_root = _unary(lambda builder, x: ir.call(builder, f"llvm.sqrt.{ir.suffix(x.type)}", x.type, [x]))
# by halves: the order of LLVM's own reductions is the target's choice
sum_lanes = _reduction(lambda builder, x, y: builder.fadd(x, y))
max_lanes = _reduction(_larger)


@intrinsic
def lanes(context: Any, pointer: Any) -> Any:
    """Lanes of a vector of what `pointer` points to, known when compiling."""
    count = VECTOR_BYTES // (pointer.dtype.bitwidth // 8)
    return types.intp(pointer), lambda *_: ir.index(count)


@intrinsic
def load(context: Any, pointer: Any) -> Any:
    """Read a vector."""
    return Vector(pointer.dtype)(pointer), lambda _, builder, signature, arguments: ir.load(
        builder, arguments[0], llvm_vector(pointer.dtype)
    )


@intrinsic
def load_first(context: Any, pointer: Any, count: Any) -> Any:
    """Read the first `count` lanes of a vector and nothing behind them; the other lanes are 0."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = llvm_vector(pointer.dtype)
        address = builder.bitcast(arguments[0], kind.as_pointer())
        align = llvm.Constant(llvm.IntType(32), pointer.dtype.bitwidth // 8)
        values = [address, align, _inside(builder, arguments[1], kind.count), ir.constant(kind, 0.0)]
        return ir.call(builder, f"llvm.masked.load.{ir.suffix(kind)}.p0", kind, values)

    return Vector(pointer.dtype)(pointer, types.intp), emit


@intrinsic
def store(context: Any, value: Any, pointer: Any) -> Any:
    """Write a vector."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ir.store(builder, *arguments)
        return target.get_dummy_value()

    return types.void(value, pointer), emit


@intrinsic
def splat(context: Any, scalar: Any) -> Any:
    """Return a scalar in every lane."""
    return Vector(scalar)(scalar), lambda _, builder, signature, arguments: ir.splat(
        builder, arguments[0], llvm_vector(scalar)
    )


def _inside(builder: Any, count: Any, lanes: int) -> Any:
    """Whether each lane's number is below `count`."""
    integers = llvm.VectorType(llvm.IntType(64), lanes)
    numbers = llvm.Constant(integers, [ir.index(lane) for lane in range(lanes)])
    return builder.icmp_signed("<", numbers, ir.splat(builder, count, integers))


@intrinsic
def either(context: Any, x: Any, y: Any) -> Any:
    """Return the bits that are set in `x` or in `y`."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        bits = [builder.bitcast(value, _integers(kind)) for value in arguments]
        return builder.bitcast(builder.or_(*bits), kind)

    return x(x, y), emit


@intrinsic
def nonzero_lanes(context: Any, x: Any) -> Any:
    """Return an integer with a bit for each lane, set where any bit of the lane is."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        bits = builder.bitcast(arguments[0], _integers(kind))
        found = builder.icmp_unsigned("!=", bits, llvm.Constant(bits.type, None))
        return builder.zext(builder.bitcast(found, llvm.IntType(kind.count)), ir.INDEX)

    return types.intp(x), emit


@intrinsic
def count_bits(context: Any, x: Any) -> Any:
    """Return the number of bits set in an integer."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.call(builder, "llvm.ctpop.i64", ir.INDEX, arguments)

    return types.intp(types.intp), emit


@intrinsic
def store_bytes(context: Any, value: Any, pointer: Any) -> Any:
    """Write an integer as 8 bytes, the lowest first."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[0], builder.bitcast(arguments[1], ir.INDEX.as_pointer()), align=1)
        return target.get_dummy_value()

    return types.void(types.int64, pointer), emit


def _integers(kind: Any) -> Any:
    return llvm.VectorType(llvm.IntType(32 if kind.element == llvm.FloatType() else 64), kind.count)


@intrinsic
def first_lanes(context: Any, x: Any, count: Any, fill: Any) -> Any:
    """Return `x` in the first `count` lanes and the scalar `fill` in the others."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        inside = _inside(builder, arguments[1], kind.count)
        return builder.select(inside, arguments[0], ir.splat(builder, arguments[2], kind))

    return x(x, types.intp, x.dtype), emit


@intrinsic
def scalar_fma(context: Any, x: Any, y: Any, z: Any) -> Any:
    """Return ``x · y + z`` of three scalars, rounded once."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.fma.f{x.bitwidth}"
        return ir.call(builder, name, arguments[0].type, arguments)

    return x(x, x, x), emit


@intrinsic
def load_converted(context: Any, source: Any, like: Any) -> Any:
    """Read as many numbers of any type as `like` has lanes, converted to its floating point type."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = llvm_vector(like.dtype)
        stored = llvm.VectorType(arguments[0].type.pointee, kind.count)
        value = ir.load(builder, arguments[0], stored)
        if isinstance(source.dtype, types.Integer):
            return builder.sitofp(value, kind) if source.dtype.signed else builder.uitofp(value, kind)
        if source.dtype.bitwidth == like.dtype.bitwidth:
            return value
        return (
            builder.fpext(value, kind) if source.dtype.bitwidth < like.dtype.bitwidth else builder.fptrunc(value, kind)
        )

    return like(source, like), emit
