"""Classes: found in all partitions, learned by all workers, predicted lazily."""

import copy
import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from clusters import SMALL, cut
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import compute_class_weight

import fastmlp
from fastmlp import sklearn as local
from fastmlp.dask import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def digest(estimator):
    return estimator.network_.snapshot().tobytes()


def test_it_learns_and_predicts_lazily(client, table):
    X, y, _ = table
    dX, dy = cut(X, y)
    model = MLPClassifier(**SMALL | {"max_iter": 40}).fit(dX, dy)
    predicted, proba = model.predict(dX), model.predict_proba(dX)
    assert isinstance(predicted, da.Array)
    assert (predicted.shape, predicted.chunks, predicted.dtype) == ((240,), dy.chunks, y.dtype)
    assert (proba.shape, proba.dtype) == ((240, 3), np.float64)
    found = predicted.compute()
    assert np.mean(found == y) > 0.85
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1).compute()], found)
    np.testing.assert_allclose(proba.sum(axis=1).compute(), 1)
    np.testing.assert_allclose(model.predict_log_proba(dX).compute(), np.log(proba.compute()))
    assert model.score(dX, dy) == pytest.approx(np.mean(found == y))
    weights = np.arange(240.0)
    assert model.score(dX, dy, *cut(weights)) == pytest.approx(np.average(found == y, weights=weights))


def test_the_fitted_estimator_as_a_local_one(client, table, tmp_path):
    X, y, _ = table
    dX, dy = cut(X, y)
    model = MLPClassifier(**SMALL).fit(dX, dy)
    alone = model.to_local()
    assert type(alone) is local.MLPClassifier
    np.testing.assert_array_equal(alone.predict(X), model.predict(dX).compute())
    np.testing.assert_array_equal(alone.predict_proba(X), model.predict_proba(dX).compute())
    assert alone.partial_fit(X, y).n_iter_ == 1
    assert digest(alone) != digest(model)
    again = pickle.loads(pickle.dumps(MLPClassifier(client=client, **SMALL).fit(dX, dy)))
    assert again.client is None
    np.testing.assert_array_equal(again.predict(dX).compute(), model.predict(dX).compute())
    model.network_.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        fastmlp.load(tmp_path / "model.safetensors").predict_proba(X), model.predict_proba(dX).compute()
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sync_every": 2, "dropout": 0.2, "batch_norm": True},
        {"sync_every": 2, "sync_unit": "steps", "solver": "sgd", "learning_rate": "invscaling"},
        {"solver": "sgd", "momentum": 0, "dropout": 0.2, "shuffle": False, "clip_norm": 1.0},
        {"schedule": fastmlp.schedules.Cosine(0.01), "weight_decay": 0.01, "class_weight": "balanced"},
    ],
    ids=["plain", "epochs", "steps", "sgd", "schedule"],
)
def test_the_same_bits_at_any_number_of_threads(client, table, options):
    X, y, _ = table
    dX, dy = cut(X, y)
    one, two, again = (MLPClassifier(threads=threads, **SMALL | options).fit(dX, dy) for threads in (1, 2, None))
    assert (one.n_threads_, two.n_threads_, again.n_threads_) == (3, 6, 6)
    assert digest(one) == digest(two) == digest(again)
    assert one.loss_curve_ == two.loss_curve_ == again.loss_curve_
    other = MLPClassifier(**SMALL | options | {"random_state": 4}).fit(dX, dy)
    assert digest(other) != digest(one)


def test_frames(client, table):
    X, y, _ = table
    frame = pd.DataFrame(X, columns=list("abcde")).assign(kind=y, weight=1.0)
    data = dd.from_pandas(frame, npartitions=6, sort=False)
    model = MLPClassifier(**SMALL).fit(data[list("abcde")], data["kind"], data["weight"])
    assert list(model.feature_names_in_) == list("abcde")
    arrays = MLPClassifier(**SMALL).fit(*cut(X, y))
    np.testing.assert_allclose(model.network_.snapshot(), arrays.network_.snapshot(), rtol=1e-12)
    predicted = model.predict(data[list("abcde")])
    assert isinstance(predicted, da.Array)
    np.testing.assert_array_equal(predicted.compute(), model.to_local().predict(frame[list("abcde")]))
    assert model.score(data[list("abcde")], data[["kind"]]) == np.mean(predicted.compute() == y)


def test_classes_that_few_partitions_have(client, table):
    X, y, _ = table
    order = np.argsort(y)  # each partition has one class or two
    dX, dy = cut(X[order], y[order])
    model = MLPClassifier(**SMALL).fit(dX, dy)
    assert list(model.classes_) == ["ant", "bee", "cat"]
    assert model.predict_proba(dX).compute().shape == (240, 3)
    weighted = MLPClassifier(class_weight="balanced", **SMALL).fit(dX, dy)
    factors = compute_class_weight("balanced", classes=model.classes_, y=y)
    named = MLPClassifier(class_weight=dict(zip(["ant", "bee", "cat"], factors, strict=True)), **SMALL).fit(dX, dy)
    assert digest(weighted) == digest(named) != digest(model)


def test_float32_and_integers_and_sparse_rows(client, table):
    X, y, _ = table
    assert MLPClassifier(**SMALL).fit(*cut(X.astype(np.float32), y)).network_.dtype == np.float32
    counts = np.abs(X * 50).astype(np.uint8)
    dense = MLPClassifier(**SMALL).fit(*cut(counts, y))
    assert dense.network_.dtype == np.float64
    rows, dy = cut(counts.astype(float), y)
    thin = MLPClassifier(**SMALL).fit(rows.map_blocks(sparse.csr_matrix), dy)
    assert digest(thin) == digest(MLPClassifier(**SMALL).fit(rows, dy)) == digest(dense)


def test_empty_partitions_are_left_out(client, table):
    X, y, _ = table
    dX, dy = cut(X, y)
    chosen = np.arange(240) < 70
    mask = cut(chosen)[0]
    few, few_y = dX[mask], dy[mask]
    model = MLPClassifier(**SMALL).fit(few, few_y)
    assert [numbers for numbers in model.partitions_ if 0 in numbers or 1 in numbers] == model.partitions_
    assert model.predict(few).compute().shape == (70,)
    assert 0 <= model.score(few, few_y) <= 1
    none = cut(np.zeros(240, bool))[0]
    with pytest.raises(ValueError, match="X must have at least one row, got none in all its partitions"):
        MLPClassifier(**SMALL).fit(dX[none], dy[none])


def test_validation_rows_stop_the_training(client, table):
    X, y, _ = table
    dX, dy = cut(X, y)
    valid = cut(X[:90], y[:90], n=2)
    weights = np.linspace(0, 1, 90)
    options = {"max_iter": 60, "n_iter_no_change": 2, "tol": 0.01, "early_stopping": True}
    model = MLPClassifier(**SMALL | options)
    model.fit(dX, dy, X_val=valid[0], y_val=valid[1], sample_weight_val=cut(weights, n=2)[0])
    assert model.history_.stopped_because == "early stopping"
    scores = [record["val_score"] for record in model.history_.records]
    assert scores == model.validation_scores_ == [record["val_accuracy"] for record in model.history_.records]
    best = model.to_local()  # early stopping goes back to the best
    right = best.predict(X[:90]) == y[:90]
    assert max(scores) == pytest.approx(np.average(right, weights=weights))
    proba = best.predict_proba(X[:90])[np.arange(90), np.searchsorted(best.classes_, y[:90])]
    record = model.history_.records[int(np.argmax(scores))]
    squares = sum(float(np.square(weight).sum()) for weight in best.network_.weights)
    penalty = record["val_cost"] - np.average(-np.log(proba), weights=weights)
    assert penalty == pytest.approx(0.5 * best.alpha / 16 * squares, rel=1e-6)


def test_averages_within_and_between_epochs(client, table):
    X, y, _ = table
    data = cut(X, y)
    valid = {"X_val": data[0], "y_val": data[1]}
    seen = []
    model = MLPClassifier(sync_every=2, callbacks=[lambda _, record: seen.append(record["epoch"])], **SMALL)
    model.set_params(max_iter=5).fit(*data, **valid)
    assert seen == [2, 4, 5]
    assert model.history_.epochs == 5
    assert [record["val_score"] is None for record in model.history_.records] == [True, False, True, False, False]
    steps = MLPClassifier(sync_every=2, sync_unit="steps", **SMALL).fit(*data, **valid)
    assert model.history_.records[0]["steps"] == 5  # 80 rows of each of three workers, in batches of 16
    assert len(steps.history_.batch_costs) == steps.history_.steps == 15
    assert None not in steps.validation_scores_
    whole = MLPClassifier(sync_every=5, sync_unit="steps", **SMALL).fit(*data)
    assert digest(whole) == digest(MLPClassifier(**SMALL).fit(*data))


def test_parameters_and_clones(client):
    model = MLPClassifier((4,), client=client, sync_every=3, sync_unit="steps", alpha=0.5)
    assert model.get_params()["sync_every"] == 3
    assert model.get_params()["hidden_layer_sizes"] == (4,)
    assert set(model.get_params()) - set(local.MLPClassifier().get_params()) == {"client", "sync_every", "sync_unit"}
    twin = clone(model)
    assert (twin.client, twin.alpha, twin.sync_unit) == (client, 0.5, "steps")
    assert copy.copy(model).alpha == 0.5
    assert not hasattr(model, "partial_fit")
    with pytest.raises(TypeError, match="alfa"):
        MLPClassifier(alfa=1)
