"""The worker process of a build, as the comparing process uses it."""

import dataclasses
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dialogue import Dialogue

from .selection import Case

WORKER = Path(__file__).parent / "worker.py"
THREADS = "2"  # as in asv.conf.json: benchmarks with more threads are skipped
COMPILATIONS = 2  # of a build: two compilations of the same source need not be equally fast
CACHE = "NUMBA_CACHE_DIR"
PADDING = 4096  # largest number of bytes added to the environment: they move the stack, which can change a time


@dataclass(frozen=True)
class Build:
    """A commit, installed in an environment of its own.

    Attributes
    ----------
    label : str
        The abbreviated hash of the commit.
    command : tuple of str
        Command that starts the Python of the build.
    variables : dict
        Environment variables in addition to those of this process.
    """

    label: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    def compilation(self, number: int) -> "Build":
        """Return this build with the kernels of one of its `COMPILATIONS`, which takes turns with the others."""
        if CACHE not in self.variables:
            return self
        folder = f"{self.variables[CACHE]}-{number % COMPILATIONS}"
        return dataclasses.replace(self, variables=self.variables | {CACHE: folder})


class Worker(Dialogue):
    """A new process of a build, which sets up benchmarks and calls them.

    Parameters
    ----------
    build : Build
        The build.
    folder : Path
        Folder of the benchmarks.
    rng : random.Random
        Generator that draws the size of the process's environment.
    """

    def __init__(self, build: Build, folder: Path, rng: random.Random) -> None:
        padding = "x" * rng.randrange(PADDING)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables = inherited | {"NUMBA_NUM_THREADS": THREADS, "PADDING": padding} | build.variables
        super().__init__(f"the process of {build.label}", [*build.command, "-P", str(WORKER), str(folder)], variables)


def set_up(base: Worker, head: Worker, case: Case, cores: Sequence[int] = ()) -> tuple[Any, Any]:
    """Let both workers set up a benchmark at the same time, on `cores` only; return their answers."""
    for worker in (base, head):
        worker.send({"setup": case.id, "cores": list(cores)})
    return base.receive(), head.receive()
