"""Tables as they come: what is learned does not depend on the library, on threads or on pickling."""

import _thread
import pickle
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor
from fastmlp.sklearn.tabular.recipe import Recipe

from .conftest import SMALL


def test_numbers_and_classes_are_learned(table, price, grade, classifier, regressor):
    assert regressor.fit(table[::2], price[::2]).score(table[1::2], price[1::2]) > 0.8
    assert classifier.fit(table[::2], grade[::2]).score(table[1::2], grade[1::2]) > 0.65
    assert classifier.classes_.tolist() == ["high", "low", "middle"]
    proba = classifier.predict_proba(table)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert (classifier.classes_[proba.argmax(axis=1)] == classifier.predict(table)).all()
    assert classifier.feature_names_in_.tolist() == list(table.columns)


@pytest.mark.parametrize(
    "convert",
    [
        pl.from_pandas,
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: pl.from_pandas(frame).to_arrow(),
    ],
    ids=["polars", "pandas of Arrow", "pyarrow"],
)
def test_all_libraries_give_the_same_bits(table, price, regressor, convert):
    expected = clone(regressor).fit(table, price).predict(table)
    found = regressor.fit(convert(table), price)
    np.testing.assert_array_equal(found.predict(convert(table)), expected)


def test_the_target_may_be_a_column_of_any_library(table, grade, classifier):
    expected = clone(classifier).fit(table, grade.to_numpy()).predict_proba(table)
    for y in grade, grade.astype("category"), grade.astype("string"), pl.from_pandas(grade), grade.tolist():
        np.testing.assert_array_equal(clone(classifier).fit(table, y).predict_proba(table), expected)


def test_any_number_of_threads_gives_the_same_bits(table, price):
    one, two = (TabularMLPRegressor(n_ens=2, threads=n, **SMALL).fit(table, price).predict(table) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_several_networks_are_averaged(table, grade):
    model = TabularMLPClassifier(n_ens=3, threads=2, **SMALL).fit(table, grade)
    x = model.encoder_(model._table(table, reset=False))
    each = [net.predict_proba(x) for net in model.networks_]
    assert len(each) == len(model.histories_) == 3
    assert (each[0] != each[1]).any()
    np.testing.assert_array_equal(model.predict_proba(table), np.mean(each, axis=0))
    alone = TabularMLPClassifier(**SMALL).fit(table, grade)
    np.testing.assert_array_equal(alone.predict_proba(table), each[0])


def test_predictions_of_parts_are_those_of_the_whole(table, price, regressor, monkeypatch):
    whole = regressor.fit(table, price).predict(table)
    monkeypatch.setattr("fastmlp.sklearn.tabular.base.ROWS_AT_A_TIME", 100)
    np.testing.assert_array_equal(regressor.predict(table), whole)
    np.testing.assert_array_equal(regressor.predict(table[:1]), whole[:1])


def test_pickled(table, price, regressor):
    expected = regressor.fit(table, price).predict(table)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict(table), expected)


def test_held_out_rows_of_ones_own(table, price, regressor):
    regressor.fit(table[:160], price[:160], X_val=table[160:], y_val=price[160:])
    (history,) = regressor.histories_
    costs = [record["val_cost"] for record in history.records]
    assert history.best_epoch == 1 + np.argmin(costs)
    mean, scale = price[:160].mean(), price[:160].std(ddof=0)
    x = regressor.encoder_(regressor._table(table[160:], reset=False))
    errors = regressor.networks_[0].outputs(x)[:, 0] - (price[160:] - mean) / scale
    np.testing.assert_allclose(np.mean(errors**2) / 2, min(costs), rtol=1e-5)


def test_the_epoch_of_the_smallest_cost_is_kept_not_that_of_the_fewest_errors(table, grade, classifier):
    """The probabilities count too, and among few rows an error more or less is a matter of luck."""
    (history,) = classifier.fit(table, grade).histories_
    costs, accuracies = (np.array([record[of] for record in history.records]) for of in ("val_cost", "val_accuracy"))
    assert history.best_epoch == 1 + np.argmin(costs)
    assert accuracies[history.best_epoch - 1] < accuracies.max()


def test_small_tables_and_a_fraction_of_0_hold_nothing_out(table, price, regressor):
    assert clone(regressor).fit(table[:49], price[:49]).histories_[0].records[-1]["val_cost"] is None
    assert clone(regressor).fit(table[:50], price[:50]).histories_[0].records[-1]["val_cost"] is not None
    regressor.set_params(validation_fraction=0.0)
    assert regressor.fit(table, price).histories_[0].best_epoch is None


def test_predictions_stay_in_the_range_of_the_targets(table, price, regressor):
    regressor.fit(table[price < 1], price[price < 1])
    assert regressor.predict(table).max() <= price[price < 1].max() < price.max()


def test_several_targets(table, price, regressor):
    both = np.stack([price, 100 - 3 * price], axis=1)
    predicted = regressor.fit(table, both).predict(table)
    assert predicted.shape == both.shape
    assert regressor.score(table, both) > 0.8


def test_a_constant_target(table, regressor):
    assert set(regressor.fit(table, np.full(len(table), 7.0)).predict(table)) == {7.0}


def test_class_weights(table, grade):
    rare = np.where(grade == "high", "high", "other")
    counts = {name: (rare == name).sum() for name in ("high", "other")}
    balanced = {name: len(rare) / (2 * count) for name, count in counts.items()}
    weights = ({"high": 0.02}, {"high": 50.0}, "balanced", balanced)
    low, high, by_name, by_hand = (
        TabularMLPClassifier(class_weight=weight, validation_fraction=0.0, **SMALL).set_params(max_epochs=10)
        .fit(table, rare).predict_proba(table)
        for weight in weights
    )  # fmt: skip
    assert high[:, 0].mean() > by_name[:, 0].mean() + 0.1 > low[:, 0].mean() + 0.2
    np.testing.assert_array_equal(by_name, by_hand)


def test_rows_of_weight_0_are_left_out(table, price, regressor):
    weight = (np.arange(len(table)) % 3 > 0).astype(float)
    expected = clone(regressor).fit(table[weight > 0], price[weight > 0], np.ones(160)).predict(table)
    np.testing.assert_array_equal(regressor.fit(table, price, weight).predict(table), expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_the_networks_that_were_trained(table, price, regressor, monkeypatch, threads):
    regressor.set_params(n_ens=4, threads=threads, max_epochs=1).fit(table, price)  # compiles
    original = Recipe.train

    def interrupted(*arguments, **options):
        threading.Timer(0.3, _thread.interrupt_main).start()
        return original(*arguments, **options)

    monkeypatch.setattr(Recipe, "train", interrupted)
    regressor.set_params(max_epochs=100_000)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        regressor.fit(table, price)
    assert 1 <= len(regressor.networks_) == len(regressor.histories_) < 4
    assert np.isfinite(regressor.predict(table)).all()


def test_a_fit_that_fails_leaves_the_estimator_as_it_was(table, price, grade, classifier, regressor):
    expected = regressor.fit(table, price).predict(table)
    for bad in (price * np.nan, price.map(str) + "x"):
        with pytest.raises(ValueError, match=r"y contains NaN|y must hold numbers"):
            regressor.fit(table, bad)
    with pytest.raises(ValueError, match="no column of X"):
        regressor.fit(table.map(lambda _: None), price + 1000)
    np.testing.assert_array_equal(regressor.predict(table), expected)
    known = classifier.fit(table, grade).predict_proba(table)
    with pytest.raises(ValueError, match="y_val holds"):
        classifier.fit(table[["size"]], grade == "low", X_val=table[["size"]], y_val=grade)
    np.testing.assert_array_equal(classifier.predict_proba(table), known)


def test_in_a_search(table, grade, classifier):
    assert cross_val_score(classifier, table, grade, cv=3).mean() > 0.7


def test_identifiers_are_named(table, price, regressor):
    named = table.assign(name=[f"n{i}" for i in range(len(table))], number=range(len(table)))
    with pytest.warns(UserWarning, match="as identifiers") as caught:
        regressor.fit(named, price)
    assert sorted(str(warning.message).split()[1] for warning in caught) == ["'name'", "'number'"]
    assert all(warning.filename == __file__ for warning in caught)


def test_levels_that_training_never_saw(table, price, regressor):
    regressor.fit(table, price)
    unknown = [table.assign(colour=colour) for colour in ("pink", "grey")]
    predicted = [regressor.predict(frame) for frame in unknown]
    np.testing.assert_array_equal(*predicted)
    assert (predicted[0] != regressor.predict(table.assign(colour="red"))).any()


def test_ten_thousand_levels(price, regressor):
    names = [f"frequent {i % 100}" for i in range(10_000)] + [f"rare {i}" for i in range(10_000)]
    levels = pd.DataFrame({"level": names, "a": np.arange(20_000) % 7})
    regressor.set_params(max_epochs=1).fit(levels, levels["a"])
    assert len(regressor.encoder_.inputs) < 300
    assert regressor.predict(levels.head(3)).shape == (3,)
