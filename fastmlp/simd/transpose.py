"""Transposes of squares of vectors, in registers."""

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic

from fastmlp.simd import ir
from fastmlp.simd.target import TILES
from fastmlp.simd.vector import llvm_vector


def swap_blocks(builder: Any, rows: list[Any], step: int) -> list[Any]:
    """Transpose the 2 x 2 blocks of squares of `step` lanes: of rows that lie `step` apart, the outer squares swap."""
    n, swapped = rows[0].type.count, list(rows)
    kept = [lane if not lane & step else lane - step + n for lane in range(n)]
    moved = [lane + step if not lane & step else lane + n for lane in range(n)]
    for i in range(len(rows)):
        if not i & step:
            swapped[i] = ir.shuffle(builder, rows[i], rows[i + step], kept)
            swapped[i + step] = ir.shuffle(builder, rows[i], rows[i + step], moved)
    return swapped


def transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Transpose a square of as many vectors as lanes: inside groups of 16 bytes by unpacks, then whole groups."""
    n = len(rows)
    group = min(n, 16 // (4 if rows[0].type.element == llvm.FloatType() else 8))
    starts = range(0, n, group)
    # one lane of x, one of y, one of x, ...: the first halves of all groups, and the second ones
    halves = [
        [start + h + lane + side * n for start in starts for lane in range(group // 2) for side in (0, 1)]
        for h in (0, group // 2)
    ]
    for _ in range(group.bit_length() - 1):
        rows = [
            ir.shuffle(builder, rows[start + i], rows[start + i + group // 2], order)
            for start in starts
            for i in range(group // 2)
            for order in halves
        ]
    step = group
    while step < n:
        rows, step = swap_blocks(builder, rows, step), 2 * step
    return rows


@intrinsic
def transpose_tile(context: Any, source: Any, target: Any) -> Any:
    """Write the transpose of a square tile of as many vectors as lanes; both tiles are dense and do not overlap."""

    def emit(target_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = llvm_vector(source.dtype)
        n = whole.count
        width = TILES.register // (source.dtype.bitwidth // 8)
        kind = llvm.VectorType(whole.element, width)
        for i in range(0, n, width):
            for j in range(0, n, width):
                starts = [ir.index((i + r) * n + j) for r in range(width)]
                rows = [ir.load(builder, builder.gep(arguments[0], [start]), kind) for start in starts]
                for r, row in enumerate(transposed(builder, rows)):
                    ir.store(builder, row, builder.gep(arguments[1], [ir.index((j + r) * n + i)]))
        return target_context.get_dummy_value()

    return types.void(source, target), emit
