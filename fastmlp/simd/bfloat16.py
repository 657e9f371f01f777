"""bfloat16 on vectors of float32: rounding, pairs of numbers in 32 bits, and the mode in which denormal numbers are 0.

A bfloat16 is the upper half of a float32. The instruction VDPBF16PS (AVX512-BF16) takes denormal numbers as 0 and gives
0 for them, whatever the mode of the CPU; whoever computes the same bits without it needs that mode.
"""

import platform
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastmlp.simd import ir
from fastmlp.simd.target import HAS_BFLOAT16
from fastmlp.simd.transpose import swap_blocks
from fastmlp.simd.vector import llvm_vector

_FLUSH_X86 = 0x8040  # MXCSR: results (FTZ) and operands (DAZ)
_FLUSH_ARM = 1 << 24  # FPCR: FZ


def _words(kind: llvm.VectorType, value: int) -> llvm.Constant:
    integers = ir.words(kind)
    return llvm.Constant(integers, [llvm.Constant(integers.element, value)] * kind.count)


def _rounded(builder: Any, x: Any) -> Any:
    kind = x.type
    bits = builder.bitcast(x, ir.words(kind))
    magnitude = builder.and_(bits, _words(kind, 0x7FFFFFFF))
    odd = builder.and_(builder.lshr(bits, _words(kind, 16)), _words(kind, 1))
    nearest = builder.add(bits, builder.add(odd, _words(kind, 0x7FFF)))
    is_nan = builder.icmp_unsigned(">", magnitude, _words(kind, 0x7F800000))
    nearest = builder.select(is_nan, builder.or_(bits, _words(kind, 0x00400000)), nearest)
    is_tiny = builder.icmp_unsigned("<", magnitude, _words(kind, 0x00800000))
    nearest = builder.select(is_tiny, bits, nearest)
    kept = builder.select(is_tiny, _words(kind, 0x80000000), _words(kind, 0xFFFF0000))
    return builder.bitcast(builder.and_(nearest, kept), kind)


def _halves(builder: Any, first: Any, second: Any) -> Any:
    """Return the bfloat16 of the lanes of two vectors, rounded, side by side in 32 lanes of 16 bits."""
    if HAS_BFLOAT16:
        return ir.round_vectors(builder, first, second)
    halves = []
    for x in (first, second):
        upper = builder.lshr(builder.bitcast(_rounded(builder, x), ir.words(x.type)), _words(x.type, 16))
        halves.append(builder.trunc(upper, llvm.VectorType(llvm.IntType(16), x.type.count)))
    return ir.shuffle(builder, halves[0], halves[1], range(2 * first.type.count))


def _pairs(builder: Any, first: Any, second: Any) -> Any:
    """Return 32-bit lanes with the bfloat16 of the first vector below that of the second."""
    count = first.type.count
    order = [lane + half * count for lane in range(count) for half in (0, 1)]
    halves = _halves(builder, first, second)
    return builder.bitcast(ir.shuffle(builder, halves, halves, order), ir.words(first.type))


@intrinsic
def rounded(context: Any, x: Any) -> Any:
    """Return float32 lanes rounded to bfloat16, to the nearest and to even between two; denormal lanes become 0."""
    return x(x), lambda _, builder, signature, arguments: _rounded(builder, arguments[0])


@intrinsic
def store_rounded(context: Any, first: Any, second: Any, pointer: Any) -> Any:
    """Write two vectors, `rounded`, one behind the other."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        pairs = _pairs(builder, *arguments[:2])
        ir.store(builder, builder.shl(pairs, _words(kind, 16)), arguments[2])
        above = builder.gep(arguments[2], [ir.index(kind.count)])
        ir.store(builder, builder.and_(pairs, _words(kind, 0xFFFF0000)), above)
        return target.get_dummy_value()

    return types.void(first, second, pointer), emit


@intrinsic
def store_halves(context: Any, first: Any, second: Any, pointer: Any) -> Any:
    """Write the bfloat16 of two vectors side by side, those of the first one in the first half of a vector."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ir.store(builder, _halves(builder, *arguments[:2]), arguments[2])
        return target.get_dummy_value()

    return types.void(first, second, pointer), emit


@intrinsic
def store_pairs(context: Any, first: Any, second: Any, pointer: Any) -> Any:
    """Write the bfloat16 of two vectors as one: each lane has that of the first and then that of the second."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ir.store(builder, _pairs(builder, *arguments[:2]), arguments[2])
        return target.get_dummy_value()

    return types.void(first, second, pointer), emit


@intrinsic
def transpose_pairs(context: Any, source: Any, target: Any) -> Any:
    """Write the transpose of a square tile of float32 as pairs of the bfloat16 of its rows.

    A row's halves are 8 words of two neighbours. A vector of two rows, 8 apart, has two such sequences of words, and
    the 8 vectors are transposed as two squares of words at the same time.
    """

    def emit(target_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = llvm_vector(source.dtype)
        n, half = kind.count, kind.count // 2
        rows = [ir.load(builder, builder.gep(arguments[0], [ir.index(r * n)]), kind) for r in range(n)]
        words = [builder.bitcast(_halves(builder, rows[r], rows[r + half]), ir.words(kind)) for r in range(half)]
        step = 1
        while step < half:
            words, step = swap_blocks(builder, words, step), 2 * step
        for r, row in enumerate(words):
            ir.store(builder, row, builder.gep(arguments[1], [ir.index(r * n)]))
        return target_context.get_dummy_value()

    return types.void(source, target), emit


@intrinsic
def words_at(context: Any, pointer: Any) -> Any:
    """Return a pointer to 32-bit integers at the same place."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], llvm.IntType(32).as_pointer())

    return types.CPointer(types.int32)(pointer), emit


def _read_mode(builder: Any) -> Any:
    """Emit reading the register with the floating point mode; None where there is none that we know."""
    if platform.machine() in ("x86_64", "AMD64"):
        cell = cgutils.alloca_once(builder, llvm.IntType(32))
        ir.call(builder, "llvm.x86.sse.stmxcsr", llvm.VoidType(), [builder.bitcast(cell, cgutils.voidptr_t)])
        return builder.zext(builder.load(cell), ir.INDEX)
    if platform.machine() in ("aarch64", "arm64"):
        return ir.call(builder, "llvm.aarch64.get.fpcr", ir.INDEX, [])
    return None


def _write_mode(builder: Any, mode: Any) -> None:
    if platform.machine() in ("x86_64", "AMD64"):
        cell = cgutils.alloca_once(builder, llvm.IntType(32))
        builder.store(builder.trunc(mode, llvm.IntType(32)), cell)
        ir.call(builder, "llvm.x86.sse.ldmxcsr", llvm.VoidType(), [builder.bitcast(cell, cgutils.voidptr_t)])
    elif platform.machine() in ("aarch64", "arm64"):
        ir.call(builder, "llvm.aarch64.set.fpcr", llvm.VoidType(), [mode])


@intrinsic
def flush_denormals(context: Any) -> Any:
    """Take and give denormal numbers as 0 in this thread from now on; return the mode until now."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before = _read_mode(builder)
        if before is None:
            return ir.index(0)
        flush = _FLUSH_ARM if platform.machine() in ("aarch64", "arm64") else _FLUSH_X86
        _write_mode(builder, builder.or_(before, ir.index(flush)))
        return before

    return types.int64(), emit


@intrinsic
def set_mode(context: Any, mode: Any) -> Any:
    """Go back to a floating point mode that `flush_denormals` returned."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _write_mode(builder, arguments[0])
        return target.get_dummy_value()

    return types.void(types.int64), emit
