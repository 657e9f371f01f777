"""Estimators of fastmlp.sklearn and of scikit-learn, each in its own file and its own process.

Each file has ``make(job)``, which returns a `job.Model`. A file imports its library at the top, so importing the file
raises ImportError if the library is not installed.
"""

from peers import Library

OURS, THEIRS = "fastmlp", "sklearn"
ESTIMATORS = {
    OURS: Library("fastmlp.sklearn", "ours", "fastmlp"),
    THEIRS: Library("scikit-learn", "scikit_learn", "scikit-learn"),
}
PREDICTORS = ESTIMATORS | {
    "mlp": Library("MLP.predict_proba", "mlp", "fastmlp"),
    "kernel": Library("compiled kernel", "kernel", "fastmlp"),
    "torch": Library("PyTorch", "pytorch", "torch"),
}
