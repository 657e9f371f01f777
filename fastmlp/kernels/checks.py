"""What the public kernels take: C-ordered arrays whose dtypes and shapes fit each other.

The bodies work on pointers, which know no bounds, so a driver checks its arrays before any work. Types are checked when
it is compiled for them, by `overlapping`; shapes and values at every call.
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastmlp.compilation.jit import body
from fastmlp.simd import ir
from fastmlp.simd.kinds import Array

IN_PLACE = " in place"  # at the end of a description: an output may be an input


class ArrayError(ValueError):
    """An array that a kernel cannot take.

    Its arguments are the array's name, what it must be, and what it is. Numba raises it with numbers, and the text is
    made here: to compile the formatting of numbers takes seconds.
    """

    def __str__(self) -> str:
        name, expected, got = self.args
        return f"{name} must {expected[0]} {expected[1]}, got {got}"


def _described(text: str, arrays: Any) -> tuple[list[Any], int, bool]:
    """Return the types of arrays, how many of them are inputs, and whether an output may be an input.

    `text` is like ``"z/2 y/1/int64 -> dz/2"``: names, numbers of dimensions (0 for any) and dtypes. Arrays without a
    dtype hold float32, or all of them float64; ``real`` is any number.
    """
    inputs, outputs = (part.split() for part in text.removesuffix(IN_PLACE).split("->"))
    common = None
    for number, (entry, array) in enumerate(zip([*inputs, *outputs], arrays, strict=True)):
        name, dimensions, *dtype = entry.split("/")
        kind = f"{dimensions}-D array" if int(dimensions) else "array"
        if not isinstance(array, types.Array) or int(dimensions) not in (0, array.ndim) or array.layout != "C":
            raise TypeError(f"{name} must be a C-ordered {kind}, got {array}")
        if not dtype:
            common = common or array.dtype
            if array.dtype != common or common not in (types.float32, types.float64):
                raise TypeError(f"{name} must hold float32 or float64 as the other arrays do, got {array}")
        elif dtype == ["real"]:
            if not isinstance(array.dtype, types.Integer | types.Float | types.Boolean):
                raise TypeError(f"{name} must hold numbers, got {array}")
        elif str(array.dtype) != dtype[0]:
            raise TypeError(f"{name} must hold {dtype[0]}, got {array}")
        if number >= len(inputs) and not array.mutable:
            raise TypeError(f"{name} is written to and must not be read-only, got {array}")
    return list(arrays), len(inputs), text.endswith(IN_PLACE)


@intrinsic(prefer_literal=True)
def overlapping(context: Any, description: Any, arrays: Any) -> Any:
    """Whether an output overlaps another array; does not compile for types that do not fit `description`.

    Where the description ends with `IN_PLACE`, an output may be the very memory of an input.
    """
    if not isinstance(description, types.StringLiteral):
        return None
    kinds, n_inputs, in_place = _described(description.literal_value, arrays)

    def emit(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        from numba.np import arrayobj

        ranges = []
        for kind, value in zip(kinds, cgutils.unpack_tuple(builder, values[1]), strict=True):
            array = arrayobj.make_array(kind)(target, builder, value)
            start = builder.ptrtoint(array.data, ir.INDEX)
            ranges.append((start, builder.add(start, builder.mul(array.nitems, array.itemsize))))
        found = cgutils.false_bit
        for i in range(n_inputs, len(ranges)):
            for j in range(i):
                (a, a_end), (b, b_end) = ranges[i], ranges[j]
                both = builder.and_(builder.icmp_unsigned("<", a, b_end), builder.icmp_unsigned("<", b, a_end))
                if in_place and j < n_inputs:
                    same = builder.and_(builder.icmp_unsigned("==", a, b), builder.icmp_unsigned("==", a_end, b_end))
                    both = builder.and_(both, builder.not_(same))
                found = builder.or_(found, both)
        return found

    return types.boolean(types.StringLiteral(description.literal_value), arrays), emit


@body
def refuse(overlap: bool) -> None:
    """Raise where an output overlaps another array."""
    if overlap:
        raise ValueError("an output overlaps another array")


@body
def expect_vector(name: str, vector: Array, size: int) -> None:
    """Raise unless a vector has a size."""
    if vector.shape[0] != size:
        raise ArrayError(name, ("have the shape", (size,)), vector.shape)


@body
def expect_matrix(name: str, matrix: Array, rows: int, columns: int) -> None:
    """Raise unless a matrix has a shape."""
    if matrix.shape[0] != rows or matrix.shape[1] != columns:
        raise ArrayError(name, ("have the shape", (rows, columns)), matrix.shape)


@body
def expect_indices(name: str, indices: Array, size: int) -> None:
    """Raise unless all indices are from 0 to below a size."""
    for i in range(indices.shape[0]):
        if indices[i] < 0 or indices[i] >= size:
            raise ArrayError(name, ("hold indices from 0 to below", size), indices[i])


@body
def expect_same(name: str, array: Array, other_name: str, other: Array) -> None:
    """Raise unless an array has the shape of another."""
    if array.shape != other.shape:
        raise ArrayError(name, ("have the shape of " + other_name + ",", other.shape), array.shape)
