"""Functions that run the programs in `tests/programs`, each in its own process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
WATCHDOG = 240  # seconds until a process counts as hung


def command_of(program, *arguments):
    """The command that runs a program with warnings as errors; the name has no ``.py``."""
    return [sys.executable, "-W", "error", str(PROGRAMS / f"{program}.py"), *map(str, arguments)]


def environment_of(**environment):
    """The environment of a program, in which it can import the same modules as the tests, from any folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), **environment}


def printed(program, *arguments, **environment):
    """Run a program for at most `WATCHDOG` seconds, check that its stderr is empty, and return what it printed."""
    command, settings = command_of(program, *arguments), environment_of(**environment)
    result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=WATCHDOG, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def without_logs(text):
    """What a program wrote to stderr without the log of Dask, which a slow machine fills."""
    return re.sub(r"(?m)^[\d-]+ [\d:,]+ - distributed\..*\n", "", text)


def answer(program, *arguments, **environment):
    """Run a program that prints JSON; return the value."""
    return json.loads(printed(program, *arguments, **environment))
