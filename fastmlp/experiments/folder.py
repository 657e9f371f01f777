"""The folder of the results, which is checked before any work, and its CSV and JSON files."""

import csv
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastmlp.system.files import replaced_whole


def prepare_folder(path: str | os.PathLike[str], *, name: str = "out") -> Path:
    """Make the folder `path` and check that files can be written into it.

    Parameters
    ----------
    path : path-like
        The folder. It and its parents are created if they are missing.
    name : str
        Name of the argument, for the text of an error.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    NotADirectoryError
        `path`, or a parent of it, is a file.
    PermissionError
        The folder cannot be created or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(f"{name}: {os.fspath(path)!r} is, or lies below, a file; expected a folder") from error
    except OSError as error:
        reason = error.strerror or error
        raise PermissionError(f"{name}: {os.fspath(path)!r}: {reason}; expected a writable folder") from error
    return folder


def write_csv(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write flat records with the same keys as CSV. The first line has the keys; None becomes an empty field."""
    with replaced_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]) if records else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def write_json(path: Path, document: Any) -> None:
    """Write a document as JSON; NaN and infinity, which JSON does not have, become null."""
    text = json.dumps(finite(document), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    with replaced_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def finite(value: Any) -> Any:
    """Return `value` with None in place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
