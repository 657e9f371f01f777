"""The compiled workers behind the sum of a process's shards: sums of several processes, and the update."""

from fastmlp.compilation.jit import borrowing, worker
from fastmlp.engine.arguments import Layout
from fastmlp.engine.batch import Batch, statistic
from fastmlp.engine.factors import factor_gradients
from fastmlp.engine.plan import DBETA, DGAMMA, MEAN, NORM_NONE, VAR
from fastmlp.engine.rules import note_gradient_squares
from fastmlp.engine.shards import Share, Work, shard, work_of
from fastmlp.engine.step import average_norms, step_rest, update_norms, wait
from fastmlp.engine.workspace import Memory
from fastmlp.kernels.update import add, scale
from fastmlp.simd.bfloat16 import flush_denormals, set_mode
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import offset, pointer


@borrowing
def _take_vectors(b: Batch, statistics: Pointer, gradient: Pointer) -> None:
    """Read the gradients of γ and β and the mean statistics of the step into the thread's own statistics."""
    if statistics is None:  # decided when compiling, as in `fastmlp.engine.rows.pass_over`
        return
    for i in range(len(b.layers) - 1):
        layer = b.layers[i]
        n = layer.n_out
        scale(offset(gradient, layer.gamma), statistic(b, layer, DGAMMA), n, 1.0)
        scale(offset(gradient, layer.beta), statistic(b, layer, DBETA), n, 1.0)
        scale(offset(gradient, layer.running_mean), statistic(b, layer, MEAN), n, 1.0)
        scale(offset(gradient, layer.running_var), statistic(b, layer, VAR), n, 1.0)


@borrowing
def _update(work: Work) -> None:
    b, thread = shard(work, 0), work.member.thread
    scaled, mine = b.layers[0].factors >= 0, b.tiles[thread]
    if b.settings.norm != NORM_NONE:
        _take_vectors(b, b.statistics, pointer(b.state, 0))
    if scaled:
        factor_gradients(b, thread)
    if b.settings.clip > 0:
        for i in range(int(scaled), len(b.layers)):
            note_gradient_squares(b, i, mine[i, 0], mine[i, 1])
        if not wait(b.settings, work.member):
            return
    step_rest(b, thread, True)
    if thread == 0 and b.settings.norm != NORM_NONE:
        average_norms(b, b.statistics)
        if b.settings.affine != 0:
            update_norms(b, b.statistics)


@worker
def update(thread: int, layout: Layout, memory: Memory, share: Share, step: int) -> None:
    """Do the step of all parameters along the gradient in the state, as one thread of a team.

    All threads call this with the same arguments but `thread`, after the arrivals were set to 0.
    """
    mode = flush_denormals()
    _update(work_of(thread, layout, memory, share, step))
    set_mode(mode)


@worker
def add_gradients(out: Array, left: Array, right: Array) -> None:
    """``out = left + right``, of whole vectors that start on cache lines; `out` may be one of the others."""
    mode = flush_denormals()
    add(pointer(out, 0), pointer(left, 0), pointer(right, 0), out.size)
    set_mode(mode)
