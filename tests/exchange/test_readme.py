"""The snippets of the guide's page on exchange run without a change, and print predictions that agree."""

import re
import subprocess
import sys

import pytest
from pages import program


def _printed(name, folder):
    command = [sys.executable, "-W", "error", "-c", program(f"exchange: {name}")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_onnx(tmp_path):
    theirs, ours = map(float, _printed("onnx", tmp_path).split())
    assert theirs == pytest.approx(ours, abs=1e-3)
    assert ours > 0.8


def test_torch(tmp_path):
    pytest.importorskip("torch")
    numbers = [float(number) for number in re.findall(r"\d\.\d+(?:e-\d+)?", _printed("torch", tmp_path))]
    assert len(numbers) == 2 * 5 * 3
    assert numbers[:15] == pytest.approx(numbers[15:], abs=1e-3)  # PyTorch prints four digits


def test_scikit_learn(tmp_path):
    assert float(_printed("scikit-learn", tmp_path)) < 1e-12
