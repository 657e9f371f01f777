"""Programs that tests run in a process of their own: the files in `tests/programs`."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
WATCHDOG = 240  # seconds until a process counts as hung


def command_of(program, *arguments):
    """The command that runs a program, by its name without ``.py``; warnings are errors in it."""
    return [sys.executable, "-W", "error", str(PROGRAMS / f"{program}.py"), *map(str, arguments)]


def environment_of(**environment):
    """The environment of a program: what the tests can import it can import, whatever the current folder is."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), **environment}


def printed(program, *arguments, **environment):
    """Run a program, bounded by the watchdog; returns what it printed. Nothing may stand on stderr."""
    command, settings = command_of(program, *arguments), environment_of(**environment)
    result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=WATCHDOG, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def answer(program, *arguments, **environment):
    """What a program printed as JSON."""
    return json.loads(printed(program, *arguments, **environment))
