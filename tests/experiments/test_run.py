import json
from dataclasses import replace

import numpy as np
import pytest

import fastmlp
from fastmlp.experiments import Configuration, run_experiments, train_once
from fastmlp.experiments.folder import finite

SMALL = Configuration(batch_size=60, hidden=(6, 4), learning_rate=0.002, epochs=3)


def test_figures_are_those_of_the_network(small_data):
    X, _, X_test, y_test = small_data
    run = train_once(SMALL, small_data, seed=3, threads=1, name="none")
    net = fastmlp.MLP([X.shape[1], 6, 4, 3])
    assert [weight.shape for weight in run.weights] == [weight.shape for weight in net.weights]
    assert run.steps == 8 * run.epochs  # 480 of 600 samples in batches of 60
    assert run.final_cost == run.records[-1]["last_cost"]
    assert run.val_accuracy == pytest.approx(run.records[-1]["val_accuracy"])
    assert run.largest_weight == pytest.approx(max(np.abs(weight).max() for weight in run.weights))
    assert 0 < run.seconds < 60
    assert run.test_accuracy in {correct / len(y_test) for correct in range(len(y_test) + 1)}
    assert X_test.dtype == np.uint8
    json.dumps(finite(run.figures()), allow_nan=False)


def test_a_seed_fixes_a_run_and_another_one_changes_it(small_data):
    first, again, other = (train_once(SMALL, small_data, seed=seed, threads=1) for seed in (1, 1, 2))
    for weight, same, different in zip(first.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(weight, same)
        assert not np.array_equal(weight, different)


def test_l2_and_batch_norm_reach_the_training(small_data):
    plain = train_once(SMALL, small_data, seed=0, threads=1)
    decayed = train_once(replace(SMALL, weight_decay=10.0), small_data, seed=0, threads=1)
    normalised = train_once(replace(SMALL, batch_norm=True), small_data, seed=0, threads=1)
    assert sum(np.square(w).sum() for w in decayed.weights) < sum(np.square(w).sum() for w in plain.weights)
    assert not np.array_equal(normalised.weights[0], plain.weights[0])


def test_a_cost_that_is_not_finite_is_a_recorded_end(small_data):
    run = train_once(replace(SMALL, learning_rate=1e30), small_data, seed=0, threads=1)
    assert run.stopped_because == "cost not finite"
    assert run.epochs == 0
    assert run.final_cost is None


def test_an_interrupted_training_is_no_result(small_data, monkeypatch):
    def interrupted(*arguments, **options):
        return fastmlp.History(stopped_because="interrupted")

    monkeypatch.setattr("fastmlp.experiments.run.train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_once(SMALL, small_data, seed=0)


def test_every_experiment_runs_with_every_seed(small_data, small_experiments):
    seen = []
    runs, warm_up_seconds = run_experiments(
        small_data, experiments=small_experiments, seeds=[4, 9], threads=1, finished=seen.append
    )
    assert [(run.experiment, run.seed) for run in runs] == [
        (name, seed) for name in ("none", "batch norm", "L2") for seed in (4, 9)
    ]
    assert seen == runs
    assert set(warm_up_seconds) == {"none", "batch norm", "L2"}
    assert all(seconds > 0 for seconds in warm_up_seconds.values())
