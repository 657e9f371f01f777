"""asv's results as the commands read that show them: `summary.py`, `rises.py` and `picture.py`."""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.store import History

FOLDER = Path(__file__).parent
MEASURE = "cd asv_bench && asv machine --yes && asv run HEAD^!"
NEEDS = ("asv", "jinja2", "ruptures")


class ReadError(Exception):
    """The results cannot be read. The text says why, and what makes them."""


def check_libraries() -> None:
    """Raise if a library of the group ``bench`` is missing."""
    for library in NEEDS:
        if importlib.util.find_spec(library) is None:
            raise ReadError(f"{library} is not installed: python -m pip install --group bench")


def read(folder: Path | None) -> "list[History]":
    """Return the histories of all machines.

    Parameters
    ----------
    folder : Path or None
        asv's results. None: where asv.conf.json says.

    Raises
    ------
    ReadError
        A library is missing, or the results cannot be read.
    """
    check_libraries()
    from asv import util
    from asv.config import Config
    from dashboard import store

    conf = Config.load(str(FOLDER / "asv.conf.json"))
    results = folder or FOLDER / conf.results_dir
    try:
        return store.read(results, conf)
    except util.UserError as error:
        raise ReadError(f"asv's results in {results} cannot be read: {error}\nThis makes them: {MEASURE}") from None


def fail(command: str, message: object) -> int:
    """Report an error of a command; return its exit code."""
    sys.stderr.write(f"{command}: {message}\n")
    return 2
