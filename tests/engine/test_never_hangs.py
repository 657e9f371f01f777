"""Disturbed trainings end with the right result. No assertion is about speed.

Every test runs in its own process, which a watchdog ends if it hangs. A hang, a crash and a warning fail the test.
"""

import os

import pytest
from processes import answer


def test_more_threads_than_cores():
    for one, many, clean in answer("more_threads_than_cores"):
        assert one == many
        assert clean


def test_a_core_kept_busy():
    lone, beside, clean = answer("beside_a_busy_core")
    assert beside == [digest for digest in lone for _ in range(3)]
    assert clean


def test_eight_trainings_at_once():
    alone, together, clean = answer("eight_trainings_at_once")
    assert together == alone
    assert clean


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moment", ["after", "during"])
def test_a_forked_process(moment):
    expected, found, clean, after = answer("in_forked_processes", moment)
    assert found == [[*expected, True]] * 5
    assert clean
    assert after == expected[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_pool_of_forked_processes():
    expected, found = answer("in_a_pool_of_forked_processes")
    assert found == expected


# ---- Ctrl-C


@pytest.mark.parametrize("network", ["[[40, 8, 10], null, 16]", '[[784, 512, 512, 10], "after_relu", 1000]'])
def test_ctrl_c_at_any_moment(network):
    results, again = answer("interrupted_at_any_moment", network)
    assert len(results) >= 10
    for stopped_because, usable, seconds, clean in results:
        assert stopped_because == "interrupted"
        assert usable
        assert clean
        assert seconds < 20
    assert again == "epochs"


@pytest.mark.parametrize("optimizer", ["plain", "clipped"])
def test_ctrl_c_leaves_a_whole_step(optimizer):
    # the parameters after each step are known: the network must have those of the last complete step
    whole, found = answer("interrupted_between_steps", optimizer)
    assert len(set(whole)) == len(whole) > 700
    assert [whole[steps] for steps, _ in found] == [digest for _, digest in found]
    assert len({steps for steps, _ in found}) > 5


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_while_the_threads_start(threads):
    # Ctrl-C comes inside Thread.start, when the thread already runs
    whole, found, done, steps, clean = answer("interrupted_while_threads_start", threads)
    assert len(found) == 20
    assert max(done) < steps, "an interrupted team trained on to the end of the epoch"
    assert set(found) <= set(whole)
    assert clean


@pytest.mark.parametrize("networks", ["one", "many"])
def test_ctrl_c_twice_while_the_caller_takes_a_lock(networks):
    # the second one comes before the caller has looked at the first, just when the lock of its Condition is locked
    pressed, stopped_because, again = answer("interrupted_with_a_lock", networks)
    assert pressed == 1
    assert set(stopped_because) == {"interrupted"}
    assert again == "epochs"


@pytest.mark.parametrize("threads", ["new", "idle"])
def test_ctrl_c_at_every_line(threads):
    # KeyboardInterrupt is raised at the first line of `train` and the engine that the caller's thread runs, then at the
    # second line, and so on to the last. Python looks for signals after calls, so lines without a call are left out. So
    # is the end of a with block, where no signal can come.
    whole, results = answer("interrupted_at_every_line", threads)
    assert whole[0] != whole[1]
    assert len(results) > 100
    mixtures = {(place, outcome) for place, outcome, digest, _ in results if digest not in whole}
    assert not mixtures, "neither before nor after the step"
    left_behind = {(place, outcome) for place, outcome, _, clean in results if not clean}
    assert not left_behind, "threads or cores"
    assert {outcome for _, outcome, _, _ in results} <= {"interrupted", "raised", "epochs"}


# ---- errors


def test_an_exception_in_a_worker():
    assert answer("failing_worker") == [[["in a worker", True, True, True]] * 15] * 3


def test_a_thread_that_cannot_be_started():
    assert answer("thread_not_started") == [[["can't start new thread", True, True, True]] * 12] * 3


def test_a_cost_that_is_not_finite_ends_all_threads():
    assert answer("cost_not_finite") == [["cost not finite", True]] * 9
