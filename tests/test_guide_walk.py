"""The guide's page for developers names files that are there, and its walk of a mini-batch follows the calls."""

import ast
import itertools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
TABLE, WALK = (PACKAGE / "guide" / "developing.md").read_text(encoding="utf-8").split("## One mini-batch, file by file")
TABLE = TABLE.partition("All files of a kernel family")[0]


class Place(NamedTuple):
    """A file of the package, and the name of a function or class in it, empty for the file as a whole."""

    file: str
    name: str


def _rows(text):
    """The first two columns of a table."""
    return [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]


def _quoted(text):
    return re.findall(r"`([^`]+)`", text)


def _stations(cell):
    """The places of a line of the walk: lists of them, each of which calls those of the next."""
    found, file = [], ""
    for station in cell.split("→"):
        found.append([])
        for quoted in _quoted(station):
            before, _, name = quoted.rpartition(": ")
            is_file = quoted.endswith(".py")
            file = quoted if is_file else before or file
            found[-1].append(Place(file, "" if is_file else name))
    return found


def _source(place):
    """The text of a function or class, or of a whole file; None where there is no such name."""
    text = (PACKAGE / place.file).read_text(encoding="utf-8")
    inside = ast.parse(text)
    for part in filter(None, place.name.split(".")):
        named = [node for node in ast.walk(inside) if getattr(node, "name", None) == part]
        if not named:
            return None
        inside = named[0]
    return ast.get_source_segment(text, inside) if place.name else text


def _leads_to(place, target):
    """Whether the source of a place names the target, or imports its file."""
    text = _source(place)
    if target.name:
        return re.search(rf"\b{target.name.rpartition('.')[2]}\b", text) is not None
    folder, _, module = target.file.removesuffix(".py").replace("/", ".").rpartition(".")
    package = f"fastmlp.{folder}" if folder else "fastmlp"
    imports = rf"from {package}\.{module} import|from {package} import .*\b{module}\b"
    return re.search(imports, _source(Place(place.file, ""))) is not None


@pytest.mark.parametrize("cell", [row[0].strip() for row in _rows(WALK)])
def test_a_line_of_the_walk_follows_the_calls(cell):
    stations = _stations(cell)
    places = [place for station in stations for place in station]
    assert places
    assert [place for place in places if not (PACKAGE / place.file).is_file()] == []
    assert [place for place in places if _source(place) is None] == []
    arrows = [(here, there) for left, right in itertools.pairwise(stations) for here in left for there in right]
    assert [arrow for arrow in arrows if not _leads_to(*arrow)] == []


def test_a_wrong_line_is_found():
    (take,), (gone,) = _stations("`engine/shares.py: take` → `no_such_name`")
    assert _source(take) is not None
    assert _source(gone) is None
    assert not _leads_to(take, Place("engine/rows.py", "pass_over"))
    assert not _leads_to(take, Place("engine/rows.py", ""))
    assert _leads_to(take, Place("simd/atomics.py", ""))


@pytest.mark.parametrize("row", _rows(TABLE), ids=lambda row: row[0].strip())
def test_files_of_the_table_are_there(row):
    paths = [PACKAGE / quoted.removeprefix("fastmlp/") for quoted in _quoted(row[0])]
    assert [path for path in paths if not path.exists()] == []
    names = [quoted for quoted in _quoted(row[1]) if quoted.endswith((".py", "/"))]
    assert [name for name in names if not any((path / name).exists() for path in paths)] == []


@pytest.mark.parametrize("folder", ["", "compilation", "engine", "inputs", "mpi", "network", "streaming", "tables"])
def test_every_file_of_these_folders_is_in_the_table(folder):
    (text,) = [TABLE] if not folder else [row[1] for row in _rows(TABLE) if f"`fastmlp/{folder}/`" in row[0]]
    modules = {path.name for path in (PACKAGE / folder).glob("*.py")} - {"__init__.py", "__main__.py"}
    assert modules - {Path(quoted).name for quoted in _quoted(text)} == set()
