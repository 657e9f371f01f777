"""The overview page of asv's results: its figures are those of asv's files, and its benchmarks exist."""

import importlib
import importlib.util
import sys

import pytest
from asv_files import COLD, FOLDER, STEP, Files, benchmark, chart, page, peers, ratios, step, trends, versus


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path / "results")
    made.machine()
    return made


def test_history_is_in_the_order_of_the_commits(files):
    files.list(step())
    files.commit("b", 30, [(step(), [2e-3, 3e-3])])
    files.commit("a", 10, [(step(), [4e-3, 5e-3])])
    (history,) = files.read()
    assert [commit.hash[0] for commit in history.commits] == ["a", "b"]
    assert f"{history.commits[1].date:%Y-%m-%d}" == "1970-01-31"
    key = (("network", "'784-128-10'"), ("batch norm", "'none'"), ("batch (rows)", "128"), ("threads", "2"))
    assert history.commits[0].values[STEP][key] == 5e-3


def test_failures_and_changed_benchmarks_are_no_values(files):
    files.list(step(version="2"), benchmark(COLD))
    files.commit("a", 1, [(step(version="1"), [1, 1]), (benchmark(COLD), [7])])
    files.commit("b", 2, [(step(version="2"), [None, float("nan")]), (benchmark(COLD), [8])])
    files.commit("c", 3, [(step(version="2"), [None, None])])
    (history,) = files.read()
    assert [commit.values.get(STEP, {}) for commit in history.commits] == [{}, {}]
    assert [commit.values[COLD] for commit in history.commits] == [{(): 7.0}, {(): 8.0}]


def test_only_the_newest_environment_is_compared(files):
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [1])], environment="old")
    files.commit("b", 2, [(benchmark(COLD), [2])], environment="new")
    files.commit("c", 3, [(benchmark(COLD), [3])], environment="new")
    (history,) = files.read()
    assert history.environment == "new"
    assert [commit.hash[0] for commit in history.commits] == ["b", "c"]


def test_machine_with_the_newest_commit_comes_first(files):
    files.list(benchmark(COLD))
    for name, day in (("early", 1), ("late", 9), ("middle", 5)):
        files.machine(name)
        files.commit("a", day, [(benchmark(COLD), [1])], machine=name)
    assert [history.machine["machine"] for history in files.read()] == ["late", "middle", "early"]


def test_versus_by_hand(files):
    files.list(peers())
    files.commit("a", 1, [ratios()])
    table = versus.versus(*files.read())
    assert table.parameters == ["network", "batch"]
    assert table.libraries == ["PyTorch", "other"]  # fastmlp's own ratio is left out
    assert [row.task for row in table.rows] == [["a", "32"], ["a", "128"], ["b", "32"], ["b", "128"]]
    assert [row.ratios for row in table.rows] == [[2, 0.5], [8, 2], [4, 1], [1, None]]
    assert table.best == [0.5, 2, 1, 1]
    assert table.means == pytest.approx([64**0.25, 1.0])


def test_versus_finds_the_library_wherever_it_stands_and_keeps_other_parameters(files):
    name = versus.TIMES_AS_LONG
    what = benchmark(name, threads=[1, 2], library=["jax"], network=["a"])
    files.list(what)
    files.commit("a", 1, [(what, [3, 5])])
    table = versus.versus(*files.read())
    assert table.parameters == ["threads", "network"]
    assert [(row.task, row.ratios) for row in table.rows] == [(["1", "a"], [3]), (["2", "a"], [5])]


def test_versus_is_the_newest_that_was_measured(files):
    files.list(peers(), benchmark(COLD))
    files.commit("a", 1, [(peers(), [9] * 12)])
    files.commit("b", 2, [ratios()])
    files.commit("c", 3, [(benchmark(COLD), [1]), (peers(), [None] * 12)])
    assert versus.versus(*files.read()).commit.hash[0] == "b"


def test_no_versus_without_another_library(files):
    files.list(peers())
    files.commit("a", 1, [(peers(), [1] * 4 + [None] * 8)])
    assert versus.versus(*files.read()) is None


def test_trends_by_hand(files):
    files.list(step(), benchmark(COLD))
    files.commit("a", 1, [(step(), [4e-3, 8e-3])])
    files.commit("b", 2, [(step(), [None, 6e-3]), (benchmark(COLD), [20])])
    measured, missing = trends.trends(*files.read())
    found = [
        ([commit.hash[0] for commit, _ in trend.points], [value for _, value in trend.points]) for trend in measured
    ]
    assert found == [
        (["a"], [pytest.approx(100)]),
        (["a", "b"], [pytest.approx(200), pytest.approx(150)]),
        (["b"], [20]),
    ]
    assert [trend.change for trend in measured] == [None, pytest.approx(0.75), None]
    assert len(measured) + len(missing) == len(trends.HEADLINES)


def test_chart_by_hand():
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
    assert chart.axis_top(largest) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "text"), [(20937.6, "20,938"), (100, "100"), (35.24, "35.2"), (2.5, "2.50"), (0.1234, "0.123"), (0, "0")]
)
def test_digits(value, text):
    assert page.digits(value) == text


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


def scenario_of(name):
    """Return the benchmark class that an asv name contains, and check that it has the method."""
    stem, scenario, method = name.split(".")
    found = getattr(suite(stem), scenario)
    assert callable(getattr(found, method))
    return found


def test_steps_of_a_measurement_are_those_of_the_benchmark():
    assert trends.STEPS == suite("training").STEPS


@pytest.mark.parametrize("headline", trends.HEADLINES, ids=lambda headline: headline.title)
def test_headlines_are_in_the_suite(headline):
    scenario = scenario_of(headline.benchmark)
    names, choices = getattr(scenario, "param_names", ()), getattr(scenario, "params", ())
    assert [name for name, _ in headline.parameters] == list(names)
    for (_, value), allowed in zip(headline.parameters, choices, strict=True):
        assert value in map(repr, allowed)


def test_versus_is_in_the_suite():
    assert versus.COLUMN in scenario_of(versus.TIMES_AS_LONG).param_names
