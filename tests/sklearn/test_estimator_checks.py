"""Every check that scikit-learn generates for an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp.sklearn import MLPClassifier, MLPRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([MLPClassifier(max_iter=40), MLPRegressor(max_iter=40)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
