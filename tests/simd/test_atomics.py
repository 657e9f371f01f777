"""The shared counter and the barrier, with several threads at the same time."""

import sys
import threading
import time

import numba
import numpy as np
import pytest

from fastmlp.simd import atomics
from fastmlp.simd.atomics import ABANDONED, ARRIVED, CONTROL_CELLS, LINE, STOP
from fastmlp.simd.pointer import offset, pointer

CELLS = (ARRIVED, STOP, ABANDONED, atomics.SKIPPED, atomics.HALT, atomics.STEPS_DONE)


@numba.njit(nogil=True)
def _count(control, turns):
    for _ in range(turns):
        atomics.fetch_add(pointer(control, 0), 1)


@numba.njit(nogil=True)
def _count_by_exchange(control, turns):
    """Add 1 `turns` times; return how often another thread wrote between the load and the exchange."""
    cell, lost = pointer(control, 0), 0
    for _ in range(turns):
        before = atomics.load_shared(cell)
        while not atomics.compare_exchange(cell, before, before + 1):
            lost += 1
            before = atomics.load_shared(cell)
    return lost


@numba.njit(nogil=True)
def _rounds(control, threads, thread, rounds, slots):
    """Write the round's number into the own slot; return how often another slot did not have it after the barrier."""
    cells = pointer(control, 0)
    target, wrong = 0, 0
    for number in range(1, rounds + 1):
        atomics.store_shared(offset(pointer(slots, 0), 8 * thread), number)
        target += threads
        if not atomics.barrier(cells, target, 100):
            return -1
        for other in range(threads):
            wrong += atomics.load_shared(offset(pointer(slots, 0), 8 * other)) != number
        target += threads
        if not atomics.barrier(cells, target, 100):
            return -1
    return wrong


def _run(functions):
    results = [None] * len(functions)

    def call(i):
        results[i] = functions[i]()

    members = [threading.Thread(target=call, args=(i,)) for i in range(len(functions))]
    for member in members:
        member.start()
    for member in members:
        member.join(60)
    assert not any(member.is_alive() for member in members)
    return results


def test_cells_lie_on_lines_of_their_own():
    assert sorted(CELLS) == [LINE * i for i in range(len(CELLS))]
    assert max(CELLS) + LINE <= CONTROL_CELLS


def test_no_addition_is_lost():
    control = np.zeros(CONTROL_CELLS, np.int64)
    _count(control, 0)
    _run([lambda: _count(control, 100_000)] * 4)
    assert control[0] == 400_000
    assert not control[1:].any()


def test_an_exchange_needs_the_expected_value():
    exchange = numba.njit(
        lambda control, expected, value: atomics.compare_exchange(pointer(control, 0), expected, value)
    )
    control = np.full(CONTROL_CELLS, 5, np.int64)
    assert not exchange(control, 4, 7)
    assert (control == 5).all()
    assert exchange(control, 5, 7)
    assert control[0] == 7
    assert (control[1:] == 5).all()


def test_no_exchange_is_lost():
    control = np.zeros(CONTROL_CELLS, np.int64)
    assert _count_by_exchange(control, 0) == 0
    _run([lambda: _count_by_exchange(control, 100_000)] * 4)
    assert control[0] == 400_000


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_leaves_a_barrier_before_all_have_come(threads):
    rounds = 400 if threads > 2 else 20_000  # fewer rounds, because more threads than cores wait for each other
    control, slots = np.zeros(CONTROL_CELLS, np.int64), np.zeros(8 * threads, np.int64)
    assert _run([lambda i=i: _rounds(control, threads, i, rounds, slots) for i in range(threads)]) == [0] * threads
    assert control[ARRIVED] == 2 * rounds * threads


def test_an_abandoned_team_is_released():
    control, slots = np.zeros(CONTROL_CELLS, np.int64), np.zeros(16, np.int64)
    timer = threading.Timer(0.1, control.__setitem__, (ABANDONED, 1))
    timer.start()
    assert _run([lambda: _rounds(control, 2, 0, 5, slots)]) == [-1]  # the second thread never comes
    timer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="there a sleep may take 16 ms, so none does")
def test_who_waits_long_sleeps():
    control, slots = np.zeros(CONTROL_CELLS, np.int64), np.zeros(16, np.int64)
    _rounds(control.copy(), 1, 0, 1, slots)  # compiles
    timer = threading.Timer(0.5, control.__setitem__, (ABANDONED, 1))
    timer.start()
    before = time.thread_time()
    assert _rounds(control, 2, 0, 5, slots) == -1
    used = time.thread_time() - before
    timer.join()
    assert used < 0.25  # seconds of CPU time, of at least 0.5 of waiting
