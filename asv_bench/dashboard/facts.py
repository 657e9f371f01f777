"""What asv does not note about a run: the CPU's product name and level, and the versions of all libraries."""

import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from asv import util
from peers import LIBRARIES

from fastmlp.cli.machine import processor, target, vector_bits
from fastmlp.compilation.levels import usable_levels

FILE = "facts.jsonl"  # beside asv's results of a machine; asv reads only files that end in .json
DISTRIBUTIONS = sorted({library.distribution for library in LIBRARIES.values()} - {"fastmlp"})
VERSIONS = f"""
import json, platform
from importlib import metadata
found = {{"Python": platform.python_version()}}
for name in {DISTRIBUTIONS!r}:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


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


def note(folder: Path, commit: str, peers_python: str) -> None:
    """Add the facts of this machine to those of earlier runs."""
    line = json.dumps({"commit": commit, **collect(peers_python)}, ensure_ascii=False)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def collect(peers_python: str) -> dict[str, str]:
    """Return the facts of this machine, by the names that the page shows."""
    levels = usable_levels()
    _, features = target()
    level = levels[0].name if levels else platform.machine()
    run = subprocess.run([peers_python, "-c", VERSIONS], capture_output=True, text=True, check=True)
    versions = ", ".join(f"{name} {version}" for name, version in json.loads(run.stdout).items())
    return {
        "CPU of the newest run": f"{processor()}, {os.cpu_count()} cores",
        "CPU level": f"{level}, vectors of {vector_bits(features)} bits",
        "fastmlp's side": f"Python {platform.python_version()}, Numba {metadata.version('numba')}",
        "other libraries' side": versions,
    }
