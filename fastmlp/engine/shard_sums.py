"""The compiled worker that sums the gradients of shards.

The gradient of a shard is computed from its rows alone. Gradients are summed in one binary tree over all shards, so the
bits of the sum do not depend on which process has which shards. A process sums the whole subtrees that its shards are;
`fastmlp.engine.shard_update.add_gradients` joins what the processes have summed. Denormal numbers are 0 in all sums.
"""

from fastmlp.compilation.jit import borrowing, worker
from fastmlp.engine.arguments import Layout
from fastmlp.engine.batch import Batch, statistic
from fastmlp.engine.plan import DBETA, DGAMMA, MEAN, NORM_NONE, VAR
from fastmlp.engine.products import descend_tiles, scale_of_product
from fastmlp.engine.rows import merge, pass_over
from fastmlp.engine.rules import TOGETHER
from fastmlp.engine.shards import Share, Work, shard, work_of
from fastmlp.engine.shares import blocks_of, row_cell, row_pieces, share_of_rows, take, tile_cell, tile_unit
from fastmlp.engine.step import wait
from fastmlp.engine.workspace import Memory
from fastmlp.kernels.tiles import SUM_ROWS, Descent, square_of, tile_at
from fastmlp.kernels.update import add, clear, scale
from fastmlp.simd import vector as v
from fastmlp.simd.atomics import store_shared
from fastmlp.simd.bfloat16 import flush_denormals, set_mode
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import offset, pointer


@borrowing
def _pass_piece(work: Work, number: int, first: int, last: int) -> None:
    """Do one pass over the rows from `first` up to `last`, as if every shard had as many as its memory."""
    room = work.layout.settings[0].batch
    for j in range(first // room, (last - 1) // room + 1):
        b = shard(work, j)
        begin, end = max(first - j * room, 0), min(last - j * room, b.n)
        if begin < end:
            pass_over(b, b.statistics, number, begin, end - begin)


@borrowing
def _rows(work: Work, number: int) -> None:
    """Do one pass over the thread's own share of the rows, then over what the other threads have not begun."""
    settings, member = work.layout.settings[0], work.member
    store_shared(row_cell(member.claims, member.thread, number + 1), 0)
    unit, most = row_pieces(settings)
    for turn in range(settings.threads):
        owner = (member.thread + turn) % settings.threads
        first, total = share_of_rows(settings, owner, work.share.tree.shape[0] * settings.batch)
        while True:
            start, count = take(row_cell(member.claims, owner, number), total, unit, most)
            if count == 0:
                break
            _pass_piece(work, number, first + start, first + start + count)


@borrowing
def _merge(work: Work, number: int) -> None:
    for j in range(work.share.tree.shape[0]):
        b = shard(work, j)
        if b.n > 0:
            merge(b, b.statistics, number)


@borrowing
def _sum_of(work: Work, subtree: int, depth: int) -> Pointer:
    """Return the buffer of a subtree's gradient, or of a branch so deep below its root."""
    tree = work.share.tree
    number = subtree if depth == 0 else tree[tree.shape[0] - 1, 0] + depth
    if number == 0:
        return pointer(work.memory.state, 0)
    return pointer(work.share.sums, (number - 1) * work.share.sums.shape[1])


@borrowing
def _for_squares(b: Batch, i: int, numbers: tuple[int, int], into: Pointer, other: Pointer, adds: bool) -> None:
    """Add the gradients of some tiles and their biases to others, or set them to 0."""
    layer, lanes = b.layers[i], v.lanes(into)
    for number in range(numbers[0], numbers[1]):
        tile = tile_at(number, layer.n_in, layer.n_out, lanes)
        for p in range(tile.first, tile.last):
            weight, bias = layer.weight + square_of(tile, p, lanes), layer.bias + p * lanes
            if adds:
                add(offset(into, weight), offset(into, weight), offset(other, weight), lanes * lanes)
            else:
                clear(offset(into, weight), lanes * lanes)
            if tile.k == 0 and adds:
                add(offset(into, bias), offset(into, bias), offset(other, bias), lanes)
            elif tile.k == 0:
                clear(offset(into, bias), lanes)


@borrowing
def _sum_tiles(work: Work, i: int, first: int, last: int) -> None:
    """Compute the gradients of some tiles, shard by shard, and sum them in the tree."""
    tree = work.share.tree
    for start in range(first, last, TOGETHER):
        numbers = start, min(start + TOGETHER, last)
        for j in range(tree.shape[0]):
            b, subtree, depth, last_depth = shard(work, j), tree[j, 0], tree[j, 1], tree[j, 1] - tree[j, 2]
            # Few rows are summed in registers, and a right branch of them is added to the left one from there: the
            # bits are those of a sum in memory. A product with a scale is not rounded before it is added.
            if tree[j, 2] > 0 and b.n <= SUM_ROWS and scale_of_product(b.settings, i) == 1.0:
                depth -= 1
                here = _sum_of(work, subtree, depth)
            else:
                here = _sum_of(work, subtree, depth)
                _for_squares(b, i, numbers, here, here, False)
            if b.n > 0:
                descend_tiles(b, i, here, numbers[0], numbers[1], Descent(rate=-1.0, keep=1.0, bias_rate=-1.0), False)
            for above in range(depth - 1, last_depth - 1, -1):
                into, other = _sum_of(work, subtree, above), _sum_of(work, subtree, above + 1)
                _for_squares(b, i, numbers, into, other, True)


@borrowing
def _tiles(work: Work) -> None:
    """Sum the gradients of the thread's own tiles of all layers, then those that the others have not begun."""
    layout, member = work.layout, work.member
    settings = layout.settings[0]
    for turn in range(settings.threads):
        owner = (member.thread + turn) % settings.threads
        for i in range(len(layout.layers) - 1, -1, -1):
            first, total = layout.tiles[owner, i, 0], layout.tiles[owner, i, 1] - layout.tiles[owner, i, 0]
            cell = tile_cell(member.claims, owner, i)
            unit = tile_unit(settings, work.share.tree.shape[0] * settings.batch, total)
            while True:
                start, count = take(cell, total, unit, total)
                if count == 0:
                    break
                _sum_tiles(work, i, first + start, first + start + count)


@borrowing
def _note_vectors(b: Batch, part: float, into: Pointer) -> None:
    """Write a shard's gradients of γ and β, and its part of the mean statistics, where the parameters have them."""
    for i in range(len(b.layers) - 1):
        layer = b.layers[i]
        n = layer.n_out
        if b.n == 0:
            for place in (layer.gamma, layer.beta, layer.running_mean, layer.running_var):
                clear(offset(into, place), n)
        else:
            scale(statistic(b, layer, DGAMMA), offset(into, layer.gamma), n, 1.0)
            scale(statistic(b, layer, DBETA), offset(into, layer.beta), n, 1.0)
            scale(statistic(b, layer, MEAN), offset(into, layer.running_mean), n, part)
            scale(statistic(b, layer, VAR), offset(into, layer.running_var), n, part)


@borrowing
def _sum_vectors(work: Work, statistics: Array) -> None:
    if statistics is None:  # decided when compiling, as in `fastmlp.engine.rows.pass_over`
        return
    tree = work.share.tree
    for j in range(tree.shape[0]):
        b, subtree, depth = shard(work, j), tree[j, 0], tree[j, 1]
        _note_vectors(b, work.share.parts[work.step, j], _sum_of(work, subtree, depth))
        for above in range(depth - 1, depth - 1 - tree[j, 2], -1):
            into = _sum_of(work, subtree, above)
            other = _sum_of(work, subtree, above + 1)
            for i in range(len(b.layers) - 1):
                layer = b.layers[i]
                for place in (layer.gamma, layer.beta, layer.running_mean, layer.running_var):
                    add(offset(into, place), offset(into, place), offset(other, place), layer.n_out)


@borrowing
def _sum_costs(work: Work) -> None:
    for j in range(work.share.tree.shape[0]):
        b, cost = shard(work, j), 0.0
        for block in range(blocks_of(b.settings, b.n)):
            cost += b.costs[block]
        work.share.costs[work.step, j] = cost


@borrowing
def _sum_gradients(work: Work, first: int, last: int) -> None:
    layout, member = work.layout, work.member
    for number in range(first, last):
        if number > first:
            if not wait(layout.settings[0], member):
                return
            _merge(work, number)
        _rows(work, number)
    if not wait(layout.settings[0], member):
        return
    if last < len(layout.passes):  # the statistics of all shards of all processes come in between
        if member.thread == 0:
            _merge(work, last)
        return
    if member.thread == 0:
        _sum_costs(work)
        if layout.settings[0].norm != NORM_NONE:
            _sum_vectors(work, work.memory.statistics)
    _tiles(work)


@worker
def sum_gradients(thread: int, layout: Layout, memory: Memory, share: Share, step: int, first: int, last: int) -> None:
    """Do the passes from the first up to the last over a process's shards, as one thread of a team.

    Behind the last pass of all, write the gradients of the subtrees and the costs of the shards. Behind an earlier one,
    the first thread has the statistics of each shard that the following pass needs. All threads call this with the same
    arguments but `thread`, after the claims, arrivals and stops were set to 0.
    """
    mode = flush_denormals()
    _sum_gradients(work_of(thread, layout, memory, share, step), first, last)
    set_mode(mode)
