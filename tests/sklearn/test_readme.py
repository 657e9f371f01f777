"""README's example of the estimators."""

import re
import subprocess
import sys

from pages import program


def test_example_runs_as_pasted(tmp_path):
    command = [sys.executable, "-W", "error", "-c", program("sklearn example")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert float(re.search(r"test accuracy: (\S+)", done.stdout)[1]) > 0.9
