"""What the rows of a mini-batch are compared with."""

from typing import NamedTuple

from numba import types

from fastmlp.compilation.jit import body
from fastmlp.simd.kinds import Number, Pointer
from fastmlp.simd.pointer import cast_address


class Targets(NamedTuple):
    """The targets of the rows of a mini-batch, and their weights.

    Row r of the mini-batch is number ``index[r]`` of the data set.

    Attributes
    ----------
    values : pointer or int
        To the targets of the whole data set: class indices, or rows of numbers; or the address of these.
    weights : pointer
        To the weights of the data set's rows, float64.
    stride : int
        1, or 0 where there is one weight, 1, for all rows.
    index : pointer
        To the numbers of the rows.
    """

    values: Pointer
    weights: Pointer
    stride: int
    index: Pointer


# of targets by their address, whose type only the loss knows
TARGETS = types.NamedTuple(
    (types.int64, types.CPointer(types.float64), types.int64, types.CPointer(types.int64)), Targets
)


@body
def typed(targets: Targets, like: Number) -> Targets:
    """Return the targets with a pointer to values of the type of the scalar `like` in place of an address."""
    values = cast_address(targets.values, like)
    return Targets(values=values, weights=targets.weights, stride=targets.stride, index=targets.index)


@body
def weight_of(targets: Targets, r: int) -> float:
    """Return the weight of a row."""
    return targets.weights[targets.index[r] * targets.stride]
