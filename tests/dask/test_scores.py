"""Sums in several places add up to what all rows say."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from fastmlp.dask.scores import Evaluation, Moments, r2


def test_moments_of_parts_are_those_of_the_whole(rng):
    values, weights = rng.normal(1e4, 1, size=(70, 2)), rng.random(70)
    for own in (None, weights):
        parts = [Moments.of(values[i:j], None if own is None else own[i:j]) for i, j in ((0, 1), (1, 30), (30, 70))]
        found = parts[0] | parts[1] | parts[2]
        mean = np.average(values, axis=0, weights=own)
        shares = np.ones(70) if own is None else own
        assert found.weight == pytest.approx(shares.sum())
        np.testing.assert_allclose(found.mean, mean)
        np.testing.assert_allclose(found.spread, shares @ np.square(values - mean), rtol=1e-9)


def test_moments_of_rows_without_weight():
    empty = Moments.of(np.ones((2, 1)), np.zeros(2))
    assert (empty | empty).weight == 0
    np.testing.assert_array_equal((empty | Moments.of(np.array([[3.0], [5.0]]), None)).mean, [4.0])


def test_r2_is_scikit_learns(rng):
    y, found = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    residuals = np.square(y - found).sum(axis=0)
    assert r2(residuals, Moments.of(y, None).spread) == pytest.approx(r2_score(y, found))
    assert r2(np.array([0.0]), np.array([0.0])) == r2_score([1.0, 1.0], [1.0, 1.0]) == 1
    assert r2(np.array([2.0]), np.array([0.0])) == r2_score([1.0, 1.0], [2.0, 2.0]) == 0


def test_evaluations_add_up():
    total = Evaluation(2.0, 1.0, 1.5, None) | Evaluation(3.0, 4.0, 0.5, None)
    assert total == Evaluation(5.0, 5.0, 2.0, None)
    numbers = Evaluation(1.0, 1.0, None, np.array([1.0, 2.0])) | Evaluation(1.0, 1.0, None, np.array([1.0, 1.0]))
    assert numbers.right is None
    np.testing.assert_array_equal(numbers.residuals, [2.0, 3.0])
