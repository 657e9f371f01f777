"""Compiled epochs and predictions.

plan (the layout) · workspace (memory) · settings · rows (what is done to them) · shares (who does it) · rules (of the
update) · step (one step of training) · team (threads).
"""

from fastmlp.engine.epoch import Kept, State, Trainer
from fastmlp.engine.inference import evaluate, outputs
from fastmlp.engine.workspace import PackedParameters

__all__ = ["Kept", "PackedParameters", "State", "Trainer", "evaluate", "outputs"]
