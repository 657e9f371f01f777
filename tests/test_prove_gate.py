"""The proof of the benchmark gate: its slowdowns, and the table of its records."""

import functools
import subprocess
import sys

import pytest
from asv_files import FOLDER, ROOT, load
from processes import answer

errors = load("pairs.errors")
patches = load("pairs.patches")
selection = load("pairs.selection")
prove_gate = load("prove_gate")
NAMES = {
    "matrix_product", "softmax", "batch_norm", "gather", "update", "barrier", "call_of_train", "one_row", "import",
    "compilation", "memory",
}  # fmt: skip


def test_the_slowdowns_are_those_that_the_guide_lists():
    assert {patch.name for patch in prove_gate.PATCHES} == NAMES


@pytest.mark.parametrize("patch", prove_gate.PATCHES, ids=lambda patch: patch.name)
def test_a_slowdown_applies_and_changes_the_package_alone(patch):
    subprocess.run(["git", "apply", "--check", str(patch.path)], cwd=ROOT, check=True)
    listed = subprocess.run(
        ["git", "apply", "--numstat", str(patch.path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    files = [line.split("\t")[2] for line in listed.stdout.splitlines()]
    assert files
    assert all(name.startswith("fastmlp/") for name in files)
    added = "\n".join(line for line in patch.path.read_text(encoding="utf-8").splitlines() if line.startswith("+"))
    assert "sleep" not in added


@pytest.mark.parametrize("patch", prove_gate.PATCHES, ids=lambda patch: patch.name)
def test_a_slowdown_is_one_of_usual_benchmarks(patch):
    assert prove_gate.affected(usual(), patch.name)


@functools.cache
def usual():
    names = ("name", "type", "params", "param_names")
    found = answer("discover_benchmarks", FOLDER / "benchmarks")
    return selection.select([dict(zip(names, row, strict=True)) for row in found], selection.DEFAULT)


def test_a_patch_without_a_description_is_refused(tmp_path):
    (tmp_path / "bare.patch").write_text("diff --git a/x b/x\n", encoding="utf-8")
    with pytest.raises(errors.GateError, match=r"bare\.patch: expected a line of text, 'Affects: REGEX'"):
        patches.read_patches(tmp_path)


def one(head, slower=(), ratio=1.0, affected=()):
    verdicts = {"slower": list(slower), "unclear": ["y"]}
    ratios = {"x": [ratio], "y": [1.0], "z": [1.0], "w": [1.0]}
    return {
        "head": head, "busy": "no", "seconds": 90, "affected": list(affected), "verdicts": verdicts, "ratios": ratios,
    }  # fmt: skip


def test_the_table_counts_what_was_found_where_it_is():
    records = [
        one("softmax", ["x"], 1.1, ["x"]),
        one("softmax", ["z"], 1.2, ["x"]),
        one("same"),
        one("same", ["z"]),
    ]
    assert prove_gate.table(records).splitlines()[2:] == [
        "| same | no | 2 |  | 1 |  | 25.0% | 1.5 |",
        "| softmax | no | 2 | 1 | 1 | 1.150 |  | 1.5 |",
    ]


def test_finished_comparisons_are_not_made_again(tmp_path, monkeypatch, capsys):
    out = tmp_path / "records.jsonl"
    out.write_text("".join(f"{prove_gate.json.dumps(one('same'))}\n" for _ in range(2)), encoding="utf-8")
    monkeypatch.setattr(prove_gate, "check_tree", lambda: None)
    monkeypatch.setattr(prove_gate, "make_builds", None)  # a comparison would call it
    assert prove_gate.main(["--comparisons", "2", "--patches", "--busy", "no", "--out", str(out)]) == 0
    assert "| same | no | 2 |" in capsys.readouterr().out


def test_a_core_is_kept_busy_only_during_the_block():
    with prove_gate.busy_core(False):
        pass
    with prove_gate.busy_core(True):
        pass
    assert sys.executable


def test_the_folder_of_slowdowns_holds_nothing_else():
    assert {path.suffix for path in (FOLDER / "slowdowns").iterdir()} == {".patch"}
