"""Commits spread over the whole history, and their packages in folders."""

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from peers.process import LibraryProcess
from peers.task import Task

from . import THREADS

FOLDER = Path(__file__).parents[1]
FIRST = "fastmlp/datasets/__init__.py"  # the first commit that has this file can train: the package imports it


class HistoryError(Exception):
    """The history cannot be measured."""


@dataclass(frozen=True)
class Past:
    """A commit whose package lies in a folder.

    Attributes
    ----------
    hash : str
        The full hash.
    date : datetime
        Date of the commit.
    folder : Path
        The folder that has the package, and that keeps its compiled kernels.
    """

    hash: str
    date: datetime
    folder: Path


class PastWorker(LibraryProcess):
    """A commit in a process of its own, which runs a module with arguments."""

    def __init__(self, commit: Past, threads: int, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        variables = {"PYTHONPATH": str(commit.folder), "NUMBA_CACHE_DIR": str(commit.folder / ".cache" / "numba")}
        super().__init__(commit.hash[:8], command, threads, variables)


def trainer(commit: Past, task: Task) -> PastWorker:
    """Start the training of a commit."""
    return PastWorker(commit, task.threads, "past.training", json.dumps(asdict(task)))


def stepper(commit: Past, network: str) -> PastWorker:
    """Start the headline benchmark of a commit."""
    return PastWorker(commit, THREADS, "past.steps", network)


def choose(number: int) -> list[str]:
    """Return the hashes of commits that changed the package, at equal distances from the first to the newest."""
    if number < 2:
        raise HistoryError(f"expected at least 2 commits, got {number}")
    found = git("log", "--reverse", "--format=%H", f"{_first()}^..HEAD", "--", "fastmlp").split()
    last = len(found) - 1
    return list(dict.fromkeys(found[round(i * last / (number - 1))] for i in range(number)))


def unpack(commit: str, parent: Path) -> Past:
    """Write the package of a commit into a folder of its own below `parent`."""
    full = git("rev-parse", "--verify", f"{commit}^{{commit}}").strip()
    folder = parent / full[:8]
    command = ["git", "archive", "--format=tar", full, "fastmlp"]
    archive = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, check=False)
    if archive.returncode:
        raise HistoryError(f"commit {commit} has no package: {os.fsdecode(archive.stderr).strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    seconds = int(git("log", "-1", "--format=%ct", full))
    return Past(full, datetime.fromtimestamp(seconds, UTC), folder)


def git(*arguments: str) -> str:
    """Return what git prints."""
    run = subprocess.run(["git", *arguments], cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    if run.returncode:
        raise HistoryError(f"git {arguments[0]}: {run.stderr.strip()}")
    return run.stdout


def _first() -> str:
    added = git("log", "--reverse", "--diff-filter=A", "--format=%H", "--", FIRST).split()
    if not added:
        raise HistoryError(f"no commit adds {FIRST}")
    return added[0]
