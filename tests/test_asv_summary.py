"""The overview page of asv's results: it has the figures, says what was not measured, and escapes every text."""

import importlib.util
import subprocess
import sys
from html.parser import HTMLParser

import asv_history as made_up
import pytest
from asv_files import COLD, FOLDER, STEP, Files, benchmark, load, peers, ratios, step, summary

facts_command = load("facts")


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path / "results")
    made.machine()
    return made


class Page(HTMLParser):
    """The texts and links of a page, and everything that a browser would load."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.links, self.fetched, self._own = [], [], [], False
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        self.fetched += [tag] if tag in {"link", "img", "iframe"} or "src" in attributes else []
        self._own = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self._own = False

    def handle_data(self, data):
        self.texts += [] if self._own else [data]


def write(files, html):
    assert summary.main(["--results", str(files.folder), "--html", str(html)]) == 0
    return Page((html / "summary.html").read_text(encoding="utf-8"))


def test_page_answers(files, tmp_path, capsys):
    files.machine(cpu="Some CPU", num_cpu="2", ram="8589934592", os="Linux 6", arch="x86_64")
    files.list(step(), peers())
    files.commit("a", 1, [(step(), [4e-3, 8e-3])])
    files.commit("b", 2, [(step(), [4e-3, 6e-3]), ratios()])
    page = write(files, tmp_path / "html")
    assert capsys.readouterr().out.strip() == str(tmp_path / "html" / "summary.html")
    for text in (
        "Some CPU",
        "8.0 GiB",
        "Linux 6",
        "1970-01-03",
        "bbbbbbbb",
        "PyTorch",
        "2.83",
        "150 µs",
        "newest ÷ oldest 0.75",
    ):
        assert text in page.text
    assert "not measured with the newest commit" not in page.text
    assert "takes 1.00 times as long as fastmlp" in page.text  # the geometric mean of 0.5, 2, 1, 1
    link = (
        f"index.html#{STEP}?machine=example&p-network=%27784-128-10%27&p-batch%20norm=%27none%27"
        "&p-batch%20%28rows%29=128&p-threads=2"
    )
    assert {"index.html", link} <= set(page.links)
    assert page.fetched == []


def test_page_says_what_is_missing(files, tmp_path):
    files.list(step(), benchmark(COLD))
    files.commit("a", 1, [(step(), [4e-3, 8e-3])])
    files.commit("b", 2, [(benchmark(COLD), [3])])
    page = write(files, tmp_path)
    assert "No other library was measured on this machine." in page.text
    assert "one commit: no trend yet" in page.text
    assert page.text.count("not measured with the newest commit") == 2
    assert "CPU not noted" in page.text
    _, _, missing = page.text.partition("Not measured on this machine")
    assert "784-512-512-10" in missing
    assert COLD not in missing


def test_page_says_what_is_left_out(files, tmp_path):
    files.machine("empty")
    files.list(step(), benchmark(COLD), peers())
    files.commit("a", 1, [(step(), [4e-3, 8e-3]), ratios(), (benchmark("gone.time"), [1])])
    files.commit("b", 2, [(step(), [None, None])])
    files.commit("c", 3, [(benchmark(COLD), [3]), (peers(), [1] * 4 + [None, 1, 1, 1] * 2)])
    files.commit("d", 4, [(step(), [4e-3, 8e-3]), ratios()])
    page = write(files, tmp_path)
    for text in (
        "no results of this machine",
        "gone.time: the benchmark was deleted or renamed",
        "commit bbbbbbbb: every benchmark failed",
        "gaps: 1 commit(s) without a value",
        "left out: 1 commit(s) with other or fewer tasks",
    ):
        assert text in page.text


def test_page_of_a_whole_history(tmp_path):
    page = write(made_up.write(tmp_path / "results"), tmp_path)
    for text in (
        "noise ",
        "confidence 99.",
        "after 13131313 , at the latest in 14141414",
        "784-512-512-10 1000 2 bfloat16 products",
        "How it is measured",
    ):
        assert text in page.text
    text = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 12  # five libraries, seven headlines
    assert "http" not in text.replace("http-equiv", "")
    assert page.fetched == []


def test_texts_are_escaped(files, tmp_path):
    files.machine(cpu="<script>alert(1)</script>")
    what = peers(networks=["<img src=x>", "b"])
    files.list(what)
    files.commit("a", 1, [(what, [2] * 12)])
    page = write(files, tmp_path)
    assert page.fetched == []
    assert "<script>alert(1)</script>" in page.text
    assert "<img src=x>" in page.text


def test_missing_pages_of_asv_are_noted(files, tmp_path, capsys):
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [3])])
    write(files, tmp_path)
    assert "asv publish" in capsys.readouterr().err
    (tmp_path / "index.html").touch()
    write(files, tmp_path)
    assert capsys.readouterr().err == ""


def test_command_without_results_names_the_one_that_makes_them(tmp_path):
    command = [sys.executable, str(FOLDER / "summary.py"), "--results", str(tmp_path), "--html", str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 2
    assert "asv run" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "html").exists()


def test_benchmarks_without_a_value_are_no_results(files, tmp_path, capsys):
    files.list(step())
    files.commit("a", 1, [(step(), [None, None])])
    assert summary.main(["--results", str(files.folder), "--html", str(tmp_path / "html")]) == 2
    said = capsys.readouterr().err
    assert "asv run" in said
    assert "left out: commit aaaaaaaa: every benchmark failed" in said


def test_machine_without_a_name_is_an_error(files, tmp_path, capsys):
    files.list(step())
    (files.folder / "example" / "machine.json").write_text('{"version": 1}', encoding="utf-8")
    assert summary.main(["--results", str(files.folder), "--html", str(tmp_path / "html")]) == 2
    assert "does not name its machine" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["asv", "jinja2", "ruptures"])
def test_missing_library_is_named(monkeypatch, capsys, library):
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == library else find(name))
    assert summary.main([]) == 2
    assert f"{library} is not installed: python -m pip install" in capsys.readouterr().err


def test_facts_are_noted_beside_the_results(files, capsys):
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [3])])
    assert facts_command.main(["--machine", "example", "--results", str(files.folder)]) == 0
    assert "CPU level" in files.read()[0].facts
    assert capsys.readouterr().err == ""


def test_facts_of_an_unknown_machine_or_python_are_an_error(files, monkeypatch, capsys):
    assert facts_command.main(["--machine", "nowhere", "--results", str(files.folder)]) == 2
    assert "expected the folder of asv's results of a machine" in capsys.readouterr().err
    monkeypatch.setenv("FASTMLP_PEERS_PYTHON", "/nowhere/python")
    assert facts_command.main(["--machine", "example", "--results", str(files.folder)]) == 2
    assert "FASTMLP_PEERS_PYTHON: expected a Python" in capsys.readouterr().err
    assert not (files.folder / "example" / "facts.jsonl").exists()
