"""Compiled epochs and predictions: plan (who does what) · workspace (memory) · step (one SGD step) · team (threads)."""

from fastmlp.engine.epoch import Trainer
from fastmlp.engine.inference import evaluate, predict_proba

__all__ = ["Trainer", "evaluate", "predict_proba"]
