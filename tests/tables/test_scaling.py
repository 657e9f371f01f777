"""Scaling by quartiles, beside a twin that repeats rows instead of weighing them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.tables import scaling


def twin(x, weights):
    """The paper's preprocessing of one input, with quantiles that are elements of the data."""
    repeated = np.sort(np.repeat(x, weights))
    low, middle, high = np.quantile(repeated, [0.25, 0.5, 0.75], method="inverted_cdf")
    spread = high - low if high > low else (repeated[-1] - repeated[0]) / 2
    return middle, 1 / spread if spread else 0.0


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=1, max_size=30))
def test_weighted_rows_are_repeated_rows(rows):
    values, weights = np.array(rows, np.float64).T
    found = scaling.learned(values[:, None], weights)
    np.testing.assert_allclose((found.centre[0], found.factor[0]), twin(values, weights.astype(int)))


def test_scaled_inputs_by_hand():
    found = scaling.learned(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 4.0]]), np.ones(4))
    np.testing.assert_array_equal(found.centre, [1, 0])
    np.testing.assert_array_equal(found.factor, [1 / 2, 1 / 2])  # the first: from 0 to 2; the second: half of the range
    z = np.array([(3 - 1) / 2, 4 / 2])
    scaled = found(np.array([[3.0, 4.0]]))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_gaps_become_the_median():
    found = scaling.learned(np.arange(9.0)[:, None], np.ones(9))
    np.testing.assert_array_equal(found(np.array([[np.nan], [4.0]])), [[0], [0]])


@pytest.mark.parametrize(
    "values", [[-1.7e308, 1.7e308], [0.0, 5e-324], [-1e-320, 0.0, 1e-320, 1e308], [1e300, -1e-300]]
)
def test_extreme_numbers_stay_between_the_limits(values):
    x = np.array(values)[:, None]
    found = scaling.learned(x, np.ones(len(x)))
    assert np.isfinite([found.centre, found.factor]).all()
    assert (np.abs(found(x)) <= 3).all()


def test_a_constant_input_does_not_vary():
    found = scaling.learned(np.array([[7.0, 1.0], [7.0, 2.0]]), np.ones(2))
    assert found.varies.tolist() == [False, True]
    np.testing.assert_array_equal(found(np.array([[1e9, 1.0]]))[:, 0], 0)
