"""What can be tried: for each name, the cases and the check of one."""

from fuzz import estimators, files, kernels, predicting, training

TARGETS = {
    "training": training,
    "prediction": predicting,
    "kernels": kernels,
    "estimators": estimators,
    "files": files,
}
