"""What cannot be learned or predicted gets an error that says what was wrong, and leaves the estimator as it was."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda table: table.iloc[:0], ValueError, "X must have rows and columns"),
        (lambda table: table.map(lambda _: None), ValueError, "no column of X .* 'size' has no value in any row"),
        (lambda table: table.assign(size=np.inf), ValueError, "column 'size' holds infinity in row 0"),
        (lambda table: table.rename(columns={"new": "size"}), ValueError, "several columns of the name 'size'"),
        (lambda table: table.assign(size=[[1]] * len(table)), TypeError, "column 'size': an argument must be a string"),
        (lambda table: pl.from_pandas(table).lazy(), TypeError, r".*"),
        (lambda table: sparse.eye(len(table)).tocsr(), TypeError, "Sparse data was passed"),
        (lambda table: table["size"], ValueError, "Expected a 2-dimensional container"),
        (lambda table: np.ones((len(table), 2), complex), ValueError, "Complex data not supported"),
    ],
)
def test_tables(table, price, regressor, change, error, text):
    with pytest.raises(error, match=text):
        regressor.fit(change(table), price)
    assert not hasattr(regressor, "networks_")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda y: y.where(y.index != 4), r"Input y contains NaN in row 4 \(counted from 0; 1 such rows\)"),
        (lambda y: y.replace(y[3], np.inf), "Input y contains infinity in row 3"),
        (lambda y: y[:-1], "inconsistent numbers of samples"),
        (lambda y: ["1", *["text"] * (len(y) - 1)], r"y must hold numbers, got 'text' \(str\)"),
        (lambda y: np.full(len(y), "2024-03-01", "datetime64[D]"), r"y must hold numbers, got datetime64\[D\]"),
        (lambda y: pd.Series(pd.Timestamp("2024-03-01"), y.index), "y must hold numbers, got"),
        (lambda y: pd.Series(pd.to_timedelta(y.index, unit="h")), "y must hold numbers, got"),
        (lambda y: None, "requires y to be passed"),
        (lambda y: y * 1e307, "y must have a finite variance"),
    ],
)
def test_numbers_to_predict(table, price, regressor, change, text):
    with pytest.raises(ValueError, match=text):
        regressor.fit(table, change(price))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda y: y.where(y.index != 4), "Input y contains NaN in row 4"),
        (lambda y: ["one"] * len(y), "y must have at least two classes .* got .'one'"),
        (lambda y: np.arange(len(y)) / 7, "Unknown label type"),
        (lambda y: pl.Series(y).set(pl.Series(y) == "low", None), "Input y contains NaN"),
    ],
)
def test_classes_to_predict(table, grade, classifier, change, text):
    with pytest.raises(ValueError, match=text):
        classifier.fit(table, change(grade))


def test_classes_of_several_types(table, grade, classifier):
    mixed = grade.where(grade.index != 2, 7)
    with pytest.raises(TypeError, match="y mixes int and str, expected classes of one type"):
        classifier.fit(table, mixed)


def test_few_rows(table, price, grade, classifier, regressor):
    rows = [int(np.flatnonzero(grade == name)[0]) for name in ("low", "high")]
    two = table.iloc[rows]
    assert classifier.fit(two, grade.iloc[rows]).predict(two).tolist() == ["low", "high"]
    np.testing.assert_allclose(regressor.fit(two, price.iloc[rows]).predict(two), price.iloc[rows], atol=0.2)
    with pytest.raises(ValueError, match="at least two rows of a weight above 0, got n_samples=1"):
        regressor.fit(two[:1], price.iloc[rows[:1]])


def test_weights(table, price, regressor):
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        regressor.fit(table, price, np.full(len(table), -1.0))
    with pytest.raises(ValueError, match="at least one non-zero number"):
        regressor.fit(table, price, np.zeros(len(table)))


def test_held_out_rows(table, grade, price, classifier, regressor):
    with pytest.raises(ValueError, match="y_val is missing"):
        classifier.fit(table, grade, X_val=table)
    with pytest.raises(ValueError, match="y_val has the class 'unknown', expected one of"):
        classifier.fit(table, grade, X_val=table, y_val=["unknown"] * len(table))
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.fit(table, grade, X_val=table[["size"]], y_val=grade)
    with pytest.raises(ValueError, match="y_val must have 1 columns, as y has, got 2"):
        regressor.fit(table, price, X_val=table, y_val=np.ones((len(table), 2)))


def test_before_fit(table, classifier):
    with pytest.raises(NotFittedError):
        classifier.predict(table)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda table: table.drop(columns="new"), ValueError, "names seen at fit time, yet now missing:\n- new"),
        (lambda table: table.assign(more=1), ValueError, "names unseen at fit time:\n- more"),
        (lambda table: table[table.columns[::-1]], ValueError, "must be in the same order"),
        (
            lambda table: table.assign(rooms="two"),
            TypeError,
            r"column 'rooms' holds text .* expected numbers \(Int64\)",
        ),
        (lambda table: table.assign(colour=3), TypeError, r"column 'colour' holds numbers \(Int64\), expected text"),
        (lambda table: table.assign(new=1), TypeError, "column 'new' holds numbers .* expected booleans"),
        (lambda table: table.assign(sold=1.5), TypeError, "column 'sold' holds numbers .* expected dates"),
        (
            lambda table: table.assign(sold=pd.Timestamp("2021-01-01")),
            TypeError,
            "no time zone, expected the time zone",
        ),
        (lambda table: table.assign(size=-np.inf), ValueError, "column 'size' holds infinity in row 0"),
        (lambda table: table.iloc[:0], ValueError, "X must have rows and columns"),
        (lambda table: pd.concat([table, table[["new"]]], axis=1), ValueError, "several columns of the name 'new'"),
    ],
)
def test_prediction(table, price, regressor, change, error, text):
    regressor.fit(table, price)
    with pytest.raises(error, match=text):
        regressor.predict(change(table))


def test_another_time_zone_is_the_same_instant(table, price, regressor):
    expected = regressor.fit(table, price).predict(table)
    elsewhere = table.assign(sold=table["sold"].dt.tz_convert("America/New_York"))
    np.testing.assert_array_equal(regressor.predict(elsewhere), expected)


def test_nullable_columns_are_the_plain_ones(table, price, regressor):
    expected = regressor.fit(table, price).predict(table)
    plain = table.assign(rooms=table["rooms"].astype("float64"), colour=table["colour"].astype("category"))
    np.testing.assert_array_equal(regressor.predict(plain), expected)
    np.testing.assert_array_equal(regressor.predict(table.convert_dtypes()), expected)


def test_columns_without_a_difference_are_named(table, price, regressor):
    with pytest.warns(UserWarning, match="column 'same' has a single value in all rows: it is left out"):
        regressor.fit(table.assign(same="x"), price)
    with pytest.warns(UserWarning, match="column 'empty' has no value in any row: it is left out"):
        regressor.fit(table.assign(empty=None), price)


def test_mixed_types_are_text_with_a_warning(table, price, regressor):
    mixed = table.assign(size=pd.Series([1, "x", 2.5, None] * (len(table) // 4), dtype=object))
    with pytest.warns(UserWarning, match="column 'size' mixes float and int and str: all its values are taken as text"):
        regressor.fit(mixed, price)
    assert regressor.encoder_.columns[0].levels == ("1", "2.5", "x")
