"""The base's own benchmarks beside those of the working tree, which both builds run."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asv.config import Config
from asv.util import UserError

from .process import Build
from .selection import Case, select

# prints the benchmarks of a folder, with the fields that the selection reads
DISCOVER = """
import json, os, sys
from asv_runner.discovery import disc_benchmarks, update_sys_path
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # benchmarks may print
update_sys_path(sys.argv[1])
fields = ("name", "type", "params", "param_names")
answer.write(json.dumps([{field: getattr(b, field) for field in fields} for b in disc_benchmarks(sys.argv[1])]))
answer.close()
"""


@dataclass(frozen=True)
class Suites:
    """How the benchmarks of the base and of the working tree differ.

    Attributes
    ----------
    benchmarks : list of dict
        Those of the base, as asv discovers them.
    notes : list of str
        Sentences for the report: what differs in asv's configuration, or why nothing is known.
    """

    benchmarks: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def chosen(
        self, benchmarks: Sequence[dict[str, Any]], patterns: Sequence[str], *, all_used: bool
    ) -> tuple[list[Case], dict[Case, str]]:
        """Return the chosen benchmarks of the tree; and those that only the base has, with reasons.

        Both builds run the benchmarks of the tree. With `all_used`, a pattern that matches no benchmark of either is an
        error.
        """
        cases = select(benchmarks, patterns, all_used=False)
        here = {str(case) for case in cases}
        names = {benchmark["name"] for benchmark in benchmarks}
        everything = select([*self.benchmarks, *benchmarks], patterns, all_used=all_used)
        left_out = [case for case in everything if str(case) not in here]
        return cases, {case: CHANGED if case.name in names else REMOVED for case in left_out}


REMOVED = "only the base's benchmarks have it"
CHANGED = "only the base's benchmarks have it with these parameters"


def compare_suites(base: Build, commit: str, folder: Path) -> Suites:
    """Read the benchmarks and asv's configuration of the base.

    Parameters
    ----------
    base : Build
        The build whose Python imports the benchmarks.
    commit : str
        Its commit.
    folder : Path
        The folder of asv's configuration in the working tree.
    """
    if not _git(folder, "diff", "--quiet", commit, "--", ".").returncode:
        return Suites()
    with tempfile.TemporaryDirectory() as temporary:
        archive = _git(folder, "archive", "--format=tar", f"--output={temporary}/base.tar", commit, ".")
        if archive.returncode:
            return Suites(notes=["The base has no benchmarks of its own."])
        subprocess.run(["tar", "-xf", "base.tar"], cwd=temporary, check=True)
        there, here = _settings(Path(temporary)), _settings(folder)
        notes = _differences(there, here)
        found = _discovered(base, Path(temporary) / there.get("benchmark_dir", "benchmarks"))
    if found is None:
        return Suites(notes=[*notes, "The base's own benchmarks cannot be imported: what it alone has is unknown."])
    return Suites(found, notes)


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)


def _settings(folder: Path) -> Mapping[str, Any]:
    try:
        return dict(vars(Config.load(str(folder / "asv.conf.json"))))
    except (UserError, ValueError):  # the second if it is no JSON
        return {}


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    if not there:
        return ["The base's asv.conf.json cannot be read: both builds were made by the working tree's."]
    names = sorted(name for name in {**there, **here} if there.get(name) != here.get(name))
    if not names:
        return []
    return [f"asv.conf.json differs in {', '.join(names)}: both builds were made by the working tree's."]


def _discovered(build: Build, folder: Path) -> list[dict[str, Any]] | None:
    command = [*build.command, "-P", "-c", DISCOVER, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        return None
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found
