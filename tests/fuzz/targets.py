"""The targets of the fuzzers: for each name, the strategy that draws cases and the function that checks a case."""

from fuzz import estimators, files, kernels, predicting, training

TARGETS = {
    "training": training,
    "prediction": predicting,
    "kernels": kernels,
    "estimators": estimators,
    "files": files,
}
