"""fastmlp's MLPClassifier in place of scikit-learn's."""

from fastmlp.sklearn import MLPClassifier

from .job import Job, Model
from .scikit_learn import Classifier


def make(job: Job) -> Model:
    """Return the estimator."""
    return Classifier(MLPClassifier, job)
