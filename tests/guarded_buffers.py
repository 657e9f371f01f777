"""Buffers for the engine that reveal reads outside a buffer, and reads of memory that nobody has written.

``pytest --buffers=MODE`` runs all tests of a session with such buffers:

- ``end``: every buffer ends where an unreadable page begins. An access after the end of the buffer ends the process.
- ``begin``: every buffer begins where an unreadable page ends.
- ``nan``: at the beginning of a step or prediction, all memory that it must write before reading holds NaN.

The pages guard whole buffers. They do not notice a thread that leaves its part of a buffer, or a region of the buffer
of rows, and reads the next part. Arrays of users, the scratch memory of the public kernels, and programs that tests
start use ordinary memory.

In the mode ``nan`` an epoch runs step by step, so that no step finds values of the step before. All rows, statistics
and sums, the costs of blocks, the squares of tiles and the copies of the weights are NaN. Lists consist of bytes, which
are 255. The following memory keeps its values, since the engine relies on them:

- The parameters and the state of the update rule last from step to step. Their padding is zero from the allocation on:
  packing does not write it, and its gradients are 0. Products, updates and sums of squares read the padding.
- The copies of a network's weights that predictions read are written once, when the network is packed.
- In the buffer of rows, lanes after the last column are zero. Every step writes these zeros, with one exception. On a
  CPU whose registers hold half a vector, products do not write the half of a last panel that is only padding
  (`half_tall` in `fastmlp.simd.target`). These lanes are zero from the allocation on. Rows after the batch may hold any
  values.
- The counters of a team are integers, which `Workspace.reset` sets to 0.
"""

import ctypes
import mmap
import sys

import numpy as np
import pytest

from fastmlp.engine.epoch import Trainer
from fastmlp.engine.inference import ForwardPass
from fastmlp.engine.sharded import ShardTrainer
from fastmlp.engine.workspace import aligned
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import TILES

NOT_ACCESSIBLE = 0  # PROT_NONE of <sys/mman.h>
FILLED = ("rows", "statistics", "sums", "costs", "gradient_squares", "weight_squares", "copies")
LARGEST = 255  # the largest number in a list

_run_steps, _run_chunks, _sum = Trainer._run, ForwardPass.run, ShardTrainer.sum_gradients


def _guarded(size, dtype, *, behind):
    """Return zeros beside an unreadable page, which is `behind` the zeros or before them.

    The array touches the page, so that no byte is unguarded. If a buffer does not fill whole cache lines, it does not
    begin on a cache line. The engine can load vectors from any element's address (`fastmlp.simd.ir`). The memory is
    unmapped when no array uses it any more.
    """
    length = size * np.dtype(dtype).itemsize
    pages = round_up(length, mmap.PAGESIZE)
    # private, so that a forked process writes only its own copy
    memory = mmap.mmap(-1, pages + mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    whole = np.frombuffer(memory, np.uint8)
    page = ctypes.c_void_p(whole.ctypes.data + (pages if behind else 0))
    if ctypes.CDLL(None, use_errno=True).mprotect(page, ctypes.c_size_t(mmap.PAGESIZE), NOT_ACCESSIBLE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    start = pages - length if behind else mmap.PAGESIZE
    return whole[start : start + length].view(dtype)


def ending(size, dtype):
    """Zeros that end where an unreadable page begins."""
    return _guarded(size, dtype, behind=True)


def beginning(size, dtype):
    """Zeros that begin where an unreadable page ends."""
    return _guarded(size, dtype, behind=False)


def _fill_rows(plan, rows):
    """Fill the rows of one thread with NaN, except the lanes that no product writes."""
    rows[:] = np.nan
    half = plan.lanes // 2
    for layer in plan.layers:
        columns = int(layer["n_out"])
        if TILES.half_tall and 0 < columns % plan.lanes <= half:
            for name in ("pre", "out", "dz"):
                last = int(layer[name]) + (ceil_divide(columns, plan.lanes) - 1) * plan.stride
                rows[last : last + plan.stride].reshape(-1, plan.lanes)[:, half:] = 0


def _fill(trainer):
    """Fill what a step must write before it reads it."""
    workspace, parts = trainer.workspace, len(trainer.tree) if isinstance(trainer, ShardTrainer) else 1
    for name in FILLED:
        if getattr(workspace, name) is not None:
            getattr(workspace, name)[:] = np.nan
    for rows in workspace.rows.reshape(parts, -1):
        _fill_rows(trainer.plan, rows)
    workspace.lists[:] = LARGEST


def _sum_gradients(trainer, step):
    """`ShardTrainer.sum_gradients` with buffers that hold NaN at the beginning; the copies last from step to step."""
    copies = None if trainer.workspace.copies is None else trainer.workspace.copies.copy()
    _fill(trainer)
    if copies is not None:
        trainer.workspace.copies[:] = copies
    trainer.sums[:] = np.nan
    _sum(trainer, step)


def _run_step_by_step(trainer, order, steps, progress=None, weight_squares=None, afterwards=None):
    """`Trainer._run` with each step in its own run, whose buffers hold NaN at the beginning."""
    batch, costs = trainer.plan.batch, [np.empty(0)]
    for i in range(len(steps)):
        _fill(trainer)
        behind = None if weight_squares is None else weight_squares[i : i + 1]
        told = None if progress is None else lambda done, before=i: progress(before + done)
        last = afterwards if i == len(steps) - 1 else None
        costs.append(_run_steps(trainer, order[i * batch : (i + 1) * batch], steps[i : i + 1], told, behind, last))
        if not np.isfinite(costs[-1]).all():
            break
    return np.concatenate(costs)


def _run_with_nothing(forward, work):
    """`ForwardPass.run` with buffers that hold NaN at the beginning."""
    for rows in forward.rows.reshape(forward.threads, -1):
        _fill_rows(forward.plan, rows)
    forward.lists[:] = LARGEST
    return _run_chunks(forward, work)


def use(mode, replace=setattr):
    """Let the engine use the buffers of a mode from now on. "usual" restores its own; `replace` sets an attribute.

    Raises
    ------
    pytest.UsageError
        The mode needs pages that only Linux offers in this way.
    """
    if mode in ("end", "begin") and sys.platform != "linux":
        raise pytest.UsageError(f"--buffers={mode} needs Linux, this is {sys.platform}")
    allocate = {"end": ending, "begin": beginning}.get(mode, aligned)
    for name, module in list(sys.modules.items()):
        if name.startswith("fastmlp.") and "aligned" in vars(module):  # every module has its own name for the function
            replace(module, "aligned", allocate)
    replace(Trainer, "_run", _run_step_by_step if mode == "nan" else _run_steps)
    replace(ShardTrainer, "sum_gradients", _sum_gradients if mode == "nan" else _sum)
    replace(ForwardPass, "run", _run_with_nothing if mode == "nan" else _run_chunks)
