"""Multipliers of the learning rate: what they are for each layer, and what is refused."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, Adam, AdamW, RateMultipliers, train, train_many


def test_one_for_all_layers_or_one_for_each():
    found = RateMultipliers(weights=0.5, biases=np.array([1, 0, 2])).of_layers(3)
    np.testing.assert_array_equal(found, [[0.5, 0.5, 0.5], [1, 0, 2]])
    np.testing.assert_array_equal(RateMultipliers().of_layers(2), np.ones((2, 2)))


def test_they_are_values():
    one, other = (RateMultipliers(weights=kind([0.5, 2])) for kind in (list, tuple))
    assert one == other
    assert hash(one) == hash(other)
    assert SGD(0.1).rate_multipliers == RateMultipliers()
    assert eval(repr(Adam(0.1, rate_multipliers=one))) == Adam(0.1, rate_multipliers=other)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"weights": -0.5}, ValueError, "weights must be a finite number of at least 0, got -0.5"),
        ({"weights": "2"}, TypeError, "weights must be a number, got '2'"),
        ({"biases": [1, np.nan]}, ValueError, r"biases\[1\] must be a finite number of at least 0, got nan"),
        ({"norms": [1.0]}, TypeError, "norms must be a number"),
    ],
)
def test_what_is_no_multiplier(settings, error, message):
    with pytest.raises(error, match=message):
        RateMultipliers(**settings)


@pytest.mark.parametrize("rule", [SGD, Adam, AdamW])
def test_optimizers_take_nothing_else(rule):
    with pytest.raises(TypeError, match="rate_multipliers must be a RateMultipliers, got 0"):
        rule(0.1, rate_multipliers=0)


def _train_many(net, X, y, optimizer):
    train_many([net], X, y, optimizers=optimizer)


@pytest.mark.parametrize("training", [train, _train_many])
def test_another_number_of_layers_changes_nothing(training, blobs):
    net = MLP([5, 4, 3])
    before, optimizer = net.snapshot().tobytes(), SGD(0.1, rate_multipliers=RateMultipliers(biases=[1.0, 0.5, 1.0]))
    with pytest.raises(ValueError, match="biases must be one multiplier or one for each of 2 layers, got 3"):
        training(net, *blobs, optimizer=optimizer)
    assert net.snapshot().tobytes() == before
