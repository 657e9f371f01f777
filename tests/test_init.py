"""Initialisers: the standard deviation of each, and their use by a network."""

import numpy as np
import pytest

import fastmlp
from fastmlp import MLP, init

N_IN, N_OUT = 400, 100
# 40,000 draws: the relative standard error of a standard deviation is 1 / sqrt(80,000) = 0.0035
SPREAD = 0.02


@pytest.mark.parametrize(
    ("initialiser", "deviation"),
    [
        (init.simple(), 0.05),
        (init.simple(scale=0.3), 0.3),
        (init.xavier(), (2 / 500) ** 0.5),
        (init.kaiming(), (2 / 400) ** 0.5),
        (init.xavier(gain=0.5), 0.5 * (2 / 500) ** 0.5),
        (init.kaiming(gain=0.5), 0.5 * (2 / 400) ** 0.5),
        (init.lecun(), (1 / 400) ** 0.5),
        (init.lecun(gain=2.0), 2 * (1 / 400) ** 0.5),
        (init.xavier_half, 0.5 * (2 / 500) ** 0.5),
        (init.kaiming_half, 0.5 * (2 / 400) ** 0.5),
    ],
    ids=repr,
)
def test_standard_deviation(initialiser, deviation):
    weight = initialiser(np.random.default_rng(5), N_IN, N_OUT)
    assert weight.shape == (N_IN, N_OUT)
    assert weight.dtype == np.float64
    assert weight.std() == pytest.approx(deviation, rel=SPREAD)
    assert abs(weight.mean()) < 4 * deviation / 200


def test_fan_in_and_fan_out_are_not_swapped():
    tall, wide = (init.kaiming()(np.random.default_rng(0), *shape).std() for shape in ((1000, 10), (10, 1000)))
    assert wide / tall == pytest.approx(10.0, rel=0.05)


@pytest.mark.parametrize("pair", [(init.xavier(), init.xavier_half), (init.kaiming(), init.kaiming_half)], ids=repr)
def test_halves_are_half_of_the_same_draw(pair):
    full, half = (initialiser(np.random.default_rng(3), 7, 5) for initialiser in pair)
    np.testing.assert_array_equal(half, full / 2)


def test_network_draws_layer_by_layer_from_its_seed():
    net = MLP([7, 5, 3], init=init.simple(0.1), dtype="float64", seed=9)
    rng = np.random.default_rng(9)
    np.testing.assert_array_equal(net.weights[0], 0.1 * rng.standard_normal((7, 5)))
    np.testing.assert_array_equal(net.weights[1], 0.1 * rng.standard_normal((5, 3)))
    assert not any(bias.any() for bias in net.biases)


def test_biases_are_drawn_behind_all_weights():
    net = MLP([7, 5, 3], init=init.lecun(), bias_init=init.simple(1.0), dtype="float64", seed=9)
    plain = MLP([7, 5, 3], init=init.lecun(), dtype="float64", seed=9)
    rng = np.random.default_rng(9)
    for weight, same in zip(net.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(weight, np.sqrt(1 / len(weight)) * rng.standard_normal(weight.shape))
        np.testing.assert_array_equal(weight, same)
    for bias in net.biases:
        np.testing.assert_array_equal(bias, rng.standard_normal(bias.shape))


def test_layers_may_have_initialisers_of_their_own():
    net = MLP([7, 5, 3], init=[init.simple(0.1), init.zeros()], bias_init=(init.simple, init.zeros), seed=9)
    assert net.weights[0].all() and net.biases[0].all()  # noqa: PT018
    assert not net.weights[1].any() and not net.biases[1].any()  # noqa: PT018


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"init": 0.1}, TypeError, "init must be an initialiser such as .*, got 0.1"),
        ({"init": "kaiming"}, TypeError, "init must be an initialiser such as .*, got 'kaiming'"),
        ({"init": [init.zeros]}, ValueError, "init must be one initialiser or one for each of 2 layers, got 1"),
        ({"bias_init": [init.zeros, 0.0]}, TypeError, r"bias_init\[1\] must be an initialiser such as .*, got 0.0"),
        ({"bias_init": []}, ValueError, "bias_init must be one initialiser or one for each of 2 layers, got 0"),
        (
            {"bias_init": lambda rng, n_in, n_out: np.zeros(n_out)},
            ValueError,
            r"bias_init must return an array \(1, 5\) for these widths, got \(5,\)",
        ),
    ],
)
def test_what_is_no_initialiser(settings, error, message):
    with pytest.raises(error, match=message):
        MLP([7, 5, 3], **settings)


def test_default_is_kaiming():
    default, kaiming = MLP([50, 20, 10], seed=1), MLP([50, 20, 10], seed=1, init=init.kaiming())
    for weight, expected in zip(default.weights, kaiming.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_any_function_is_an_initialiser():
    net = fastmlp.MLP([3, 2], init=lambda rng, n_in, n_out: np.full((n_in, n_out), 0.25))
    assert (net.weights[0] == 0.25).all()


def test_initialisers_are_values():
    assert init.simple(0.1) == init.simple(scale=0.1)
    assert init.xavier_half == init.xavier(0.5)
    with pytest.raises(AttributeError):
        init.simple().scale = 1.0
