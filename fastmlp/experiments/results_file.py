"""The sweep's file of results: one line of JSON for every finished cell."""

import json
import os
from pathlib import Path
from typing import Any


class ResultsFile:
    """The finished cells by their keys. A sweep that was killed at any moment continues from them.

    If a sweep was killed while it wrote a line, the last line has no newline. Such a line is not read, and it is cut
    off before the next line is written.

    Parameters
    ----------
    path : pathlib.Path
        The file. It need not exist yet.

    Raises
    ------
    ValueError
        A complete line is no result of a sweep, so the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results: dict[str, dict[str, Any]] = {}
        content = path.read_bytes() if path.exists() else b""
        for number, line in enumerate(content.splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                break
            self._read(line, number)

    def append(self, key: str, cell: dict[str, Any], figures: dict[str, Any]) -> None:
        """Write a finished cell, and wait until the line is on the disk."""
        line = json.dumps({"key": key, "cell": cell, "figures": figures}, ensure_ascii=False, allow_nan=False)
        with self._path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[key] = figures

    def _read(self, line: bytes, number: int) -> None:
        try:
            record = json.loads(line)
            self.results[record["key"]] = record["figures"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self._path}: line {number} is no result of a sweep; move the file away or choose another folder"
            ) from error
