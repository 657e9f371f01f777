"""Models for tables as people have them: a file for each, and a process for each model on each table.

Each file of a model has ``make(job, seed)``, which returns an estimator with ``fit``, and ``predict`` or
``predict_proba``. The estimator takes a pandas frame with words and gaps. A file imports its library at the top, so
importing the file raises ImportError if the library is not installed.
"""

from peers import Library

OURS, AUTHORS = "fastmlp", "realmlp_s"
MODELS = {
    OURS: Library("fastmlp TabularMLP", "ours", "fastmlp"),
    AUTHORS: Library("RealMLP-TD-S (pytabkit)", "authors_simple", "pytabkit"),
    "realmlp": Library("RealMLP-TD (pytabkit)", "authors_full", "pytabkit"),
    "sklearn_mlp": Library("scikit-learn MLP", "perceptron", "scikit-learn"),
    "boosting": Library("HistGradientBoosting", "boosting", "scikit-learn"),
    "lightgbm": Library("LightGBM", "light_gbm", "lightgbm"),
    "linear": Library("logistic or ridge regression", "linear", "scikit-learn"),
}
DEFAULT = tuple(name for name in MODELS if name != "realmlp")  # which takes several times as long as RealMLP-TD-S
