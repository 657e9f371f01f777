"""How rows are cut into shards, how shards share the steps of an epoch, and the tree in which they are summed."""

from collections.abc import Iterator, Sequence

import numpy as np

from fastmlp.engine.plan import MOST_NORM_BLOCKS, ROWS_UNIT
from fastmlp.simd.sizes import ceil_divide, round_up


def cuts(n: int, parts: int) -> np.ndarray:
    """Return where equal parts of `n` things begin, and `n` behind: ``(parts + 1,)``."""
    return n * np.arange(parts + 1) // parts


def starts(sizes: np.ndarray, steps: int) -> np.ndarray:
    """Return how many rows of each shard come before each step, and behind the last: ``(steps + 1, shards)``.

    Shard s of V has ``floor((n_s · t · V + s · T) / (V · T))`` rows before step t of T. For shards of one size n this
    sums to ``floor(V · n · t / T)`` by Hermite's identity, ``Σ floor(x + s/V) = floor(V · x)``: the mini-batches differ
    by one row at most, and none has more rows than the largest of an epoch that is cut into T equal parts.
    """
    count = len(sizes)
    times, shards = np.arange(steps + 1)[:, None], np.arange(count)
    found: np.ndarray = (sizes * times * count + shards * steps) // (count * steps)
    return found


def room(rows: int) -> int:
    """Return a size of mini-batches for the engine, of at least so many rows, that is a multiple of its blocks."""
    unit: int = max(ROWS_UNIT, round_up(ceil_divide(rows, MOST_NORM_BLOCKS), ROWS_UNIT))
    found: int = round_up(max(rows, 1), unit)
    return found


def halves(first: int, last: int) -> int:
    """Return where the two branches of a node of the tree meet: the left one is the largest power of two."""
    return first + (1 << (last - first - 1).bit_length() - 1)


def subtrees(shards: tuple[int, int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the largest nodes below ``(first, last)`` whose shards are all between the two of `shards`."""
    if shards[0] <= first and last <= shards[1]:
        yield first, last
    elif first < shards[1] and shards[0] < last:
        middle = halves(first, last)
        yield from subtrees(shards, first, middle)
        yield from subtrees(shards, middle, last)


def tree_of(nodes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return how the engine sums the shards of some nodes: see `fastmlp.engine.sharded.ShardTrainer`."""
    rows: list[list[int]] = []

    def visit(number: int, first: int, last: int, depth: int) -> None:
        if last - first == 1:
            rows.append([number, depth, 0])
            return
        middle = halves(first, last)
        visit(number, first, middle, depth)
        visit(number, middle, last, depth + 1)
        rows[-1][2] += 1

    for number, (first, last) in enumerate(nodes):
        visit(number, first, last, 0)
    return np.array(rows)


def sum_in_tree(values: np.ndarray) -> np.ndarray:
    """Return the sum over the first axis, in the order of the tree."""
    found: np.ndarray = values[0]
    if len(values) > 1:
        middle = halves(0, len(values))
        found = sum_in_tree(values[:middle]) + sum_in_tree(values[middle:])
    return found
