"""Compiled epochs and predictions.

plan (the layout) · workspace (memory) · settings · rows (what is done to them) · shares (who does it) · step (one SGD
step) · team (threads).
"""

from fastmlp.engine.epoch import Trainer
from fastmlp.engine.inference import evaluate, predict_proba

__all__ = ["Trainer", "evaluate", "predict_proba"]
