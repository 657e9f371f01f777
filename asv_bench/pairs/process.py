"""The worker of a build, seen from the process that compares."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dialogue import Dialogue

from .selection import Case

WORKER = Path(__file__).parent / "worker.py"
THREADS = "2"  # as in asv.conf.json: benchmarks of more threads are skipped
PADDING = 4096  # bytes of the environment, at most: it shifts the stack, which alone can change a time


@dataclass(frozen=True)
class Build:
    """A commit, installed in an environment of its own.

    Attributes
    ----------
    label : str
        Its abbreviated hash.
    command : tuple of str
        Starts its Python.
    variables : dict
        Of the environment, beside those of this process.
    """

    label: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


class Worker(Dialogue):
    """A new process of a build, which sets up benchmarks and calls them.

    Parameters
    ----------
    build : Build
        Whose Python runs it.
    folder : Path
        Of the benchmarks.
    rng : random.Random
        Draws the size of the process's environment.
    """

    def __init__(self, build: Build, folder: Path, rng: random.Random) -> None:
        padding = "x" * rng.randrange(PADDING)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables = inherited | {"NUMBA_NUM_THREADS": THREADS, "PADDING": padding} | build.variables
        super().__init__(f"the process of {build.label}", [*build.command, "-P", str(WORKER), str(folder)], variables)


def set_up(base: Worker, head: Worker, case: Case, cores: Sequence[int] = ()) -> tuple[Any, Any]:
    """Let both set up a benchmark at the same time, held to those cores; return their answers."""
    for worker in (base, head):
        worker.send({"setup": case.id, "cores": list(cores)})
    return base.receive(), head.receive()
