"""Which benchmarks a change can touch: those whose process imports a file that the commits do not have in common."""

import random
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from .errors import GateError
from .measures import Measure
from .process import Build, Worker
from .selection import Case

PACKAGE = "fastmlp"
# no build contains these; the benchmarks are the working tree's for both builds
ELSEWHERE = ("tests", "asv_bench", ".github")


def changed_files(repository: Path, base: str, head: str) -> list[str]:
    """Return the paths of the files that differ between two commits."""
    command = ["git", "diff", "--name-only", "--no-renames", "-z", base, head]
    run = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    if run.returncode:
        raise GateError(f"{' '.join(command)}: {run.stderr.strip()}")
    return [name for name in run.stdout.split("\0") if name]


def untouched(head: Build, folder: Path, cases: Sequence[Case], changed: Collection[str]) -> set[Case]:
    """Return the benchmarks that the change cannot touch.

    Every scenario is set up in a process of its own, which then tells what it has imported. A benchmark that starts
    processes is touched by every change of the package. A changed file that is no module, such as ``pyproject.toml``,
    touches all benchmarks.
    """
    paths = [PurePosixPath(name) for name in changed]
    relevant = {str(path) for path in paths if path.parts[0] not in ELSEWHERE and path.suffix != ".md"}
    if not relevant:
        return set(cases)
    if not all(name.startswith(f"{PACKAGE}/") and name.endswith(".py") for name in relevant):
        return set()
    if relevant & _imported(head, folder, None):
        return set()
    found = set()
    repeated = [case for case in cases if case.measure is not Measure.CHILDREN]
    for scenario in dict.fromkeys(case.scenario for case in repeated):
        of_scenario = [case for case in repeated if case.scenario == scenario]
        if not relevant & _imported(head, folder, of_scenario[0]):
            found.update(of_scenario)
    return found


def _imported(build: Build, folder: Path, case: Case | None) -> set[str]:
    """Return what a process has imported that has set up and called a benchmark, or that only imports the package."""
    with Worker(build.compilation(0), folder, random.Random()) as worker:
        if case is not None:
            worker.ask({"setup": case.id, "cores": []})
            worker.ask({"calls": 1, "untimed": 0})
        return set(worker.ask({"modules": PACKAGE}))


def notes(untouched: Collection[Case]) -> list[str]:
    """Return what a reader must know about the benchmarks that the change cannot touch: sentences."""
    return [f"The change cannot touch {len(untouched)} of the benchmarks: they came last."] if untouched else []
