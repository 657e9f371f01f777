"""Numbers: one or several for each row, R² over all partitions."""

import dask.array as da
import numpy as np
import pytest
from clusters import SMALL, cut
from sklearn.metrics import r2_score

from fastmlp import sklearn as local
from fastmlp.dask import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_one_number(client, table):
    X, _, y = table
    dX, dy = cut(X, y)
    model = MLPRegressor(**SMALL | {"max_iter": 60}).fit(dX, dy)
    predicted = model.predict(dX)
    assert isinstance(predicted, da.Array)
    assert predicted.shape == (240,)
    found = predicted.compute()
    assert model.score(dX, dy) == pytest.approx(r2_score(y, found), abs=1e-12)
    assert model.score(dX, dy) > 0.8
    alone = model.to_local()
    assert type(alone) is local.MLPRegressor
    np.testing.assert_array_equal(alone.predict(X), found)


def test_several_numbers_with_weights_and_validation(client, table):
    X, _, y = table
    Y, weights = np.column_stack([y, 100 - 3 * y]), np.linspace(0, 2, 240)
    data = cut(X, Y, weights)
    valid = dict(zip(("X_val", "y_val", "sample_weight_val"), cut(X, Y, weights, n=2), strict=True))
    options = {"early_stopping": True, "max_iter": 8}
    model = MLPRegressor("huber", **SMALL | options).fit(*data, **valid)
    found = model.predict(data[0]).compute()
    assert found.shape == (240, 2)
    score = r2_score(Y, found, sample_weight=weights)
    assert model.score(*data) == pytest.approx(score, abs=1e-9)
    assert max(model.validation_scores_) == pytest.approx(score, abs=1e-9)


def test_counts(client, table):
    X, _, y = table
    dX, dy = cut(X, np.abs(y).round())
    assert (MLPRegressor("poisson", **SMALL).fit(dX, dy).predict(dX).compute() > 0).all()
    model = MLPRegressor("poisson", **SMALL)
    with pytest.raises(ValueError, match="loss='poisson' needs y of at least 0, got -"):
        model.fit(dX, -dy)
    assert not hasattr(model, "network_")


def test_a_cost_that_is_not_finite(client, table):
    X, _, y = table
    model = MLPRegressor(**SMALL | {"learning_rate_init": 1e200, "solver": "sgd"})
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(*cut(X, y))
