"""The preparation of a library in its own process, and its answers as lines of JSON."""

import importlib
import json
import os
import sys
from importlib import metadata
from typing import Any

from . import LIBRARIES
from .task import Rule, Task, Training


def prepare(name: str, task: Task) -> Training | None:
    """Return the training of a library after a warm-up, and send its version; None if it is not installed."""
    library = LIBRARIES[name]
    pin(task.threads)
    try:
        module = importlib.import_module(f"{__package__}.{library.module}")
    except ModuleNotFoundError as error:
        answer({"missing": str(error)})
        return None
    training: Training = module.make(task)
    training.epoch(0, task.rates(0))
    answer({"version": metadata.version(library.distribution)})
    return training


def read_fields(text: str) -> dict[str, Any]:
    """Return the fields of a task from JSON."""
    fields: dict[str, Any] = json.loads(text)
    return fields | {"widths": tuple(fields["widths"]), "rule": Rule(**fields["rule"])}


def pin(threads: int) -> None:
    """Hold the process to as many cores as it may have threads, if the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def answer(value: object) -> None:
    """Send one line of JSON."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
