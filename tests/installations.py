"""A copy of the package with one more kernel, for the tests of the cache between processes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from processes import PROGRAMS, command_of

import fastmlp

PART = (PROGRAMS / "probe_part.py").read_text(encoding="utf-8")


class Installation:
    """A copy of the package with one more kernel and its own home folder."""

    def __init__(self, folder):
        self.package, self.home = folder / "site" / "fastmlp", folder / "home"
        self.cache = self.home / ".cache"
        self.home.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "*.xz")
        shutil.copytree(Path(fastmlp.__file__).parent, self.package, ignore=ignored)
        self.write("probe.py", (PROGRAMS / "probe.py").read_text(encoding="utf-8"))
        self.write("probe_part.py", PART)

    def write(self, name, text):
        path = self.package / "kernels" / name
        path.write_text(text)
        os.utime(path, (0, 0))  # versions differ only in their content, not in their time

    def environment(self, **settings):
        """The environment in which a process uses the copy and the home folder; Numba has these settings only."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        folders = {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": str(self.package.parent)}
        # Python would take the bytecode of an earlier version, of the same time and size
        fixed = {"PYTHONDONTWRITEBYTECODE": "1", "NUMBA_NUM_THREADS": "1"}
        return inherited | folders | fixed | settings

    def start(self, **settings):
        """Start a process that calls the kernel."""
        environment = self.environment(**settings)
        return subprocess.Popen(
            command_of("call_probe"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self, process):
        """Wait for the process, check that its stderr is empty, and return what it printed."""
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        return json.loads(out)

    def run(self, **settings):
        return self.finish(self.start(**settings))

    def files(self):
        """The files of compiled functions in the home folder."""
        return sorted(self.home.rglob("*.kernel"))
