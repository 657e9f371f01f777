"""Targets of every library as arrays, and gaps in them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastmlp.tables.target import plain

TARGETS = {
    "list": ([1, 2, 3], "i"),
    "float": (np.array([1.5, 2, 3]), "f"),
    "pandas": (pd.Series([1.5, 2, 3]), "f"),
    "nullable": (pd.Series([1, 2, 3], dtype="Int64"), "i"),
    "nullable boolean": (pd.Series([True, False, True], dtype="boolean"), "b"),
    "categories": (pd.Series(["a", "b", "a"], dtype="category"), "OU"),
    "numbered categories": (pd.Series([3, 4, 3], dtype="category"), "i"),
    "arrow": (pd.Series([1, 2, 3], dtype="int64[pyarrow]"), "i"),
    "polars": (pl.Series([1, 2, 3]), "i"),
    "polars text": (pl.Series(["a", "b", "a"]), "O"),
    "polars boolean": (pl.Series([True, False, True]), "b"),
    "text": (np.array(["a", "b", "a"]), "U"),
    "frame": (pd.DataFrame({"y": [1.0, 2, 3]}), "f"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_is_an_array(name):
    target, kinds = TARGETS[name]
    found = plain(target)
    assert isinstance(found, np.ndarray)
    assert found.dtype.kind in kinds
    assert found.ravel().tolist() == np.asarray(target).ravel().tolist()


@pytest.mark.parametrize(
    "target",
    [
        [1.0, 2.0, np.nan],
        np.array(["a", "b", None], object),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series(["a", "b", None]),
        pd.Series(["a", "b", None], dtype="category"),
        pd.Series([True, False, None], dtype="boolean"),
        pl.Series([1, 2, None]),
        pl.Series(["a", "b", None]),
        pl.Series([True, False, None]),
    ],
)
def test_gaps_are_counted(target):
    with pytest.raises(ValueError, match=r"y contains NaN in row 2 \(counted from 0; 1 such rows\)"):
        plain(target)


def test_infinity_is_refused():
    with pytest.raises(ValueError, match="y contains infinity in row 1"):
        plain(pl.Series([1.0, -np.inf, 3.0]))
