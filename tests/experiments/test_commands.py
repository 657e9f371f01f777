import json
import os
import re
import signal
import subprocess
import sys

import pytest

from fastmlp.cli import main


@pytest.fixture
def small_mnist(monkeypatch, small_data):
    """MNIST replaced by the small data."""
    monkeypatch.setattr("fastmlp.datasets.mnist", lambda: small_data)


@pytest.fixture
def no_work(monkeypatch):
    """Let the test fail if data are read or a network is trained."""

    def forbidden(*arguments, **options):
        pytest.fail("work was started")

    monkeypatch.setattr("fastmlp.datasets.mnist", forbidden)
    monkeypatch.setattr("fastmlp.experiments.run.train", forbidden)


def test_experiments_print_a_table_and_write_a_page(small_mnist, tmp_path, capsys):
    out = tmp_path / "new" / "results"
    assert main(["experiments", "--seeds", "2", "--epochs", "2", "--threads", "1", "--out", str(out)]) == 0
    printed, bar = capsys.readouterr()
    assert printed.count("fastmlp, 2 seeds") == 3
    assert "ranking" in printed
    assert str(out) in printed
    assert bar == ""
    assert {path.name for path in out.iterdir()} == {"experiments.html", "experiments.json", "runs.csv", "curves.csv"}
    html = (out / "experiments.html").read_text(encoding="utf-8")
    assert "fastmlp experiments --seeds 2 --first-seed 0 --epochs 2 " in html


def test_experiments_as_json_with_one_bar(small_mnist, tmp_path, capsys):
    command = ["experiments", "--seeds", "1", "--first-seed", "7", "--epochs", "1", "--json", "--progress"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    printed, bar = capsys.readouterr()
    assert "3/3" in bar
    assert bar.count("\n") == 1
    document = json.loads(printed)
    assert [run["experiment"] for run in document["runs"]] == ["none", "batch norm", "L2"]
    assert {run["seed"] for run in document["runs"]} == {7}
    assert all(check["inside"] in (True, False) for check in document["verdict"]["checks"])
    assert all(os.path.exists(path) for path in document["files"])


def test_sweep_prints_the_best_and_goes_on(small_mnist, tmp_path, capsys):
    command = ["sweep", "--batch-sizes", "60,120", "--decays", "0.1,1e-3", "--epochs", "2", "--learning-rate", "0.002",
               "--jobs", "1", "--out", str(tmp_path)]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "8 cells trained" in printed
    for method in ("none", "batch norm", "L2, λ ="):
        assert method in printed
    names = {"cells.jsonl", "sweep.html", "heat-map.png", "sweep.json", "cells.csv"}
    assert {path.name for path in tmp_path.iterdir()} == names
    html = (tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    assert html.count('src="data:image/svg+xml;base64,') == html.count("src=") == 2
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["trained"], document["cells"]) == (0, 8)
    assert set(document["best"]) == {"none", "batch norm", "L2"}
    options = "--seeds 1 --first-seed 0 --batch-sizes 60,120 --decays 0.1,0.001 --learning-rate 0.002 --epochs 2"
    assert document["environment"]["command"] == f"fastmlp sweep {options}"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["experiments", "--seeds", "0"], "seeds"),
        (["experiments", "--seeds", "two"], "--seeds"),
        (["experiments", "--first-seed", "-1"], "first-seed"),
        (["experiments", "--epochs", "0"], "epochs"),
        (["experiments", "--threads", "0"], "threads"),
        (["sweep", "--batch-sizes", "32,0"], "batch_size"),
        (["sweep", "--batch-sizes", "a"], "--batch-sizes"),
        (["sweep", "--batch-sizes", ""], "--batch-sizes"),
        (["sweep", "--decays=-0.1"], "decays"),
        (["sweep", "--decays", "nan"], "decays"),
        (["sweep", "--learning-rate", "0"], "learning_rate"),
        (["sweep", "--learning-rate", "nan"], "learning_rate"),
        (["sweep", "--epochs", "-3"], "epochs"),
        (["sweep", "--seeds", "0"], "seeds"),
        (["sweep", "--jobs", "0"], "jobs"),
        (["sweep", "--limit-samples", "2"], "limit-samples"),
    ],
)
def test_bad_arguments_are_one_line_before_any_work(no_work, tmp_path, capsys, arguments, named):
    out = tmp_path / "out"
    assert main([*arguments, "--out", str(out)]) == 2
    printed, complaint = capsys.readouterr()
    assert printed == ""
    assert complaint.count("\n") == 1
    assert named in complaint
    assert not out.exists()


@pytest.mark.parametrize("command", ["experiments", "sweep"])
def test_a_file_in_the_place_of_the_folder_is_found_before_any_work(no_work, tmp_path, capsys, command):
    (tmp_path / "out").write_text("mine")
    assert main([command, "--out", str(tmp_path / "out")]) == 2
    assert "expected a folder" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("command", ["experiments", "sweep"])
@pytest.mark.parametrize("library", ["matplotlib", "jinja2", "joblib"])
def test_a_missing_extra_is_found_before_any_work(no_work, tmp_path, capsys, monkeypatch, command, library):
    monkeypatch.setitem(sys.modules, library, None)
    assert main([command, "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'fastmlp[experiments]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_more_samples_than_there_are(small_mnist, tmp_path, capsys):
    assert main(["sweep", "--limit-samples", "601", "--out", str(tmp_path)]) == 2
    assert "limit-samples must be at most" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["experiments", "sweep"])
def test_help_has_an_example(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"  fastmlp {command}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_ctrl_c_ends_a_parallel_sweep_and_keeps_its_cells(tmp_path):
    """The signal goes to the whole process group, as from a terminal."""
    command = [sys.executable, "-m", "fastmlp", "sweep", "--limit-samples", "3000", "--epochs", "3", "--jobs", "2",
               "--out", str(tmp_path)]  # fmt: skip
    results = tmp_path / "cells.jsonl"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while process.poll() is None and not (results.exists() and results.stat().st_size):
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        os.killpg(process.pid, signal.SIGINT)
        complaint = process.communicate(timeout=60)[1]
    assert process.returncode == 130, complaint
    assert complaint == "fastmlp: interrupted\n"
    assert 1 <= results.read_bytes().count(b"\n") < 70
    assert not (tmp_path / "sweep.html").exists()
