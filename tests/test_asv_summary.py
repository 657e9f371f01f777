"""The page in front of asv's: it shows what asv's files hold, says what they lack, and escapes every text."""

import importlib
import importlib.util
import itertools
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine
from asv.results import Results
from asv.runner import BenchmarkResult

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "asv_bench"
STEP = "training.Step.time_steps"
COLD = "startup.ColdStart.track_first_training"
ENVIRONMENT = "virtualenv-py3.11"
DAY = 86_400_000  # of asv's timestamps, which are milliseconds


@pytest.fixture(scope="module", autouse=True)
def script_folder():
    """The command's own folder is the first on its path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield


@pytest.fixture
def summary():
    return importlib.import_module("summary")


def dashboard(name):
    return importlib.import_module(f"dashboard.{name}")


def benchmark(name, version="1", **parameters):
    """Return what asv notes of a benchmark."""
    values = [list(map(repr, choices)) for choices in parameters.values()]
    return {"name": name, "version": version, "param_names": list(parameters), "params": values, "type": "track"}


def step(version="1"):
    return benchmark(
        STEP, version, network=["784-20-7-5-10", "784-128-10"], batch_norm=["none"], batch=[128], threads=[2]
    )


def peers(libraries=("fastmlp", "torch", "other"), networks=("a", "b"), batches=(32, 128)):
    return benchmark(dashboard("versus").TIMES_AS_LONG, library=libraries, network=networks, batch=batches)


class Store:
    """asv's files in a folder, written by asv."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = Config.from_json({"repo": str(ROOT), "results_dir": str(folder)})

    def machine(self, name="example", **facts):
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        content = {"machine": name, "version": Machine.api_version} | facts
        (self.folder / name / "machine.json").write_text(json.dumps(content), encoding="utf-8")

    def list(self, *benchmarks):
        Benchmarks(self.conf, benchmarks).save()

    def commit(self, digit, day, values, machine="example", environment=ENVIRONMENT):
        """Write the result of the commit whose hash is `digit` again and again; `values` are pairs with benchmarks."""
        result = Results({"machine": machine}, {}, digit * 40, day * DAY, "3.11", environment, {})
        for what, numbers in values:
            n = len(list(itertools.product(*what["params"])))
            nothing = [None] * n
            assert len(numbers) == n
            result.add_result(what, BenchmarkResult(list(numbers), nothing, nothing, 0, "", None))
        result.save(str(self.folder))

    def read(self):
        return dashboard("store").read(self.folder, self.conf)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "results")
    made.machine()
    return made


def ratios():
    """fastmlp, torch and other on networks a and b, batches 32 and 128; other failed at the last."""
    return (peers(), [1, 1, 1, 1, 2, 8, 4, 1, 0.5, 2, 1, None])


def test_history_is_in_the_order_of_the_commits(store):
    store.list(step())
    store.commit("b", 30, [(step(), [2e-3, 3e-3])])
    store.commit("a", 10, [(step(), [4e-3, 5e-3])])
    (history,) = store.read()
    assert [commit.hash[0] for commit in history.commits] == ["a", "b"]
    assert f"{history.commits[1].date:%Y-%m-%d}" == "1970-01-31"
    key = (("network", "'784-128-10'"), ("batch_norm", "'none'"), ("batch", "128"), ("threads", "2"))
    assert history.commits[0].values[STEP][key] == 5e-3


def test_failures_and_changed_benchmarks_are_no_values(store):
    store.list(step(version="2"), benchmark(COLD))
    store.commit("a", 1, [(step(version="1"), [1, 1]), (benchmark(COLD), [7])])
    store.commit("b", 2, [(step(version="2"), [None, float("nan")]), (benchmark(COLD), [8])])
    store.commit("c", 3, [(step(version="2"), [None, None])])
    (history,) = store.read()
    assert [commit.values.get(STEP, {}) for commit in history.commits] == [{}, {}]
    assert [commit.values[COLD] for commit in history.commits] == [{(): 7.0}, {(): 8.0}]


def test_only_the_newest_environment_is_compared(store):
    store.list(benchmark(COLD))
    store.commit("a", 1, [(benchmark(COLD), [1])], environment="old")
    store.commit("b", 2, [(benchmark(COLD), [2])], environment="new")
    store.commit("c", 3, [(benchmark(COLD), [3])], environment="new")
    (history,) = store.read()
    assert history.environment == "new"
    assert [commit.hash[0] for commit in history.commits] == ["b", "c"]


def test_machine_with_the_newest_commit_comes_first(store):
    store.list(benchmark(COLD))
    for name, day in (("early", 1), ("late", 9), ("middle", 5)):
        store.machine(name)
        store.commit("a", day, [(benchmark(COLD), [1])], machine=name)
    assert [history.machine["machine"] for history in store.read()] == ["late", "middle", "early"]


def test_versus_by_hand(store):
    store.list(peers())
    store.commit("a", 1, [ratios()])
    table = dashboard("versus").versus(*store.read())
    assert table.parameters == ["network", "batch"]
    assert table.libraries == ["PyTorch", "other"]  # fastmlp beside itself tells nothing
    assert [row.task for row in table.rows] == [["a", "32"], ["a", "128"], ["b", "32"], ["b", "128"]]
    assert [row.ratios for row in table.rows] == [[2, 0.5], [8, 2], [4, 1], [1, None]]
    assert table.best == [0.5, 2, 1, 1]
    assert table.means == pytest.approx([64**0.25, 1.0])


def test_versus_finds_the_library_wherever_it_stands_and_keeps_other_parameters(store):
    name = dashboard("versus").TIMES_AS_LONG
    what = benchmark(name, threads=[1, 2], library=["jax"], network=["a"])
    store.list(what)
    store.commit("a", 1, [(what, [3, 5])])
    table = dashboard("versus").versus(*store.read())
    assert table.parameters == ["threads", "network"]
    assert [(row.task, row.ratios) for row in table.rows] == [(["1", "a"], [3]), (["2", "a"], [5])]


def test_versus_is_the_newest_that_was_measured(store):
    store.list(peers(), benchmark(COLD))
    store.commit("a", 1, [(peers(), [9] * 12)])
    store.commit("b", 2, [ratios()])
    store.commit("c", 3, [(benchmark(COLD), [1]), (peers(), [None] * 12)])
    assert dashboard("versus").versus(*store.read()).commit.hash[0] == "b"


def test_no_versus_without_another_library(store):
    store.list(peers())
    store.commit("a", 1, [(peers(), [1] * 4 + [None] * 8)])
    assert dashboard("versus").versus(*store.read()) is None


def test_trends_by_hand(store):
    store.list(step(), benchmark(COLD))
    store.commit("a", 1, [(step(), [4e-3, 8e-3])])
    store.commit("b", 2, [(step(), [None, 6e-3]), (benchmark(COLD), [20])])
    measured, missing = dashboard("trends").trends(*store.read())
    found = [
        ([commit.hash[0] for commit, _ in trend.points], [value for _, value in trend.points]) for trend in measured
    ]
    assert found == [
        (["a"], [pytest.approx(100)]),
        (["a", "b"], [pytest.approx(200), pytest.approx(150)]),
        (["b"], [20]),
    ]
    assert [trend.change for trend in measured] == [None, pytest.approx(0.75), None]
    assert len(measured) + len(missing) == len(dashboard("trends").HEADLINES)


def test_chart_by_hand():
    chart = dashboard("chart")
    placed = chart.chart([0, 30, 40])
    bottom, middle = chart.HEIGHT - chart.BOTTOM, (chart.LEFT + chart.WIDTH - chart.RIGHT) / 2
    height = bottom - chart.TOP
    assert placed.points == [
        (chart.LEFT, bottom),
        (middle, pytest.approx(bottom - 0.75 * height)),
        (chart.WIDTH - chart.RIGHT, chart.TOP),
    ]
    assert placed.ticks == [(0, bottom), (20, pytest.approx(bottom - height / 2)), (40, chart.TOP)]


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 1), (1, 1), (1.01, 2), (0.07, 0.08), (99, 100), (2600, 4000), (1e-7, 1e-7)]
)
def test_axis_top(largest, top):
    assert dashboard("chart").axis_top(largest) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "text"), [(20937.6, "20,938"), (100, "100"), (35.24, "35.2"), (2.5, "2.50"), (0.1234, "0.123"), (0, "0")]
)
def test_digits(value, text):
    assert dashboard("page").digits(value) == text


class Page(HTMLParser):
    """The texts, the links and everything that a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.links, self.fetched = [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        self.fetched += [tag] if tag in {"script", "link", "img", "iframe"} or "src" in attributes else []

    def handle_data(self, data):
        self.texts.append(data)


def write(summary, store, html):
    assert summary.main(["--results", str(store.folder), "--html", str(html)]) == 0
    return Page((html / "summary.html").read_text(encoding="utf-8"))


def test_page_answers(store, summary, tmp_path, capsys):
    store.machine(cpu="Some CPU", num_cpu="2", ram="8388608", os="Linux 6", arch="x86_64")
    store.list(step(), peers())
    store.commit("a", 1, [(step(), [4e-3, 8e-3])])
    store.commit("b", 2, [(step(), [4e-3, 6e-3]), ratios()])
    page = write(summary, store, tmp_path / "html")
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
        f"index.html#{STEP}?machine=example&p-network=%27784-128-10%27&p-batch_norm=%27none%27&p-batch=128&p-threads=2"
    )
    assert link in page.links
    assert page.fetched == []


def test_page_says_what_is_missing(store, summary, tmp_path):
    store.list(step(), benchmark(COLD))
    store.commit("a", 1, [(step(), [4e-3, 8e-3])])
    store.commit("b", 2, [(benchmark(COLD), [3])])
    page = write(summary, store, tmp_path)
    assert "No other library was measured on this machine." in page.text
    assert "one commit: no trend yet" in page.text
    assert page.text.count("not measured with the newest commit") == 2
    assert "CPU not noted" in page.text
    _, _, missing = page.text.partition("Not measured on this machine")
    assert "784-512-512-10" in missing
    assert COLD not in missing


def test_texts_are_escaped(store, summary, tmp_path):
    store.machine(cpu="<script>alert(1)</script>")
    what = peers(networks=["<img src=x>", "b"])
    store.list(what)
    store.commit("a", 1, [(what, [2] * 12)])
    page = write(summary, store, tmp_path)
    assert page.fetched == []
    assert "<script>alert(1)</script>" in page.text
    assert "<img src=x>" in page.text


def test_missing_pages_of_asv_are_noted(store, summary, tmp_path, capsys):
    store.list(benchmark(COLD))
    store.commit("a", 1, [(benchmark(COLD), [3])])
    write(summary, store, tmp_path)
    assert "asv publish" in capsys.readouterr().err
    (tmp_path / "index.html").touch()
    write(summary, store, tmp_path)
    assert capsys.readouterr().err == ""


def test_command_without_results_names_the_one_that_makes_them(tmp_path):
    command = [sys.executable, str(FOLDER / "summary.py"), "--results", str(tmp_path), "--html", str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 2
    assert "asv run" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "html").exists()


def test_benchmarks_without_a_value_are_no_results(store, summary, tmp_path, capsys):
    store.list(step())
    store.commit("a", 1, [(step(), [None, None])])
    assert summary.main(["--results", str(store.folder), "--html", str(tmp_path / "html")]) == 2
    assert "asv run" in capsys.readouterr().err


def test_machine_without_a_name_is_an_error(store, summary, tmp_path, capsys):
    store.list(step())
    (store.folder / "example" / "machine.json").write_text('{"version": 1}', encoding="utf-8")
    assert summary.main(["--results", str(store.folder), "--html", str(tmp_path / "html")]) == 2
    assert "does not name its machine" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["asv", "jinja2"])
def test_missing_library_is_named(summary, monkeypatch, capsys, library):
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == library else find(name))
    assert summary.main([]) == 2
    assert f"{library} is not installed: python -m pip install" in capsys.readouterr().err


def suite(stem):
    """Import a file of the real benchmarks under a name that no other package has."""
    package = "fastmlp_asv_bench_of_summary"
    if package not in sys.modules:
        path = FOLDER / "benchmarks"
        spec = importlib.util.spec_from_file_location(
            package, path / "__init__.py", submodule_search_locations=[str(path)]
        )
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{stem}")


def scenario_of(benchmark):
    """Return the class of the suite that an asv name spells, and check that it has the method."""
    stem, scenario, method = benchmark.split(".")
    found = getattr(suite(stem), scenario)
    assert callable(getattr(found, method))
    return found


def test_steps_of_a_measurement_are_those_of_the_benchmark():
    assert dashboard("trends").STEPS == suite("training").STEPS


@pytest.mark.parametrize("index", range(7))
def test_headlines_are_in_the_suite(index, request):
    headline = dashboard("trends").HEADLINES[index]
    if headline.benchmark.startswith("accuracy."):
        request.applymarker(
            pytest.mark.xfail(reason="no benchmark of the time to 98 % yet", raises=ModuleNotFoundError)
        )
    scenario = scenario_of(headline.benchmark)
    names, choices = getattr(scenario, "param_names", ()), getattr(scenario, "params", ())
    assert [name for name, _ in headline.parameters] == list(names)
    for (_, value), allowed in zip(headline.parameters, choices, strict=True):
        assert value in map(repr, allowed)


def test_number_of_headlines():
    assert len(dashboard("trends").HEADLINES) == 7  # all of them are in the test above


@pytest.mark.xfail(reason="no benchmark of other libraries yet", raises=ModuleNotFoundError)
def test_versus_is_in_the_suite():
    versus = dashboard("versus")
    assert versus.COLUMN in scenario_of(versus.TIMES_AS_LONG).param_names
