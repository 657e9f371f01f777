"""The commands that compare libraries, run as a user runs them, and the modules under them."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "asv_bench"
REQUIRED = {"sklearn": "sklearn", "jax": "jax", "jax_uint8": "jax"} | dict.fromkeys(
    ("torch", "torch_autocast", "torch_bfloat16"), "torch"
)


def load(name):
    """Import a module as the commands do, whose own folder is the first on their path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module(name)


def run_command(script, *arguments, path=None):
    """Run one of the scripts, with `path` in front of all other places that packages come from."""
    places = [str(path)] * (path is not None) + [os.environ.get("PYTHONPATH", "")] * ("PYTHONPATH" in os.environ)
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(places)} if places else {})
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=300, check=False
    )


def broken(folder, package, error):
    """Make a folder in which a package raises an error; returns it."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(f"raise {error}", encoding="utf-8")
    return folder
