"""Shares of the work: every piece is done once, by any thread, and other threads do the share of a late thread."""

import threading
import time

import numba
import numpy as np
import pytest
from engine_runs import network, plan_of, problem
from networks import digest

from fastmlp import SGD, BatchNorm
from fastmlp.engine import Trainer, epoch, shares
from fastmlp.engine.plan import CHUNK_ROWS
from fastmlp.engine.settings import make_settings
from fastmlp.simd.atomics import LINE
from fastmlp.simd.pointer import pointer

WATCHDOG = 120


@numba.njit(nogil=True)
def _pieces(cells, total, unit, most, counts, sizes):
    """Take pieces until nothing is left and count each element; return the number of pieces."""
    number = 0
    while True:
        start, count = shares.take(pointer(cells, 0), total, unit, most)
        if count == 0:
            return number
        counts[start : start + count] += 1
        if number < len(sizes):
            sizes[number] = count
        number += 1


@numba.njit
def _shares(settings, n, found):
    s = settings[0]
    for thread in range(s.threads):
        found[thread, 0], found[thread, 1] = shares.share_of_rows(s, thread, n)
    return shares.row_pieces(s)


def _settings(plan, threads, dtype):
    return make_settings(plan, dtype, threads, "relu")


@pytest.mark.parametrize("total", [0, 1, 24, 25, 100, 500, 5003])
@pytest.mark.parametrize(("unit", "most"), [(1, 10**6), (24, 96), (32, 96), (96, 96), (7, 7 * 10**5)])
def test_pieces_cover_a_share(total, unit, most):
    counts, sizes = np.zeros(total, np.int64), np.zeros(total, np.int64)
    cells = np.zeros(LINE, np.int64)
    number = _pieces(cells, total, unit, most, counts, sizes)
    assert (counts == 1).all()
    assert cells[0] == total
    pieces = sizes[:number]
    assert pieces.sum() == total
    assert (pieces <= max(unit, most)).all()
    assert (pieces[:-1] % unit == 0).all()
    assert (np.diff(pieces) <= 0).all()  # the last pieces are the smallest


def test_every_element_is_taken_once_by_several_threads():
    total = 30_000
    for _ in range(20):
        cells, counts = np.zeros(LINE, np.int64), np.zeros((4, total), np.int64)
        nothing = np.zeros(0, np.int64)
        members = [
            threading.Thread(target=_pieces, args=(cells, total, 1, 3, counts[i], nothing)) for i in range(len(counts))
        ]
        for member in members:
            member.start()
        for member in members:
            member.join(WATCHDOG)
        assert (counts.sum(axis=0) == 1).all()


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 64])
def test_rows_are_shared_in_whole_blocks(threads, norm, dtype):
    for batch in (1, 7, 8, 31, 96, 97, 513, 1000, 7001):
        plan = plan_of((5, 9, 3), dtype, norm, batch)
        for n in {batch, 1, batch // 2 + 1}:  # the last mini-batch of an epoch may be smaller
            found = np.full((threads, 2), -1)
            unit, most = _shares(_settings(plan, threads, dtype), n, found)
            ends = found.sum(axis=1)
            assert found[0, 0] == 0
            assert ends[-1] == n
            starts = np.minimum(found[1:, 0], n)
            np.testing.assert_array_equal(starts, ends[:-1])
            assert (found[:, 0] % plan.block == 0).all()
            assert (found[:, 1] <= plan.block * -(-plan.blocks // threads)).all()
            assert unit % plan.block == most % plan.block == 0  # no block is split between pieces
            assert most <= max(plan.block, CHUNK_ROWS)
            if threads == 1:
                assert unit == most


@pytest.mark.parametrize("batch_norm", [None, BatchNorm()], ids=["none", "after"])
def test_a_late_threads_share_is_done_by_the_others(batch_norm, all_threads, monkeypatch):
    """The second thread begins after the first has taken all rows of both shares. The bits do not change."""
    X, y = problem(400, 40, 7, "uint8")
    order = np.random.default_rng(3).permutation(400)
    worker, trainers = epoch.train_steps, []

    def late(thread, *arguments):
        claims = trainers[-1].workspace.claims.reshape(2, -1)
        if thread == 1:
            end = time.monotonic() + WATCHDOG
            while claims[1, 0] < 200 and time.monotonic() < end:
                time.sleep(0.001)
            assert claims[1, 0] == 200, "the first thread waits instead of doing the second's rows"
        worker(thread, *arguments)

    digests = []
    for function in (worker, late):
        monkeypatch.setattr(epoch, "train_steps", function)
        net = network([40, 33, 7], batch_norm, input_scale=1 / 255)
        trainers.append(Trainer(net.network, X, y, 400, SGD(0.3), 2))
        costs = trainers[-1].run_epoch(order)
        digests.append((digest(net), costs.tobytes()))
    assert digests[0] == digests[1]
