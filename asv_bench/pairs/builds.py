"""Commits, each built by asv and installed into an environment of its own."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.environment import Environment, get_environments
from asv.repo import NoSuchNameError, get_repo
from asv.util import ProcessError, UserError

from .errors import GateError
from .process import CACHE, Build

FOLDER = Path(__file__).parents[1]  # the folder of asv.conf.json


def check_tree() -> None:
    """Raise if tracked files differ from the commit that is checked out."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    status = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    if status.returncode:
        raise GateError(f"expected a clone of the repository in {FOLDER.parent}: {status.stderr.strip()}")
    if changed := [line[3:] for line in status.stdout.splitlines()]:
        raise GateError(
            "the working tree is dirty: commits are compared, by the benchmarks in the tree; commit or stash "
            + ", ".join(changed)
        )


def make_builds(commits: Mapping[str, str]) -> tuple[list[Build], list[dict[str, Any]]]:
    """Build and install commits. The keys of `commits` are their roles, such as base and head.

    Returns
    -------
    builds : list of Build
        The builds, in the order of `commits`.
    benchmarks : list of dict
        All benchmarks that asv finds in the environment of the last build.

    Raises
    ------
    GateError
        A commit is unknown or cannot be built, or the benchmarks cannot be imported.
    """
    os.chdir(FOLDER)  # the paths in asv.conf.json are relative to this folder
    sides = [_Side(side, commit) for side, commit in commits.items()]
    return [side.install() for side in sides], sides[-1].benchmarks()


def benchmark_folder() -> Path:
    """Return the folder of the working tree's benchmarks."""
    return FOLDER / str(_configuration().benchmark_dir)


def _configuration() -> Config:
    try:
        return Config.load(str(FOLDER / "asv.conf.json"))
    except (UserError, ValueError) as error:  # the second if it is no JSON
        raise GateError(f"asv cannot read its configuration: {error}") from None


class _Side:
    def __init__(self, side: str, commit: str) -> None:
        self.side, self.conf = side, _configuration()
        self.conf.env_dir = str(FOLDER / self.conf.env_dir / side)
        self.repo = get_repo(self.conf)
        try:
            self.hash = self.repo.get_hash_from_name(commit)
        except NoSuchNameError:
            raise GateError(f"unknown commit: expected the name of a commit for {side}, got {commit!r}") from None
        environment = next(iter(get_environments(self.conf, None)), None)
        if environment is None:
            raise GateError("asv can make no environment: python -m pip install --group bench")
        self.environment: Environment = environment

    def install(self) -> Build:
        """Return the installed build."""
        try:
            self.environment.create()
            self.environment.install_project(self.conf, self.repo, self.hash)
        except (ProcessError, UserError) as error:
            said = getattr(error, "stdout", "") or getattr(error, "stderr", "") or str(error)
            raise GateError(f"{self.side}, commit {self.hash[:8]}, does not build:\n{said.strip()[-2000:]}") from None
        python = self.environment.find_executable("python")
        return Build(self.hash[:8], (python,), {CACHE: str(Path(self.conf.env_dir) / "numba")})

    def benchmarks(self) -> list[dict[str, Any]]:
        """Return the benchmarks that asv finds in this side's environment."""
        try:
            found = Benchmarks.discover(self.conf, self.repo, [self.environment], [self.hash])
        except UserError as error:
            raise GateError(f"the benchmarks cannot be imported: {error}") from None
        return list(found.values())
