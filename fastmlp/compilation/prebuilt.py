"""Kernels that came compiled with the package: whether they fit this machine, Python and Numba.

A wheel that was built with them has the folder `FOLDER`: a manifest, and for each level of the CPU a folder of files
(`fastmlp.compilation.store`).
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from llvmlite import binding

from fastmlp.compilation.levels import Level, usable_levels
from fastmlp.compilation.sources import sources_digest

FOLDER = Path(__file__).parent.parent / "prebuilt"
MANIFEST = "manifest.json"
NOT_IN_CODE = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"}


class Prebuilt(NamedTuple):
    """The kernels of one level."""

    level: Level
    folder: Path


class Choice(NamedTuple):
    """What is used, None where nothing is, and why."""

    found: Prebuilt | None
    reason: str


def settings_in_code() -> list[tuple[str, str]]:
    """Return Numba's settings in the environment that change machine code."""
    return sorted(
        (name, value) for name, value in os.environ.items() if name.startswith("NUMBA_") and name not in NOT_IN_CODE
    )


def circumstances() -> dict[str, str]:
    """Return what kernels depend on besides the level of the CPU, by names for people."""
    return {
        "Numba": version("numba"),
        "llvmlite": version("llvmlite"),
        "Python": sys.implementation.cache_tag,
        "platform": binding.get_process_triple(),
        "sources": sources_digest(),
    }


def choose(folder: Path = FOLDER) -> Choice:
    """Choose the highest level that fits."""
    try:
        made_for = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Choice(None, "this installation came without compiled kernels")
    except (OSError, ValueError) as error:
        return Choice(None, f"the compiled kernels of this installation cannot be read ({error})")
    settings = settings_in_code()
    if settings:
        return Choice(None, f"{settings[0][0]} is set")
    for name, value in circumstances().items():
        if made_for.get(name) != value:
            return Choice(None, f"they were compiled for {name} {made_for.get(name)}, here is {value}")
    for level in usable_levels():
        if (folder / level.name).is_dir():
            return Choice(Prebuilt(level, folder / level.name), f"those of {level.name} fit this CPU")
    return Choice(None, "none of their levels fits this CPU")


CHOICE = choose()
