"""A rise that has held for three nights is reported once, by the command and by the workflow's steps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from asv_files import ROOT, Files, load
from asv_history import made, write

rises = load("rises")
STEPS = 3  # headlines that rise in the made-up history


def run(files, tmp_path, capsys, bodies=None, name="out"):
    """Run the command; return the reports."""
    options = ["--results", str(files.folder), "--out", str(tmp_path / name)]
    if bodies is not None:
        known = tmp_path / "issues.json"
        known.write_text(json.dumps([{"body": body} for body in bodies]), encoding="utf-8")
        options += ["--known", str(known)]
    assert rises.main(options) == 0
    reports = [path.read_text(encoding="utf-8") for path in sorted((tmp_path / name).iterdir())]
    assert capsys.readouterr().out == f"{len(reports)}\n"
    return reports


def test_report_names_size_range_and_confidence(tmp_path, capsys):
    reports = run(write(tmp_path / "results"), tmp_path, capsys)
    assert len(reports) == STEPS
    title, _, text = reports[1].partition("\n")
    assert title.startswith("+1")
    assert title.endswith(": One step of 784-128-10, batch 128, 2 threads")
    for part in ("Confidence: 99.", f"after {'13' * 20}", f"most likely in {'14' * 20}", "| 1d1d1d1d | 1970-05-10 |"):
        assert part in text


@pytest.mark.parametrize(("after", "reported"), [(1, 0), (2, 0), (3, STEPS), (9, STEPS)])
def test_a_rise_is_reported_after_three_nights(tmp_path, capsys, after, reported):
    files = write(tmp_path / "results", commits=26 + after, slower_from=26, step=0.2, noise=0.003)
    assert len(run(files, tmp_path, capsys)) == reported


def test_a_rise_is_reported_once(tmp_path, capsys):
    files = write(tmp_path / "results", commits=24, step=0.2)
    bodies = run(files, tmp_path, capsys, [])
    assert len(bodies) == STEPS
    assert run(files, tmp_path, capsys, bodies, "again") == []
    later = write(tmp_path / "later", commits=30, step=0.2)  # the same rise, six nights later
    assert run(later, tmp_path, capsys, [body.replace("\n", "\r\n") for body in bodies], "later-out") == []
    assert len(run(later, tmp_path, capsys, bodies[1:], "other")) == 1


def test_the_next_rise_is_reported_again(tmp_path, capsys):
    files = write(tmp_path / "results", commits=24, step=0.2)
    bodies = run(files, tmp_path, capsys)
    for i, values in enumerate(made(commits=40, slower_from=20, step=0.2)):
        if i >= 30:  # a second rise by half
            values[0] = (values[0][0], [1.5 * value for value in values[0][1]])
        files.commit(f"{i:02x}", 100 + i, values)
    assert len(run(files, tmp_path, capsys, bodies, "again")) == STEPS


def test_issues_without_a_mark_say_nothing(tmp_path, capsys):
    files = write(tmp_path / "results", commits=24, step=0.2)
    assert len(run(files, tmp_path, capsys, ["It is slow.", "", "<!-- rise of the sun -->"])) == STEPS


def test_what_cannot_be_read_is_an_error(tmp_path, capsys):
    (tmp_path / "issues.json").write_text("[1]", encoding="utf-8")
    out = tmp_path / "out"
    assert rises.main(["--known", str(tmp_path / "issues.json"), "--out", str(out)]) == 2
    assert rises.main(["--results", str(tmp_path / "nowhere"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("rises.py: ") == 2
    assert not out.exists()


def step(job, name):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8"))
    (found,) = [step["run"] for step in workflow["jobs"][job]["steps"] if step.get("name", "").startswith(name)]
    return found


GH = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
issues = json.loads((folder / "issues").read_text())
command = sys.argv[1:3]
with open(folder / "log", "a") as log:
    log.write(" ".join(command) + chr(10))
if command == ["issue", "list"]:
    bodies = [issue["body"] for issue in issues]
    print("\\n".join(bodies) if "--jq" in sys.argv else json.dumps([{{"body": body}} for body in bodies]))
if command == ["issue", "create"]:
    options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    body = pathlib.Path(options["--body-file"]).read_text()
    issues.append({{"title": options["--title"], "label": options["--label"], "body": body}})
    (folder / "issues").write_text(json.dumps(issues))
"""


@pytest.fixture
def github(tmp_path):
    """Return a function that runs a step of the workflow beside a `gh` that keeps issues in a file."""
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH.format(python=sys.executable, folder=str(tmp_path)), encoding="utf-8")
    gh.chmod(0o755)
    python = gh.parent / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "issues").write_text("[]", encoding="utf-8")

    def run_step(job, name, folder, text=lambda text: text):
        variables = os.environ | {
            "PATH": f"{gh.parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_REPOSITORY": "example/example",
        }
        subprocess.run(["bash", "-e", "-c", text(step(job, name))], cwd=folder, env=variables, check=True)
        return json.loads((tmp_path / "issues").read_text(encoding="utf-8"))

    return run_step


@pytest.mark.skipif(os.name == "nt", reason="the workflow's steps are for bash")
def test_workflow_opens_each_issue_once(tmp_path, github):
    files: Files = write(tmp_path / "results", commits=24, step=0.2)

    def with_results(text):
        return text.replace("asv_bench/rises.py", f"{ROOT}/asv_bench/rises.py --results {files.folder}")

    assert github("measure", "Rises", tmp_path, with_results) == []
    assert (tmp_path / "output").read_text(encoding="utf-8") == f"count={STEPS}\n"
    issues = github("report", "Open them", tmp_path)
    assert [issue["label"] for issue in issues] == ["benchmark-rise"] * STEPS
    assert all(issue["title"].startswith("+") and "Confidence" in issue["body"] for issue in issues)
    assert github("report", "Open them", tmp_path) == issues  # the job is tried again
    for path in (tmp_path / "rises").iterdir():
        path.unlink()
    Path(tmp_path / "rises").rmdir()
    github("measure", "Rises", tmp_path, with_results)
    assert (tmp_path / "output").read_text(encoding="utf-8").splitlines()[1:] == ["count=0"]


@pytest.mark.skipif(os.name == "nt", reason="the workflow's steps are for bash")
def test_results_of_a_night_are_kept_if_rises_cannot_be_looked_for(tmp_path, github, capfd):
    def with_nothing(text):
        return text.replace("asv_bench/rises.py", f"{ROOT}/asv_bench/rises.py --results {tmp_path}/nowhere")

    github("measure", "Rises", tmp_path, with_nothing)
    assert (tmp_path / "output").read_text(encoding="utf-8") == "count=0\n"
    assert "::warning::Rises were not looked for" in capfd.readouterr().out
