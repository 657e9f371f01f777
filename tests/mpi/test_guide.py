"""The program on the guide's page, in two processes."""

import sys

from pages import program
from ranks import run_together

import fastmlp


def test_the_program_on_the_page(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(program("scaling: mpi"), encoding="utf-8")
    result = run_together(2, [sys.executable, "-W", "error", str(path)], cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    word, accuracy = result.stdout.split()
    assert word == "accuracy"
    assert float(accuracy) > 0.9
    assert fastmlp.load(tmp_path / "digits.safetensors").widths == (784, 64, 10)
