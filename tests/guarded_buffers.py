"""Other buffers for the engine, with which reading what nobody wrote, or what lies beside a buffer, is noticed.

``pytest --buffers=MODE`` runs all tests of a session with them:

- ``end``: every buffer ends where an unreadable page begins. To touch what lies behind it ends the process.
- ``begin``: every buffer begins where an unreadable page ends.
- ``nan``: what a step or a prediction must write before it reads it holds NaN when the step or the prediction begins.

Pages guard whole buffers: a thread that leaves its part of a buffer, or a region of the buffer of rows, meets the next
one. Arrays of users, the scratch memory of the public kernels, and programs that tests start are as always.

In the mode ``nan`` an epoch is run step by step, so that no step finds what the one before it wrote: all rows,
statistics and sums, the costs of blocks, the squares of tiles and the copies of the weights are NaN. Lists, which are
bytes, are 255. What stays is what the engine relies on:

- The parameters and the state of the update rule live from step to step. Their padding is zeros from the allocation on:
  packing leaves it alone, and its gradients are 0. Products, updates and sums of squares read it.
- The copies of a network's weights that predictions read are written once, when the network is packed.
- In the buffer of rows, lanes beyond the last column are zeros, which every step writes, but for one case. On a CPU
  whose registers hold half a vector, products leave half of a last panel alone where all of it is padding (`half_tall`
  in `fastmlp.simd.target`); those lanes are zeros from the allocation on. Rows beyond the batch may hold anything.
- The counters of a team are integers, which `Workspace.reset` sets to 0.
"""

import ctypes
import mmap
import sys

import numpy as np
import pytest

from fastmlp.engine.epoch import Trainer
from fastmlp.engine.inference import _Forward
from fastmlp.engine.workspace import aligned
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import TILES

NOT_ACCESSIBLE = 0  # PROT_NONE of <sys/mman.h>
FILLED = ("rows", "statistics", "sums", "costs", "gradient_squares", "weight_squares", "copies")
LARGEST = 255  # of the numbers in a list

_run_steps, _run_chunks = Trainer._run, _Forward.run


def _guarded(size, dtype, *, behind):
    """Zeros beside an unreadable page, `behind` them or before; the memory is unmapped when no array views it.

    They end at the page exactly, so that no byte is unguarded. Where a buffer does not fill whole cache lines, it does
    not begin on one: the engine loads vectors from anywhere where an element may be (`fastmlp.simd.ir`).
    """
    length = size * np.dtype(dtype).itemsize
    pages = round_up(length, mmap.PAGESIZE)
    # private: what a forked process writes is its own
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
    """Fill the rows of one thread with NaN, but for the lanes that no product writes."""
    rows[:] = np.nan
    half = plan.lanes // 2
    for layer in plan.layers:
        columns = int(layer["n_out"])
        if TILES.half_tall and 0 < columns % plan.lanes <= half:
            for name in ("pre", "out", "dz"):
                last = int(layer[name]) + (ceil_divide(columns, plan.lanes) - 1) * plan.stride
                rows[last : last + plan.stride].reshape(-1, plan.lanes)[:, half:] = 0


def _run_step_by_step(trainer, order, steps, progress=None, weight_squares=None):
    """`Trainer._run`, each step in a run of its own with buffers that hold nothing."""
    batch, costs = trainer.plan.batch, [np.empty(0)]
    for i in range(len(steps)):
        for name in FILLED:
            if getattr(trainer.workspace, name) is not None:
                getattr(trainer.workspace, name)[:] = np.nan
        _fill_rows(trainer.plan, trainer.workspace.rows)
        trainer.workspace.lists[:] = LARGEST
        behind = None if weight_squares is None else weight_squares[i : i + 1]
        told = None if progress is None else lambda done, before=i: progress(before + done)
        costs.append(_run_steps(trainer, order[i * batch : (i + 1) * batch], steps[i : i + 1], told, behind))
        if not np.isfinite(costs[-1]).all():
            break
    return np.concatenate(costs)


def _run_with_nothing(forward, *arguments):
    """`_Forward.run` with buffers that hold nothing."""
    for rows in forward.rows.reshape(forward.threads, -1):
        _fill_rows(forward.plan, rows)
    forward.lists[:] = LARGEST
    return _run_chunks(forward, *arguments)


def use(mode, replace=setattr):
    """Let the engine use the buffers of a mode from now on, "usual" for its own; `replace` sets an attribute.

    Raises
    ------
    pytest.UsageError
        The mode needs pages that only Linux offers in this way.
    """
    if mode in ("end", "begin") and sys.platform != "linux":
        raise pytest.UsageError(f"--buffers={mode} needs Linux, this is {sys.platform}")
    allocate = {"end": ending, "begin": beginning}.get(mode, aligned)
    for name, module in list(sys.modules.items()):
        if name.startswith("fastmlp.") and "aligned" in vars(module):  # the engine's modules import it by its name
            replace(module, "aligned", allocate)
    replace(Trainer, "_run", _run_step_by_step if mode == "nan" else _run_steps)
    replace(_Forward, "run", _run_with_nothing if mode == "nan" else _run_chunks)
