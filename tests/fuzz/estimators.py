"""Estimators on tables of any type: a fit is consistent, or the estimator refuses it as scikit-learn's would."""

import warnings
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from fastmlp.sklearn import MLPClassifier, MLPRegressor
from fuzz.cases import Data, data, dense


@dataclass(frozen=True)
class Fit:
    """A fit of a few epochs."""

    regression: bool
    data: Data
    columns: int
    classes: int
    settings: tuple
    seed: int


SETTINGS = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": st.sampled_from([(), (1,), (8,), (17, 3)]),
        "activation": st.sampled_from(["relu", "tanh", "logistic", "identity"]),
        "solver": st.sampled_from(["adam", "sgd", "lbfgs"]),
        "alpha": st.sampled_from([0.0, 1e-4, 1.0]),
        "batch_size": st.sampled_from(["auto", 1, 7, 64]),
        "max_iter": st.integers(1, 4),
        "shuffle": st.booleans(),
        "early_stopping": st.booleans(),
        "warm_start": st.booleans(),
        "random_state": st.integers(0, 3),
    }
)
CASES = st.builds(
    Fit, st.booleans(), data(), st.integers(1, 20), st.integers(2, 5), SETTINGS.map(lambda s: tuple(s.items())),
    st.integers(0, 2**20),
)  # fmt: skip


def check(case):
    """Check one fit."""
    X, rng = case.data.array(case.columns), np.random.default_rng(case.seed)
    n = case.data.rows
    y = rng.standard_normal(n) if case.regression else np.array(list("abcde"))[rng.integers(0, case.classes, n)]
    settings = dict(case.settings)
    if settings["solver"] == "lbfgs":
        settings["early_stopping"] = False
    model = (MLPRegressor if case.regression else MLPClassifier)(**settings)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        refused = None
        try:
            model.fit(X, y)
        except ValueError as error:
            refused = str(error)
        if refused is not None:
            assert "non-finite" in refused or _may_be_refused(case, y, settings), f"refused: {refused}"
            return
        found = model.predict(X)
        assert found.shape == (n,)
        if case.regression:
            return
        assert set(found) <= set(y)
        probabilities = model.predict_proba(X)
    # for a single class there are two columns, as in scikit-learn
    assert probabilities.shape == (n, max(2, len(model.classes_)))
    if case.data.moderate:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def _may_be_refused(case, y, settings):
    """Whether there are too few rows to hold some out, a single class, or numbers too large for the network's dtype."""
    single = not case.regression and min(np.unique(y, return_counts=True)[1]) < 2
    few = len(y) < 20 and settings["early_stopping"]
    classes = not case.regression and len(np.unique(y)) < 2
    values = dense(case.data.array(case.columns))
    outside = np.abs(values.astype(np.float64)).max() > 1e18
    return (single and settings["early_stopping"]) or few or classes or outside
