"""The shards of a mini-batch that one process has, as compiled code sees them.

A shard is a mini-batch of its own to `fastmlp.engine.rows` and `fastmlp.engine.products`: it has a part of the memory
for rows, for sums and for statistics of batch norm.
"""

from typing import NamedTuple

from fastmlp.compilation.jit import inlined
from fastmlp.engine.arguments import Layout, Member, member_of
from fastmlp.engine.batch import Batch, Part, batch_of
from fastmlp.engine.workspace import Memory
from fastmlp.simd.kinds import Array


class Share(NamedTuple):
    """The shards of one process in the steps of an epoch.

    Attributes
    ----------
    steps : numpy.ndarray of STEP (steps · shards,)
        A record for each step and shard.
    order : numpy.ndarray (n,)
        The rows of all shards, int64: one shard's behind the other's.
    first, rows : numpy.ndarray (steps, shards)
        Where in `order` the rows of a shard start, and how many there are.
    parts : numpy.ndarray (steps, shards)
        The rows of a shard by those of all shards of all processes.
    costs : numpy.ndarray (steps, shards)
        Takes the summed cost of a shard's rows.
    tree : numpy.ndarray (shards, 3)
        For each shard: the number of its subtree, its depth below the subtree's root, and how many sums follow.
    sums : numpy.ndarray (n, n_gradient)
        Gradients of the subtrees but the first, whose buffer is the state, and of the branches below a root.
    """

    steps: Array
    order: Array
    first: Array
    rows: Array
    parts: Array
    costs: Array
    tree: Array
    sums: Array


class Work(NamedTuple):
    """What one thread has in hand: the step of number `step`."""

    layout: Layout
    memory: Memory
    share: Share
    step: int
    member: Member


@inlined
def shard(work: Work, j: int) -> Batch:
    """Return a shard as a mini-batch of its own."""
    share, step, shards = work.share, work.step, work.share.tree.shape[0]
    part = Part(
        step=share.steps[step * shards + j],
        order=share.order,
        start=share.first[step, j],
        n=share.rows[step, j],
        number=j,
        parts=shards,
    )
    return batch_of(work.layout, work.memory, work.member, part)


@inlined
def work_of(thread: int, layout: Layout, memory: Memory, share: Share, step: int) -> Work:
    """Return the work of a thread."""
    member = member_of(thread, memory, layout.settings[0].threads)
    return Work(layout=layout, memory=memory, share=share, step=step, member=member)
