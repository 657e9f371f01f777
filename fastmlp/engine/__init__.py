"""Compiled epochs and predictions.

plan (the layout) · workspace (memory) · settings · rows (what is done to them) · shares (who does it) · rules (of the
update) · step (one step of training) · team (threads).
"""

from fastmlp.engine.epoch import Kept, State, Trainer
from fastmlp.engine.inference import evaluate, outputs

__all__ = ["Kept", "State", "Trainer", "evaluate", "outputs"]
