"""Every check that scikit-learn generates for an estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor

SMALL = {"hidden_layer_sizes": (32,), "max_epochs": 40}


@parametrize_with_checks([TabularMLPClassifier(**SMALL), TabularMLPRegressor(**SMALL)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
