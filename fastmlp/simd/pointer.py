"""Pointers into arrays. They carry no bounds: every index must have been checked before."""

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastmlp.simd import ir


@intrinsic
def pointer(context: Any, array: Any, start: Any) -> Any:
    """Return the address of element `start` of a contiguous array."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from numba.np import arrayobj  # takes 40 ms: not when fastmlp is imported

        data = arrayobj.make_array(array)(target, builder, arguments[0]).data
        return builder.gep(data, [arguments[1]])

    return types.CPointer(array.dtype)(array, types.intp), emit


@intrinsic
def part_of(context: Any, buffer: Any, number: Any, parts: Any) -> Any:
    """Return where one of so many equal parts of a contiguous array starts; None for None."""
    if isinstance(buffer, types.NoneType):
        return buffer(buffer, types.intp, types.intp), lambda target, *_: target.get_dummy_value()

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from numba.np import arrayobj  # takes 40 ms: not when fastmlp is imported

        array = arrayobj.make_array(buffer)(target, builder, arguments[0])
        size = builder.sdiv(array.nitems, arguments[2])
        return builder.gep(array.data, [builder.mul(arguments[1], size)])

    return types.CPointer(buffer.dtype)(buffer, types.intp, types.intp), emit


@intrinsic
def keep_alive(context: Any, arrays: Any) -> Any:
    """Do nothing with a tuple of arrays: Numba frees an array after its last mention, and a pointer is none."""
    return types.void(arrays), lambda target, *_: target.get_dummy_value()


@intrinsic
def offset(context: Any, start: Any, elements: Any) -> Any:
    """Return `start` moved by a number of elements."""
    return start(start, types.intp), lambda _, builder, signature, arguments: builder.gep(arguments[0], [arguments[1]])


@intrinsic
def cast_address(context: Any, address: Any, like: Any) -> Any:
    """Return an integer address as a pointer to the type of the scalar `like`."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], arguments[1].type.as_pointer())

    return types.CPointer(like)(types.intp, like), emit


@intrinsic
def prefetch(context: Any, address: Any) -> Any:
    """Ask for the cache line of a pointer."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        line = builder.bitcast(arguments[0], cgutils.voidptr_t)
        hints = [llvm.Constant(llvm.IntType(32), hint) for hint in (0, 3, 1)]  # read, keep in all levels, data
        ir.call(builder, "llvm.prefetch.p0", llvm.VoidType(), [line, *hints])
        return target.get_dummy_value()

    return types.void(address), emit


@intrinsic
def number(context: Any, like: Any, value: Any) -> Any:
    """Return a float64 rounded to the type that the pointer `like` points to."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return target.cast(builder, arguments[1], types.float64, like.dtype)

    return like.dtype(like, types.float64), emit
