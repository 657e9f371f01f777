"""All output of the command line."""

import json
import os
import sys
import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TextIO


def say(text: str) -> None:
    """Write `text` and a newline to standard output, and flush it.

    If the reader of a pipe has ended (``fastmlp … | head``), this output and all later output are dropped, and the
    command goes on.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)


def say_json(document: Any) -> None:
    """Write one JSON document to standard output; NaN and infinity, which JSON does not have, become null."""
    say(json.dumps(_plain(document), indent=2, allow_nan=False))


def aligned(rows: Iterable[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Return a table as lines. The columns of the numbers `left` begin on the left, the others end on the right."""
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def complain(text: str) -> None:
    """Write `text` as one line to standard error."""
    sys.stderr.write(" ".join(text.split()) + "\n")
    sys.stderr.flush()


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write a warning as one line to standard error; replaces `warnings.showwarning`."""
    if os.environ.get("FASTMLP_DEBUG"):
        complain(warnings.formatwarning(message, category, filename, lineno, line))
    else:
        complain(f"fastmlp: warning: {message}")


def finish() -> None:
    """Flush standard output, since argparse does not; a reader of a pipe that has ended is no error."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    """Connect the stream's file descriptor to the null device, so that the interpreter's last flush succeeds too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain(value: Any) -> Any:
    """Return the value in types that `json` writes: NumPy's scalars and arrays become numbers and lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
