"""The worker of a build, seen from the process that compares."""

import json
import os
import random
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import GateError

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


class Worker:
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
        self.build = build
        padding = "x" * rng.randrange(PADDING)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables = inherited | {"NUMBA_NUM_THREADS": THREADS, "PADDING": padding} | build.variables
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - see `close`
        self.process = subprocess.Popen(
            [*build.command, "-P", str(WORKER), str(folder)],
            env=variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
        )

    def send(self, request: dict[str, Any]) -> None:
        """Ask for something; `receive` returns the answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended: `receive` says why

    def receive(self) -> Any:
        """Return the answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.complaints.seek(0)
        said = self.complaints.read().strip().splitlines() or ["it said nothing"]
        raise GateError(f"the process of {self.build.label} ended with {code}: {said[-1]}")

    def ask(self, request: dict[str, Any]) -> Any:
        """Ask, and return the answer."""
        self.send(request)
        return self.receive()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.complaints.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
