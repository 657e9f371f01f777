"""Note what asv does not note about a run: the CPU's product name and level, and the versions of all libraries.

    cd asv_bench && python facts.py --machine NAME

NAME is asv's name of the machine, as in the folder of its results. Run the command after ``asv run``, on the same
machine, by a Python that has fastmlp. ``FASTMLP_PEERS_PYTHON`` names the Python of the other libraries. `summary.py`
shows the newest note. (The name of asv's environment has the versions of fastmlp's Python and Numba.)
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import reading
from peers import LIBRARIES

from fastmlp.cli.machine import processor, target, vector_bits
from fastmlp.compilation.levels import usable_levels

FOLDER = Path(__file__).parent
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
        "other libraries": versions,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Add a line; return 2 if there are no results of the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", default=platform.node(), metavar="NAME", help="default: the name of this host")
    parser.add_argument("--results", type=Path, default=FOLDER / "results", metavar="DIR", help="asv's results")
    args = parser.parse_args(arguments)
    try:
        reading.check_libraries()
    except reading.ReadError as error:
        return reading.fail("facts.py", error)
    from dashboard import facts

    folder = args.results / args.machine
    if not (folder / "machine.json").exists():
        return reading.fail(
            "facts.py", f"expected the folder of asv's results of a machine, got {folder}; asv run makes it"
        )
    command = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False).stdout.strip()
    try:
        facts.note(folder, commit, collect(os.environ.get("FASTMLP_PEERS_PYTHON", sys.executable)))
    except (OSError, subprocess.CalledProcessError) as error:
        return reading.fail("facts.py", f"FASTMLP_PEERS_PYTHON: expected a Python: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
