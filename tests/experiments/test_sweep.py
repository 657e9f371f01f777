import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from processes import command_of

from fastmlp.experiments import Grid, run_sweep, sweep
from fastmlp.experiments.sweep import RESULTS_NAME

GRID = Grid(batch_sizes=(60, 120), decays=(0.01,), learning_rate=0.002, epochs=2)


@pytest.fixture
def trained(monkeypatch):
    """The list of trained cells, in order."""
    cells = []
    train_cell = sweep._train_cell

    def noted(cell, *arguments):
        cells.append(cell)
        return train_cell(cell, *arguments)

    monkeypatch.setattr(sweep, "_train_cell", noted)
    return cells


def test_all_cells_are_trained_and_kept(small_data, tmp_path):
    seen = []
    result = run_sweep(small_data, tmp_path, grid=GRID, finished=lambda *news: seen.append(news))
    assert [cell for cell, _ in result.results] == GRID.cells()
    assert result.trained == 6
    assert result.seconds > 0
    assert result.training_seconds == pytest.approx(sum(figures["seconds"] for _, figures in result.results))
    assert sorted(seen, key=str) == sorted([(*pair, False) for pair in result.results], key=str)
    lines = [json.loads(line) for line in (tmp_path / RESULTS_NAME).read_text(encoding="utf-8").splitlines()]
    assert len({line["key"] for line in lines}) == 6


def test_processes_find_the_same_figures(small_data, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    grid = Grid(batch_sizes=(60,), decays=(0.01,), learning_rate=0.002, epochs=2)
    one = run_sweep(small_data, tmp_path / "one", grid=grid, jobs=1)
    two = run_sweep(small_data, tmp_path / "two", grid=grid, jobs=2)
    for (cell, first), (same, second) in zip(one.results, two.results, strict=True):
        assert cell == same
        assert first | {"seconds": 0} == second | {"seconds": 0}


def test_finished_cells_are_not_trained_again(small_data, tmp_path, trained):
    first = run_sweep(small_data, tmp_path, grid=GRID)
    lines = (tmp_path / RESULTS_NAME).read_bytes().splitlines(keepends=True)
    # the file of a killed sweep: two whole lines and a part of the third
    (tmp_path / RESULTS_NAME).write_bytes(b"".join(lines[:2]) + lines[2][:40])
    trained.clear()
    news = []
    second = run_sweep(small_data, tmp_path, grid=GRID, finished=lambda *about: news.append(about))
    assert second.trained == len(trained) == 4
    assert [known for *_, known in news].count(True) == 2
    for (_, before), (_, after) in zip(first.results, second.results, strict=True):
        assert before | {"seconds": 0} == after | {"seconds": 0}
    trained.clear()
    assert run_sweep(small_data, tmp_path, grid=GRID).trained == 0
    assert trained == []


@pytest.mark.parametrize("change", [{"learning_rate": 0.003}, {"epochs": 1}, {"seeds": (1,)}])
def test_another_configuration_reuses_nothing(small_data, tmp_path, change):
    run_sweep(small_data, tmp_path, grid=GRID)
    axes = {name: getattr(GRID, name) for name in Grid.__dataclass_fields__}
    assert run_sweep(small_data, tmp_path, grid=Grid(**(axes | change))).trained == 6
    assert run_sweep(small_data, tmp_path, grid=GRID).trained == 0


def test_other_data_reuse_nothing(small_data, tmp_path):
    X, y, X_test, y_test = small_data
    run_sweep(small_data, tmp_path, grid=GRID)
    assert run_sweep((np.flip(X, axis=1).copy(), y, X_test, y_test), tmp_path, grid=GRID).trained == 6


def test_a_larger_grid_trains_what_is_new(small_data, tmp_path):
    run_sweep(small_data, tmp_path, grid=GRID)
    wider = Grid(batch_sizes=(60, 120), decays=(0.01, 0.1), learning_rate=0.002, epochs=2)
    assert run_sweep(small_data, tmp_path, grid=wider).trained == 2


def test_a_cell_whose_cost_is_not_finite_is_a_result(small_data, tmp_path):
    grid = Grid(batch_sizes=(60,), decays=(), learning_rate=1e30, epochs=2)
    for jobs in (1, 2):
        (tmp_path / str(jobs)).mkdir()
        result = run_sweep(small_data, tmp_path / str(jobs), grid=grid, jobs=jobs)
        none = next(figures for cell, figures in result.results if cell.method == "none")
        assert none["stopped_because"] == "cost not finite"


def test_jobs_below_one(small_data, tmp_path):
    with pytest.raises(ValueError, match="jobs"):
        run_sweep(small_data, tmp_path, grid=GRID, jobs=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_is_quiet_and_keeps_what_is_finished(small_data, tmp_path, jobs):
    def interrupt(*news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(small_data, tmp_path, grid=GRID, jobs=jobs, finished=interrupt)
    assert (tmp_path / RESULTS_NAME).read_bytes().count(b"\n") == 1


def test_processes_started_meanwhile_do_not_see_ctrl_c():
    ignored = "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)"
    earlier = signal.getsignal(signal.SIGINT)
    with sweep._ctrl_c_ignored():
        assert subprocess.run([sys.executable, "-c", ignored], check=False).returncode == 0
    assert signal.getsignal(signal.SIGINT) is earlier
    assert subprocess.run([sys.executable, "-c", ignored], check=False).returncode == 1


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    command = command_of("sweep_of_twelve_cells", tmp_path, 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(3):
            assert process.stdout.readline() == "cell\n"
        process.send_signal(signal.SIGKILL)
    kept = (tmp_path / RESULTS_NAME).read_bytes().count(b"\n")
    assert 3 <= kept <= 12
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == f"trained {12 - kept}"
    lines = (tmp_path / RESULTS_NAME).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len({json.loads(line)["key"] for line in lines}) == 12


def test_a_failing_cell_ends_the_sweep_and_keeps_the_others(small_data, tmp_path, monkeypatch):
    train_cell = sweep._train_cell

    def failing(cell, *arguments):
        if cell.method == "L2" and cell.configuration.batch_size == 120:
            raise MemoryError("played")
        return train_cell(cell, *arguments)

    monkeypatch.setattr(sweep, "_train_cell", failing)
    start = time.perf_counter()
    with pytest.raises(MemoryError, match="played"):
        run_sweep(small_data, tmp_path, grid=GRID)
    assert time.perf_counter() - start < 60
    monkeypatch.setattr(sweep, "_train_cell", train_cell)
    assert run_sweep(small_data, tmp_path, grid=GRID).trained == 1
