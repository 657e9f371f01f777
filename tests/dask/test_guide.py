"""The guide's example, as a program of its own."""

import re
import subprocess
import sys

from pages import program
from processes import without_logs

import fastmlp


def test_the_example_runs_as_pasted(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(program("scaling: dask"), encoding="utf-8")
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, without_logs(done.stderr)) == (0, "")
    assert float(re.search(r"accuracy: (\S+)", done.stdout)[1]) > 0.85
    assert "first classes: [0 1 2 3 4]" in done.stdout
    assert fastmlp.load(tmp_path / "digits.safetensors").widths == (64, 64, 10)
