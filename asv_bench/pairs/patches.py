"""The slowdowns of `prove_gate.py`: patches of the package, each with a description on top."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import GateError

AUTHOR = {f"GIT_{role}_{what}": "prove_gate" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
HEADER = re.compile(r"(?P<subject>.+)\nAffects: (?P<affects>.+)\nCosts: (?P<costs>.+)\n\ndiff --git ")


@dataclass(frozen=True)
class Patch:
    """A slowdown.

    Attributes
    ----------
    path : Path
        The file. Its first three lines are the subject, ``Affects: REGEX`` and ``Costs: ...``; git ignores them.
    subject : str
        What becomes slower, and how.
    affects : str
        Regular expression of the benchmarks that must become slower.
    costs : str
        By how much, as it was measured when the patch was written.
    """

    path: Path
    subject: str
    affects: str
    costs: str

    @property
    def name(self) -> str:
        """The name on the command line."""
        return self.path.stem

    def commit(self) -> str:
        """Return a commit on top of HEAD with the patch. Neither the working tree nor a branch changes."""
        with tempfile.TemporaryDirectory() as folder:
            variables = os.environ | AUTHOR | {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            root = _git(self.path.parent, variables, "rev-parse", "--show-toplevel")
            _git(root, variables, "read-tree", "HEAD")
            _git(root, variables, "apply", "--cached", str(self.path))
            return _git(
                root, variables, "commit-tree", _git(root, variables, "write-tree"), "-p", "HEAD", "-m", self.subject
            )


def read_patches(folder: Path) -> list[Patch]:
    """Return the patches of a folder by name.

    Raises
    ------
    GateError
        A patch does not begin with its description.
    """
    patches = []
    for path in sorted(folder.glob("*.patch")):
        found = HEADER.match(path.read_text(encoding="utf-8"))
        if found is None:
            raise GateError(f"{path}: expected a line of text, 'Affects: REGEX' and 'Costs: ...' before the diff")
        patches.append(Patch(path, **found.groupdict()))
    return patches


def _git(folder: str | Path, variables: dict[str, str], *arguments: str) -> str:
    command = ["git", *arguments]
    try:
        run = subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise GateError(f"{' '.join(command)}: {error.stderr.strip()}") from None
    return run.stdout.strip()
