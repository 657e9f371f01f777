"""Learning-rate schedules: values by hand, and their use in every step of a training."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, BatchNorm, schedules, train
from fastmlp.engine import Trainer
from fastmlp.schedules import Constant, Cosine, CosLog, InverseScaling, OneCycle, Schedule, StepDecay

STEPS = np.arange(12)  # the steps of 4 epochs with 3 steps each
SCHEDULES = [Constant(0.3), StepDecay(0.3, 0.5, 1), Cosine(0.3, 0.01), OneCycle(0.3), InverseScaling(0.3), CosLog(0.3)]


def rates(schedule):
    return schedule.rates(STEPS, 3, 4)


def test_constant():
    assert rates(Constant(0.5)).tolist() == [0.5] * 12


def test_step_decay():
    assert rates(StepDecay(1.0, 0.5, 2)) == pytest.approx([1.0] * 6 + [0.5] * 6)
    assert rates(StepDecay(1.0)).tolist() == [1.0] * 12


def test_cosine():
    found = rates(Cosine(2.0, 1.0))
    assert found[0] == 2.0
    assert found[6] == pytest.approx(1.5)
    assert found[3] == pytest.approx(1.5 + 0.5 * np.sqrt(0.5))
    assert 1.0 < found[11] < 1.02
    assert (np.diff(found) < 0).all()


def test_one_cycle():
    # 11 steps follow the first; the peak is after 0.3 · 11 = 3.3 of them
    found = rates(OneCycle(1.0, warmup=0.3, start_divisor=10, final_divisor=100))
    assert found[0] == pytest.approx(0.1)
    assert found[11] == pytest.approx(0.001)
    assert found.argmax() == 3
    assert found[1] == pytest.approx(1.0 - 0.9 * (1 + np.cos(np.pi / 3.3)) / 2)
    assert found[8] == pytest.approx(0.001 + 0.999 * (1 + np.cos(np.pi * 4.7 / 7.7)) / 2)


def test_one_cycle_of_a_single_step():
    assert OneCycle(1.0, start_divisor=4).rates(np.arange(1), 1, 1).tolist() == [0.25]


def test_cos_log():
    # log₂(1 + 15 t) is the number of the cycle: in 15 steps the cycles have 1, 2, 4 and 8 steps
    steps = np.arange(15)
    cycles = np.log2(1 + steps)
    found = CosLog(2.0).rates(steps, 5, 3)
    assert found == pytest.approx(1 - np.cos(2 * np.pi * cycles))
    assert found[[0, 1, 3, 7]] == pytest.approx([0.0] * 4)
    assert (found >= 0).all() and found[[4, 5, 9, 10, 11]].max() <= 2.0  # noqa: PT018
    one = CosLog(2.0, cycles=1).rates(steps, 5, 3)
    assert one == pytest.approx(1 - np.cos(2 * np.pi * np.log2(1 + steps / 15)))


def test_the_rates_of_cos_log_are_never_negative():
    for cycles in (1, 4, 50):
        found = CosLog(0.04, cycles).rates_of_epoch(0, 10007, 1)
        assert found[0] == 0.0
        assert found.max() == pytest.approx(0.04, rel=0.01)


def test_inverse_scaling():
    assert rates(InverseScaling(2.0)) == pytest.approx(2 / np.sqrt(1 + STEPS))
    assert rates(InverseScaling(2.0, 1.0))[9] == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_an_epochs_rates_are_those_of_the_whole_training(schedule):
    whole = rates(schedule)
    assert whole.dtype == np.float64
    pieces = [schedule.rates(STEPS[i : i + 3], 3, 4) for i in range(0, 12, 3)]
    assert np.concatenate(pieces).tolist() == whole.tolist()


@pytest.mark.parametrize("batch_norm", [None, BatchNorm(affine=True)], ids=["none", "affine"])
def test_every_step_has_its_rate(batch_norm, blobs):
    X, y = blobs
    order = np.random.default_rng(0).permutation(96)
    at_once, one_by_one = (MLP([5, 4, 3], batch_norm=batch_norm) for _ in range(2))
    changing = np.array([0.1, 0.03, 0.2])
    costs = Trainer(at_once.network, X, y, 32, SGD(1.0, 0.01), 2).run_epoch(order, rates=changing)
    trainer = Trainer(one_by_one.network, X, y, 32, SGD(1.0, 0.01), 2)
    singles = [trainer.run_epoch(order[32 * i : 32 * i + 32], rates=changing[i : i + 1]) for i in range(3)]
    assert costs.tolist() == np.concatenate(singles).tolist()
    assert at_once.snapshot().tobytes() == one_by_one.snapshot().tobytes()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_train_follows_the_schedule(schedule, blobs):
    X, y = blobs
    scheduled, by_hand = MLP([5, 4, 3]), MLP([5, 4, 3])
    options = {"validation": None, "batch_size": 50, "progress": False}
    history = train(scheduled, X, y, optimizer=SGD(schedule), epochs=4, seed=7, **options)
    rng, expected = np.random.default_rng(7), rates(schedule)
    trainer = Trainer(by_hand.network, X, y, 50, SGD(1.0), 1)
    for epoch in range(4):
        trainer.run_epoch(rng.permutation(150), rates=expected[3 * epoch : 3 * epoch + 3])
    assert scheduled.snapshot().tobytes() == by_hand.snapshot().tobytes()
    assert [record["learning_rate"] for record in history.records] == expected[2::3].tolist()


def test_a_number_is_a_constant_schedule(blobs):
    number, constant = MLP([5, 4, 3]), MLP([5, 4, 3])
    for net, rate in ((number, 0.1), (constant, Constant(0.1))):
        train(net, *blobs, optimizer=SGD(rate), batch_size=32, epochs=2, progress=False)
    assert number.snapshot().tobytes() == constant.snapshot().tobytes()


class Own(Schedule):
    def __init__(self, function):
        self.function = function

    def rates(self, steps, steps_per_epoch, epochs):
        return self.function(steps)


@pytest.mark.parametrize(
    "function",
    [lambda s: np.full(len(s), -0.1), lambda s: np.full(len(s), np.nan), lambda s: np.full(len(s) + 1, 0.1)],
    ids=["negative", "nan", "one too many"],
)
def test_wrong_rates_of_an_own_schedule_change_nothing(function, blobs):
    net = MLP([5, 4, 3])
    before = net.snapshot().tobytes()
    with pytest.raises(ValueError, match=r"must give 3 finite rates of at least 0 .* from 0 on, got shape \(\d,\)"):
        train(net, *blobs, validation=None, optimizer=SGD(Own(function)), batch_size=50, epochs=2, progress=False)
    assert net.snapshot().tobytes() == before


def test_own_schedules_may_return_integers(blobs):
    net = MLP([5, 4, 3])
    optimizer = SGD(Own(lambda s: np.zeros(len(s), np.int64)))
    before = net.snapshot().tobytes()
    train(net, *blobs, validation=None, optimizer=optimizer, batch_size=50, epochs=1, progress=False)
    assert net.snapshot().tobytes() == before


@pytest.mark.parametrize(
    ("schedule", "settings", "message"),
    [
        ("Constant", {"rate": 0.0}, "rate must be a finite number above 0, got 0.0"),
        ("StepDecay", {"rate": 0.1, "factor": -1}, "factor must be a finite number above 0, got -1"),
        ("StepDecay", {"rate": 0.1, "every": 0}, "every must be an integer of at least 1, got 0"),
        ("Cosine", {"rate": 0.1, "final": -0.1}, "final must be a finite number of at least 0, got -0.1"),
        ("OneCycle", {"peak": 0.1, "warmup": 1.0}, "warmup must be above 0 and below 1, got 1.0"),
        ("OneCycle", {"peak": 0.1, "warmup": 0}, "warmup must be above 0 and below 1, got 0"),
        ("OneCycle", {"peak": 0.1, "final_divisor": 0}, "final_divisor must be a finite number above 0, got 0"),
        ("CosLog", {"peak": 0.0}, "peak must be a finite number above 0, got 0.0"),
        ("CosLog", {"peak": 0.1, "cycles": 0}, "cycles must be an integer of at least 1, got 0"),
        ("CosLog", {"peak": 0.1, "cycles": 51}, "cycles must be at most 50, got 51"),
        ("InverseScaling", {"rate": 0.1, "power": -1}, "power must be a finite number of at least 0, got -1"),
    ],
)
def test_bad_settings(schedule, settings, message):
    with pytest.raises(ValueError, match=message):
        getattr(schedules, schedule)(**settings)
