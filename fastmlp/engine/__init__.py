"""Compiled epochs and predictions.

plan (the layout) · workspace (memory) · settings · batch (a mini-batch as a thread sees it) · rows (what is done to
them) · shares (who does it) · rules (of the update) · step (one step of training) · team (threads).
"""

from fastmlp.engine.epoch import Snapshot, State, Trainer
from fastmlp.engine.inference import evaluate, outputs
from fastmlp.engine.workspace import PackedParameters

__all__ = ["PackedParameters", "Snapshot", "State", "Trainer", "evaluate", "outputs"]
