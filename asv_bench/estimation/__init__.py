"""Estimators of fastmlp.sklearn beside scikit-learn's, each in a process of its own: a file for each of them.

Each file has ``make(job)``, which returns a `job.Model`, and imports its library at the top: where that is not
installed, importing the file raises ImportError.
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
