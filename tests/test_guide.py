"""The page for newcomers: all snippets of fastmlp run, and those of other libraries if these are installed."""

import re
from pathlib import Path

import numpy as np
import pytest
from pages import PAGES, program
from pyarrow import parquet
from sklearn.datasets import load_digits

import fastmlp

PAGE = Path(fastmlp.__file__).with_name("guide") / "coming_from.md"
TEXT = PAGE.read_text(encoding="utf-8")
SNIPPETS = re.findall(r"<!-- (?:run: )?([\w-]+) -->\n\n```python\n(.*?)```", TEXT, flags=re.DOTALL)


def snippets(library):
    return [code for name, code in SNIPPETS if name == library]


def run(code, capsys, tmp_path, monkeypatch):
    """Run the data snippet and then `code` in an empty folder; return its names and what it printed."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for part in (*snippets("data"), code):
        exec(compile(part, str(PAGE), "exec"), names)
    return names, capsys.readouterr().out


def test_every_snippet_says_whose_it_is():
    assert len(SNIPPETS) == TEXT.count("```python")
    assert {name for name, _ in SNIPPETS} == {"data", "fastmlp", "scikit-learn", "torch", "keras"}
    assert len(snippets("data")) == 1


@pytest.mark.parametrize("code", snippets("fastmlp"))
def test_snippets_of_fastmlp_run_and_learn(code, capsys, tmp_path, monkeypatch):
    names, printed = run(code, capsys, tmp_path, monkeypatch)
    assert printed
    X, y = load_digits(return_X_y=True)
    model = names.get("net") or names["model"]
    assert np.mean(model.predict((X / 16).astype(np.float32)) == y) > 0.9


def test_the_network_for_tables(capsys):
    names = {}
    exec(compile(program("realmlp"), str(PAGE), "exec"), names)
    epoch, accuracy = map(float, capsys.readouterr().out.split())
    assert accuracy > 0.97
    assert names["net"].factors[0].std() > 0
    assert 1 <= epoch <= 64


def test_scikit_learns_snippet_has_the_curve_of_ours(capsys, tmp_path, monkeypatch):
    (code,) = snippets("scikit-learn")
    theirs, _ = run(code, capsys, tmp_path, monkeypatch)
    ours, _ = run(snippets("fastmlp")[0], capsys, tmp_path, monkeypatch)
    curves = [names["model"].loss_curve_[:20] for names in (theirs, ours)]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-3)


def test_pytorchs_snippet_learns_as_ours_does(capsys, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (code,) = snippets("torch")
    _, printed = run(code, capsys, tmp_path, monkeypatch)
    assert float(printed) > 0.9


def test_callback_and_continued_training_end_as_the_page_says(capsys, tmp_path, monkeypatch):
    (continued,) = [code for code in snippets("fastmlp") if "first.state" in code]
    names, _ = run(continued, capsys, tmp_path, monkeypatch)
    assert names["second"].records[-1]["cost"] < names["first"].records[-1]["cost"]
    (stopped,) = [code for code in snippets("fastmlp") if "callbacks=" in code]
    names, _ = run(stopped, capsys, tmp_path, monkeypatch)
    assert names["history"].stopped_because == "callback"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:losses|schedules|init)\.\w+)", TEXT))))
def test_names_on_the_page_exist(name):
    module, attribute = name.split(".")
    assert hasattr(getattr(fastmlp, module), attribute)


def test_streams_on_the_page(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(program("scaling: streams"), "scaling.md", "exec"), {})
    names, accuracy = capsys.readouterr().out.splitlines()
    assert names == "['height', 'width', 'soil=clay', 'soil=sand']"
    assert float(accuracy.split()[1]) > 0.9
    assert len(parquet.read_table("predicted.parquet")) == 20_000


def test_every_program_on_every_page_is_run_by_a_test():
    marks = {"example", "sklearn example", "exchange: onnx", "exchange: torch", "exchange: scikit-learn"}
    marks |= {"run: checkpoint", "run: many", "realmlp", "scaling: streams", "scaling: dask", "scaling: mpi", "tables"}
    for name, text in PAGES.items():
        if name != PAGE.name:
            found = re.findall(r"(?:<!-- ([^>]+) -->\n\n)?```python\n", text)
            assert set(found) <= marks, name


def test_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 220
