"""README's example of the estimators."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_example_runs_as_pasted(tmp_path):
    (example,) = re.findall(r"<!-- sklearn example -->\n\n```python\n(.*?)```", README, flags=re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", example]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert float(re.search(r"test accuracy: (\S+)", done.stdout)[1]) > 0.9
