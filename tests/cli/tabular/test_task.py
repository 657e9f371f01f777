"""Whether a target means classes or numbers."""

import numpy as np
import pytest

from fastmlp.cli.tabular.task import classes_of, target_of
from fastmlp.tables import frames

pd = pytest.importorskip("pandas")


def column(values, **options):
    return frames.read(pd.DataFrame({"y": pd.Series(values, **options)})).columns[0]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 5, "classification"),
        ([f"name {i}" for i in range(30)], "classification"),
        ([True, False, True], "classification"),
        ([0, 1], "classification"),  # two are always classes
        ([-1.0, 3.0] * 9, "classification"),
        (list(range(20)) * 5, "classification"),
        (list(range(20)) * 5 + [19] * 5, "classification"),
        ([float(i) for i in range(20)] * 5, "classification"),
        (list(range(20)) * 4, "regression"),  # fewer than five rows for each
        (list(range(21)) * 9, "regression"),  # too many
        ([0, 1, 2], "regression"),
        ([0.5, 1.5], "regression"),  # not whole
        ([1.0, 1.5] * 50, "regression"),
        ([2.0**60, 2.0**61] * 9, "regression"),
    ],
)
def test_what_the_values_mean(values, task):
    assert target_of(column(values), None).task == task


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_user_decides(task):
    assert target_of(column([0, 1] * 9), task).task == task
    assert target_of(column([0.5, 1, 2.25]), task).task == task


def test_the_labels():
    assert classes_of(column(["b", "a", "b"])).tolist() == ["b", "a", "b"]
    assert classes_of(column([True, False])).tolist() == ["True", "False"]
    whole = classes_of(column([10.0, 9.0]))
    assert whole.tolist() == [10, 9]  # sorted as numbers, not as text
    assert whole.dtype == np.int64
    assert classes_of(column([0.5, 2.0])).tolist() == ["0.5", "2"]
    assert target_of(column([3, 1, 2]), "regression").y.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "task", "complaint"),
    [
        (["a", None, "b", None], None, r"column 'y' has no value in row 1 \(counted from 0; 2 such rows\)"),
        ([1.5, np.nan], None, "column 'y' has no value in row 1"),
        (["a", "a"], None, "column 'y' has the same value in every row"),
        ([7, 7], "regression", "column 'y' has the same value in every row"),
        (["a", "b"], "regression", "regression expects a target of numbers, column 'y' holds text"),
        ([True, False], "regression", "column 'y' holds booleans"),
        (np.array(["2020-01-01", "2021-01-01"], "datetime64[s]"), None, "column 'y' holds dates"),
    ],
)
def test_bad_targets(values, task, complaint):
    with pytest.raises(ValueError, match=complaint):
        target_of(column(values), task)
