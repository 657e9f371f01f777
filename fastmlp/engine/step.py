"""The compiled worker: every thread of a team runs `train_steps`, one SGD step after the other.

A step: rows → barrier → (statistics → rows → barrier) for every phase that batch norm adds → update → barrier. A thread
has a share of the rows and of the parameters' tiles, and takes from the others' shares when it is done with its own.
"""

from typing import Any

import numpy as np

from fastmlp.compilation.jit import body, by_state, inlined, worker
from fastmlp.engine.plan import DBETA, DGAMMA, MEAN, NORM_NONE, VAR
from fastmlp.engine.rows import Batch, descend_tiles, merge, pass_over, phases, statistic
from fastmlp.engine.rules import clip_factor, note_weight_squares, rule_tiles, rule_vector, step_tiles, total_of
from fastmlp.engine.shares import blocks_of, row_cell, row_pieces, share_of_rows, take, tile_cell, tile_unit
from fastmlp.kernels.update import average, descend
from fastmlp.simd.atomics import HALT, LINE, SKIPPED, STEPS_DONE, STOP, barrier, load_shared, store_shared
from fastmlp.simd.pointer import offset, pointer


@inlined
def _wait(s: Any, control: Any, arrivals: Any) -> bool:
    arrivals[0] += s.threads
    return barrier(control, arrivals[0], s.spins)


@inlined
def _stopping(control: Any) -> bool:
    """Whether the stop cell is set; if so, the team learns that this step's rows are not all done."""
    if load_shared(offset(control, STOP)) == 0:
        return False
    store_shared(offset(control, SKIPPED), 1)
    return True


@inlined
def _rows(b: Any, phase: int, thread: int, claims: Any, stride: int, control: Any) -> None:
    """One phase: the thread's own share of the rows, then what the others have not begun."""
    store_shared(row_cell(claims, stride, thread, phase + 1), 0)
    unit, most = row_pieces(b.s)
    for turn in range(b.s.threads):
        owner = (thread + turn) % b.s.threads
        first, total = share_of_rows(b.s, owner, b.n)
        if turn > 0 and total <= unit:  # one piece: its owner takes it, and slows down when others look at its cell
            continue
        while not _stopping(control):
            start, count = take(row_cell(claims, stride, owner, phase), total, unit, most)
            if count == 0:
                break
            pass_over(b, phase, first + start, count)


@inlined
def _plain_tiles(b: Any, i: int, first: int, last: int) -> None:
    descend_tiles(b, i, b.parameters, first, last, b.step.rate, 1.0 - b.step.rate * b.step.l2, i > 0)


_tiles = by_state(
    _plain_tiles,
    rule_tiles,
    "A step of some tiles, whose gradients over all rows go from the registers into the parameters or the state.",
)


@inlined
def _update(b: Any, thread: int, claims: Any, stride: int) -> None:
    """The thread's own tiles of all layers, then what the others have not begun."""
    store_shared(row_cell(claims, stride, thread, 0), 0)
    for turn in range(b.s.threads):
        owner = (thread + turn) % b.s.threads
        for i in range(len(b.layers) - 1, -1, -1):
            first, total = b.tiles[owner, i, 0], b.tiles[owner, i, 1] - b.tiles[owner, i, 0]
            cell, unit = tile_cell(claims, stride, owner, i), tile_unit(b.s, b.n, total)
            if turn > 0 and total <= unit:
                continue
            while True:
                start, count = take(cell, total, unit, total)
                if count == 0:
                    break
                _tiles(b, i, first + start, first + start + count)
                if b.s.clip == 0:
                    note_weight_squares(b, i, first + start, first + start + count)


@inlined
def _nothing_clipped(b: Any, thread: int, control: Any, arrivals: Any) -> bool:
    return True


@inlined
def _clipped(b: Any, thread: int, control: Any, arrivals: Any) -> bool:
    """With clipping, no parameter can take its step before the gradients of all are there."""
    if b.s.clip == 0:
        return True
    if not _wait(b.s, control, arrivals):
        return False
    factor = clip_factor(b)
    for i in range(len(b.layers)):
        step_tiles(b, i, b.tiles[thread, i, 0], b.tiles[thread, i, 1], factor)
        note_weight_squares(b, i, b.tiles[thread, i, 0], b.tiles[thread, i, 1])
    return True


_step_clipped = by_state(_nothing_clipped, _clipped, "The steps that waited for the norm; False where the team ends.")


@inlined
def _plain_vector(b: Any, which: int, gradient: Any, n: int) -> None:
    descend(offset(b.parameters, which), gradient, n, b.step.rate)


_descend = by_state(_plain_vector, rule_vector, "A step of the vector at a place among the parameters.")


@body
def _average_norms(b: Any) -> None:
    """Running averages of all normalised layers."""
    for i in range(len(b.layers) - 1):
        layer = b.layers[i]
        average(offset(b.parameters, layer.running_mean), statistic(b, layer, MEAN), layer.n_out, b.s.momentum)
        average(offset(b.parameters, layer.running_var), statistic(b, layer, VAR), layer.n_out, b.s.momentum)


@body
def _update_norms(b: Any) -> None:
    """γ and β of all normalised layers."""
    for i in range(len(b.layers) - 1):
        layer = b.layers[i]
        _descend(b, layer.gamma, statistic(b, layer, DGAMMA), layer.n_out)
        _descend(b, layer.beta, statistic(b, layer, DBETA), layer.n_out)


@inlined
def _mean_cost(b: Any) -> float:
    cost = 0.0
    for block in range(blocks_of(b.s, b.n)):
        cost += b.costs[block]
    return cost / b.step.weight


@worker
def train_steps(thread: int, settings: Any, layers: Any, tiles: Any, parameters: Any, state: Any, rows: Any,
                statistics: Any, moments: Any, block_costs: Any, squares: Any, weight_squares: Any, steps: Any,
                step_costs: Any, step_squares: Any, order: Any, control_cells: Any, arrival_counts: Any,
                claim_cells: Any, lists: Any) -> None:  # fmt: skip
    """Train on the rows `order`, cut into mini-batches, as one thread of a team.

    Every thread of the team calls this with the same arguments but `thread`. Each step has its record in `steps`
    (`fastmlp.engine.settings.STEP`) and leaves its cost in `step_costs` and, where that is wanted, the Σ‖W‖² behind it
    in `step_squares`. Ends early, after a whole step, when the stop cell is set or a cost is not finite.
    """
    s = settings[0]
    control, arrivals = pointer(control_cells, 0), pointer(arrival_counts, LINE * thread)
    claims, stride = pointer(claim_cells, 0), claim_cells.size // s.threads
    for step in range(step_costs.size):
        position = step * s.batch
        known = order.size - position
        b = Batch(
            s,
            layers,
            tiles,
            pointer(parameters, 0),
            state,
            pointer(rows, 0),
            pointer(statistics, thread * (statistics.size // s.threads)),
            pointer(moments, 0),
            pointer(block_costs, 0),
            pointer(squares, 0),
            pointer(weight_squares, 0),
            pointer(order, position),
            known,
            min(s.batch, known),
            steps[step],
            pointer(lists, thread * (lists.size // s.threads)),
        )
        for i in range(len(layers)):
            store_shared(tile_cell(claims, stride, thread, i), 0)
        for phase in range(phases(b)):
            if phase > 0:
                if not _wait(s, control, arrivals):
                    return
                merge(b, phase)
            _rows(b, phase, thread, claims, stride, control)
        if not _wait(s, control, arrivals) or load_shared(offset(control, SKIPPED)) != 0:
            return
        if thread == 0:
            step_costs[step] = _mean_cost(b)
            if load_shared(offset(control, STOP)) != 0 or not np.isfinite(step_costs[step]):
                store_shared(offset(control, HALT), 1)
            if s.norm != NORM_NONE:
                _average_norms(b)
        _update(b, thread, claims, stride)
        if not _step_clipped(b, thread, control, arrivals):
            return
        if thread == 0 and s.affine != 0:
            _update_norms(b)
        if not _wait(s, control, arrivals):
            return
        if thread == 0:
            if s.weight_squares != 0:
                step_squares[step] = total_of(b, b.weight_squares)
            store_shared(offset(control, STEPS_DONE), step + 1)
        if load_shared(offset(control, HALT)) != 0:
            return
