"""What asv does not note about a run: the CPU's product name and level, and the versions of all libraries."""

import json
from pathlib import Path

from asv import util

FILE = "facts.jsonl"  # beside asv's results of a machine; asv reads only files that end in .json


def newest(folder: Path) -> dict[str, str]:
    """Return the facts of the newest run; none if they were not noted.

    Raises
    ------
    asv.util.UserError
        The file cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {str(name): str(value) for name, value in json.loads(lines[-1]).items()}
    except (OSError, ValueError, IndexError, AttributeError) as error:
        raise util.UserError(f"{path}: expected a JSON object in the last line: {error}") from None


def note(folder: Path, commit: str, facts: dict[str, str]) -> None:
    """Add the facts of a run to those of earlier runs."""
    line = json.dumps({"commit": commit, **facts}, ensure_ascii=False)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
