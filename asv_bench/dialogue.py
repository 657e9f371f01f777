"""A process that reads requests and writes answers as lines of JSON."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class CrashError(Exception):
    """The process ended without an answer. The text holds the last line that the process wrote."""


class Dialogue:
    """A new process.

    Parameters
    ----------
    label : str
        Name of the process in errors.
    command : sequence of str
        Command that starts the process.
    variables : mapping
        Environment of the process.
    folder : Path, optional
        Working folder of the process.
    """

    def __init__(
        self, label: str, command: Sequence[str], variables: Mapping[str, str], folder: Path | None = None
    ) -> None:
        self.label = label
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - see `close`
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
        )

    def send(self, request: Any) -> None:
        """Send a request; `receive` returns the answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended: `receive` raises the error

    def receive(self) -> Any:
        """Return the next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.complaints.seek(0)
        said = self.complaints.read().strip().splitlines() or ["it said nothing"]
        raise CrashError(f"{self.label} ended with {code}: {said[-1]}")

    def ask(self, request: Any) -> Any:
        """Send a request and return the answer."""
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
