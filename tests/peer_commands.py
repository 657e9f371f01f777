"""Functions that run the commands that compare libraries, and import their modules."""

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
    """Import a module as the commands do: with the commands' folder first on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module(name)


def run_command(script, *arguments, path=None):
    """Run one of the scripts. Packages in the folder `path` replace installed ones."""
    places = [str(path)] * (path is not None) + [os.environ.get("PYTHONPATH", "")] * ("PYTHONPATH" in os.environ)
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(places)} if places else {})
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=300, check=False
    )


def broken(folder, package, error):
    """Make a folder with a package that raises an error when it is imported; return the folder."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(f"raise {error}", encoding="utf-8")
    return folder
