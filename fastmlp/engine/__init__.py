"""Epochs and predictions over whole data sets, made of the kernels."""

from fastmlp.engine.epoch import Workspace, run_epoch
from fastmlp.engine.inference import evaluate, predict_proba

__all__ = ["Workspace", "evaluate", "predict_proba", "run_epoch"]
