import csv
import json
import re
from dataclasses import replace

import pytest
from made_runs import make_run

from fastmlp.experiments import EXPERIMENTS, judge, outputs, summarise
from fastmlp.experiments.folder import prepare_folder, write_csv, write_json
from fastmlp.experiments.outputs import median_run


@pytest.fixture(scope="module")
def results():
    runs = [make_run(e.name, seed, test_accuracy=0.9 + seed / 100) for e in EXPERIMENTS for seed in range(2)]
    summaries = summarise(runs, warm_up_seconds=dict.fromkeys(("none", "batch norm", "L2"), 2.0))
    return runs, summaries, judge(summaries), {"command": "fastmlp <experiments>", "threads": 2}


@pytest.fixture(scope="module")
def paths(results, tmp_path_factory):
    """The files of the results, in a folder of their own."""
    return outputs.write_experiments(tmp_path_factory.mktemp("written"), *results)


@pytest.fixture(scope="module")
def html(paths):
    return paths[0].read_text(encoding="utf-8")


def references(html):
    """All references in a page that a browser could load."""
    return re.findall(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]+)""", html) + re.findall(
        r"url\(([^)]*)\)|@import\s+(\S+)", html
    )


def test_the_page_fetches_nothing(html):
    found = references(html)
    assert len(found) == 3
    assert all(address.startswith("data:image/svg+xml;base64,") for address in found)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    assert "<script" not in html


def test_the_page_holds_table_verdict_and_circumstances(results, html):
    _, summaries, verdict, _ = results
    assert "fastmlp &lt;experiments&gt;" in html
    for row in outputs.table.rows(summaries):
        assert row.label in html
        assert all(cell in html for cell in row.cells)
    assert html.count('class="within"') + html.count('class="outside"') == len(verdict.checks)
    assert html.count('class="within"') == sum(check.inside for check in verdict.checks)
    assert "not reproduced" in html
    assert "running statistics" in html


def test_json_and_csv_hold_every_run(results, paths):
    runs = results[0]
    assert [path.name for path in paths] == ["experiments.html", "experiments.json", "runs.csv", "curves.csv"]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(path.name for path in paths)
    document = json.loads(paths[1].read_text(encoding="utf-8"))
    assert document["runs"] == [run.figures() | {"records": run.records} for run in runs]
    with paths[2].open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [(line["experiment"], int(line["seed"])) for line in read] == [(run.experiment, run.seed) for run in runs]
    assert [float(line["test_accuracy"]) for line in read] == [run.test_accuracy for run in runs]
    with paths[3].open(newline="", encoding="utf-8") as file:
        curves = list(csv.DictReader(file))
    assert len(curves) == sum(len(run.records) for run in runs)
    assert float(curves[1]["cost"]) == runs[0].records[1]["cost"]


def test_runs_without_a_single_epoch_can_be_shown(tmp_path):
    runs = [replace(make_run("none", final_cost=None, epochs=0, stopped_because="cost not finite"), records=[])]
    summaries = summarise(runs)
    outputs.write_experiments(tmp_path, runs, summaries, judge(summaries), {})
    assert json.loads((tmp_path / "experiments.json").read_text())["runs"][0]["final_cost"] is None


def test_the_median_run():
    runs = [make_run(seed=seed, test_accuracy=value) for seed, value in enumerate((0.9, 0.1, 0.5, 0.7))]
    assert median_run(runs) == 2
    assert median_run(runs[:3]) == 2
    assert median_run(runs[:1]) == 0


def test_json_has_null_for_what_is_not_finite(tmp_path):
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5, (float("inf"),)], "b": {"c": None}})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5, [None]], "b": {"c": None}}


def test_csv_without_records_is_a_file_all_the_same(tmp_path):
    write_csv(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").exists()


def test_a_folder_is_made_with_its_parents(tmp_path):
    folder = prepare_folder(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    assert prepare_folder(folder) == folder


@pytest.mark.parametrize("below", ["", "inner"])
def test_a_file_in_the_place_of_the_folder(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"out: .*file.*expected a folder"):
        prepare_folder(tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    # root can write everywhere, so the test raises the error itself
    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fastmlp.experiments.folder.tempfile.TemporaryFile", refuse)
    with pytest.raises(PermissionError, match=r"out: .*Permission denied.*expected a writable folder"):
        prepare_folder(tmp_path)
