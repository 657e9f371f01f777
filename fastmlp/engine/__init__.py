"""Compiled epochs and predictions.

plan (the layout) · workspace (memory) · settings · batch (a mini-batch as a thread sees it) · rows (what is done to
them) · shares (who does it) · rules (of the update) · step (one step of training) · team (the threads of a training) ·
crew (threads that each have trainings of their own).

Its names are imported when they are used: whoever trains and predicts nothing does not wait for Numba.
"""

import importlib
import threading
from typing import TYPE_CHECKING, Any

from fastmlp.system import forks

if TYPE_CHECKING:
    from fastmlp.engine.crew import run_crew
    from fastmlp.engine.epoch import Trainer
    from fastmlp.engine.evaluation import Evaluation, evaluate
    from fastmlp.engine.inference import outputs
    from fastmlp.engine.moments import Snapshot, check_state
    from fastmlp.engine.settings import StepOptions
    from fastmlp.engine.workspace import PackedParameters

__all__ = [
    "Evaluation",
    "PackedParameters",
    "Snapshot",
    "StepOptions",
    "Trainer",
    "check_state",
    "evaluate",
    "outputs",
    "run_crew",
]
_MODULES = {
    "Evaluation": "evaluation",
    "PackedParameters": "workspace",
    "Snapshot": "moments",
    "StepOptions": "settings",
    "Trainer": "epoch",
    "check_state": "moments",
    "evaluate": "evaluation",
    "outputs": "inference",
    "run_crew": "crew",
}
_importing = threading.RLock()
forks.wait_for(_importing)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _importing:
        found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found  # the next use does not come here
    return found
