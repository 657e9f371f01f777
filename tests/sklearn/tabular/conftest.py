"""A small table with every kind of column, and estimators that are quick."""

import numpy as np
import pandas as pd
import pytest

from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor

N = 240
SMALL = {"hidden_layer_sizes": (32, 16), "max_epochs": 60, "random_state": 3}


@pytest.fixture(scope="session")
def table():
    """Columns of every kind, with gaps, of which a number, a category and a boolean say something of the target."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=N),
            "colour": rng.choice(["red", "green", "blue"], N),
            "new": rng.integers(0, 2, N) > 0,
            "rooms": pd.array(rng.integers(1, 9, N), dtype="Int64"),
            "sold": pd.Timestamp("2021-03-01", tz="Europe/Paris") + pd.to_timedelta(rng.integers(0, 9999, N), unit="h"),
        }
    )
    frame.loc[::9, "size"] = np.nan
    frame.loc[::11, "colour"] = None
    frame.loc[::13, "rooms"] = pd.NA
    frame.loc[::17, "sold"] = pd.NaT
    return frame


@pytest.fixture(scope="session")
def price(table):
    """A number that the table says something of."""
    return table["size"].fillna(0.5) + 2 * (table["colour"] == "red") - table["new"]


@pytest.fixture(scope="session")
def grade(price):
    """Three classes."""
    return pd.cut(price, 3, labels=["low", "middle", "high"]).astype(str)


@pytest.fixture
def classifier():
    """A small one."""
    return TabularMLPClassifier(**SMALL)


@pytest.fixture
def regressor():
    """A small one."""
    return TabularMLPRegressor(**SMALL)
