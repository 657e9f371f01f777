"""Local SGD beside what it stands for: fits alone on each member's rows, and the mean of their parameters."""

import numpy as np
import pytest
from clusters import SMALL, cut

from fastmlp import dask, sklearn
from fastmlp.dask.local_sgd import Trained, average

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("options", [{"solver": "sgd", "momentum": 0.0}, {"solver": "adam", "alpha": 0.1}])
def test_an_epoch_is_the_weighted_mean_of_epochs_alone(client, table, options):
    X, _, y = table
    chosen = np.arange(240) < 170  # three members: 80, 80 and 10 rows
    dX, dy, mask = cut(X, y, chosen)
    one_epoch = SMALL | options | {"max_iter": 1, "shuffle": False}
    together = dask.MLPRegressor(**one_epoch).fit(dX[mask], dy[mask])
    parts = [slice(0, 80), slice(80, 160), slice(160, 170)]
    with pytest.warns(match="clipped"):
        copies = [sklearn.MLPRegressor(**one_epoch).fit(X[part], y[part]) for part in parts]
    mean = np.average([copy.network_.snapshot() for copy in copies], axis=0, weights=[80, 80, 10])
    np.testing.assert_allclose(together.network_.snapshot(), mean, rtol=1e-13)
    assert together.loss_ == pytest.approx(np.average([copy.loss_ for copy in copies], weights=[80, 80, 10]))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sync_every": 3},
        {"sync_every": 4, "sync_unit": "steps"},
        {"solver": "sgd", "momentum": 0.9, "learning_rate": "invscaling"},
    ],
)
def test_one_member_trains_as_an_estimator_alone(client, table, options):
    """All that a training remembers goes from round to round: moments, steps, rates."""
    X, y, _ = table
    common = SMALL | {"max_iter": 5, "shuffle": False} | options
    together = dask.MLPClassifier(**common).fit(*cut(X, y, n=1))
    local = {name: value for name, value in common.items() if not name.startswith("sync")}
    alone = sklearn.MLPClassifier(**local).fit(X, y)
    np.testing.assert_array_equal(together.network_.snapshot(), alone.network_.snapshot())
    np.testing.assert_allclose(together.loss_curve_, alone.loss_curve_, rtol=1e-13)
    for name in ("cost", "last_cost", "learning_rate", "steps"):
        found, expected = ([r[name] for r in model.history_.records] for model in (together, alone))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_rate_that_adapts_falls_behind_an_average(client, table):
    options = {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 5.0, "max_iter": 6}
    model = dask.MLPClassifier(sync_every=2, **SMALL | options).fit(*cut(*table[:2]))
    rates = [record["learning_rate"] for record in model.history_.records]
    np.testing.assert_allclose(rates, 0.01 / np.array([1, 1, 1, 1, 5, 5]))


def test_the_mean_is_weighted_by_rows():
    copies = [Trained(np.array([[1.0, 2.0], [0.0, 4.0]]), []), Trained(np.array([[5.0, 2.0], [8.0, 0.0]]), [])]
    np.testing.assert_array_equal(average(copies, [30, 10]), [[2.0, 2.0], [2.0, 3.0]])
    assert average(copies[:1], [30]) is copies[0].state
    assert average([Trained(copy.state.astype(np.float32), []) for copy in copies], [1, 1]).dtype == np.float32
