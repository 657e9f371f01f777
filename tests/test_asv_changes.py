"""Change points of a figure over the commits, and the noise of a night that is taken out before."""

import math

import numpy as np
import pytest
from asv_files import changes, nights

RNG = np.random.default_rng(3)


def series(*levels, noise=0.01, seed=0):
    """Levels as pairs of a value and the number of commits, with noise."""
    values = np.concatenate([np.full(count, value) for value, count in levels])
    return list(values * np.exp(np.random.default_rng(seed).normal(0, noise, len(values))))


def test_steps_are_found_with_their_place_size_and_confidence():
    found = changes.find(series((100, 20), (110, 20), (80, 20)))
    assert [change.start for change in found] == [20, 40]
    for change, ratio in zip(found, (1.1, 8 / 11), strict=True):
        assert change.earliest <= change.start <= change.latest
        assert change.low < ratio < change.high
        assert change.high - change.low < 0.03
        assert change.confidence >= 0.997


def test_place_of_a_small_step_is_a_range():
    (change,) = changes.find(series((100, 20), (102, 20), seed=1))
    assert change.earliest <= 20 <= change.latest
    assert change.latest - change.earliest >= 2


@pytest.mark.parametrize("length", [0, 1, 2, 5, 6, 7, 40])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_steady_series_of_any_length_have_none(length, noise):
    assert changes.find(series((100, length), noise=noise)) == []


def test_step_without_noise_is_found_with_its_size():
    (change,) = changes.find(series((100, 12), (103, 6), noise=0.0))
    assert (change.start, change.earliest, change.latest) == (12, 12, 12)
    assert change.ratio == pytest.approx(1.03)


def test_one_slow_night_is_no_change():
    values = series((100, 40))
    values[25] *= 1.5
    assert changes.find(values) == []


def test_last_level_has_three_commits_at_least():
    values = series((100, 30), (150, 2))
    assert all(change.start <= 29 for change in changes.find(values))
    assert [change.start for change in changes.find([*values, 150.0])] == [30]


def test_the_same_values_have_the_same_changes():
    values = series((100, 20), (105, 20), noise=0.02)
    assert changes.find(values) == changes.find(values)


def test_noise_is_that_of_the_series_without_its_steps():
    assert changes.noise(series((100, 100), (200, 100), noise=0.02)) == pytest.approx(0.02, rel=0.2)
    assert changes.noise([5.0]) == changes.noise([]) == 0


def test_what_the_peak_explains_is_taken_out():
    slow = np.exp(RNG.normal(0, 0.1, 30))
    values = 50 * slow
    factors, shares = nights.factors(values, [slow / 95])
    np.testing.assert_allclose(values / factors, np.full(30, np.median(values)), rtol=1e-5)
    assert shares == [pytest.approx(1)]


def test_a_share_is_estimated_beside_a_step():
    slow = np.exp(RNG.normal(0, 0.1, 40))
    steps = np.where(np.arange(40) < 25, 1.0, 1.3)
    _, shares = nights.factors(steps * slow**0.4, [slow])
    assert shares == [pytest.approx(0.4, abs=0.02)]


def test_variates_that_explain_nothing_change_nothing():
    values = np.exp(RNG.normal(0, 0.01, 40))
    against = 1 / values  # a slower machine cannot make a figure better
    factors, shares = nights.factors(values, [against])
    assert shares == [0]
    assert factors == [1] * 40


def test_nights_without_a_variate_stay_as_they_are():
    slow = np.exp(RNG.normal(0, 0.1, 30))
    known = [None if i in (3, 17) else value for i, value in enumerate(slow)]
    factors, _ = nights.factors(slow, [known])
    assert factors[3] == factors[17] == 1
    assert np.ptp(np.delete(slow / factors, [3, 17])) < 1e-9


@pytest.mark.parametrize("known", [[None] * 30, [1.0] * 30, [1.0, 2.0] + [None] * 28])
def test_too_few_or_equal_variates_are_not_used(known):
    assert nights.factors(np.exp(RNG.normal(0, 0.1, 30)), [known]) == ([1.0] * 30, [0.0])


def test_second_variate_explains_what_the_first_has_left():
    first, second = np.exp(RNG.normal(0, 0.1, (2, 60)))
    factors, shares = nights.factors(first * second**0.5, [first, second])
    assert shares == [pytest.approx(1, abs=0.15), pytest.approx(0.5, abs=0.15)]
    assert np.std(np.log(first * second**0.5 / factors)) < 0.03
    assert math.isclose(shares[0], nights.factors(first * second**0.5, [first])[1][0])
