"""The preparation of a library in its own process, and its answers as lines of JSON."""

import importlib
import json
import os
import sys
from importlib import metadata
from typing import Any

from . import LIBRARIES, Library
from .task import Rule, Task, Training


def prepare(name: str, task: Task) -> Training | None:
    """Return the training of a library after a warm-up, and send its version; None if it is not installed."""
    library = LIBRARIES[name]
    module = imported(library, str(__package__), task.threads)
    if module is None:
        return None
    training: Training = module.make(task)
    training.epoch(0, task.rates(0))
    answer({"version": metadata.version(library.distribution)})
    return training


def imported(library: Library, package: str, threads: int) -> Any:
    """Return a library's module in a package, in a process held to so many cores.

    Where the library is not installed, send the reason and return None.
    """
    pin(threads)
    try:
        return importlib.import_module(f"{package}.{library.module}")
    except ModuleNotFoundError as error:
        answer({"missing": str(error)})
        return None


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
