"""The overview page of asv's results: its figures are those of asv's files, and its benchmarks exist."""

import importlib
import importlib.util
import math
import sys

import pytest
from asv_files import (
    COLD,
    FOLDER,
    STEP,
    Files,
    benchmark,
    chart,
    facts,
    load,
    page,
    peers,
    question,
    ratios,
    step,
    trends,
    versus,
)
from asv_history import write


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
    assert history.left_out == ["1 result in another environment than that of the newest, new"]


def test_results_of_another_machine_of_the_same_name_are_left_out(files):
    files.machine(cpu="new CPU", num_cpu="2")
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [9])], cpu="old CPU", num_cpu="2")
    files.commit("b", 2, [(benchmark(COLD), [1])], cpu="new CPU", num_cpu="2")
    files.commit("c", 3, [(benchmark(COLD), [1])])  # does not say which CPU it had
    (history,) = files.read()
    assert [commit.hash[0] for commit in history.commits] == ["b", "c"]
    assert history.left_out == ["1 result of another machine of this name (the CPU, cores or architecture differ)"]


def test_two_folders_of_one_name_are_shown_and_named(files):
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [9])])
    other = files.folder / "elsewhere"
    other.mkdir()
    for path in (files.folder / "example").iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    histories = files.read()
    assert [len(history.commits) for history in histories] == [1, 1]
    note = "2 folders have the name example: asv's own graphs show one of them"
    assert [history.left_out for history in histories] == [[note], [note]]


def test_deleted_and_changed_benchmarks_are_named(files):
    files.list(benchmark(COLD), step(version="2"))
    files.commit("a", 1, [(benchmark(COLD), [9]), (benchmark("gone.time"), [1]), (step(version="1"), [1, 1])])
    (history,) = files.read()
    assert history.left_out == [
        "gone.time: the benchmark was deleted or renamed",
        f"{STEP}: results of an earlier version of the benchmark, from 1 commit(s)",
    ]


def test_failed_commits_are_named(files):
    files.list(benchmark(COLD), step())
    files.commit("a", 1, [(benchmark(COLD), [None]), (step(), [None, None])])
    files.commit("b", 2, [(benchmark(COLD), [4]), (step(), [None, 1])])
    files.commit("c", 3, [(benchmark(COLD), [4]), (step(), [float("nan"), 1])])  # skipped, not failed
    files.commit("d", 4, [])
    (history,) = files.read()
    assert [commit.hash[0] for commit in history.commits] == ["b", "c"]
    assert history.left_out == [
        "commit aaaaaaaa: every benchmark failed",
        f"commit bbbbbbbb: failed with all or some parameters: {STEP}",
        "commit dddddddd: no benchmark of today's suite has a result",
    ]


def test_file_that_cannot_be_read_is_named(files):
    files.list(benchmark(COLD))
    files.commit("a", 1, [(benchmark(COLD), [9])])
    (files.folder / "example" / "bbbbbbbb-x.json").write_text('{"version": 2, "date', encoding="utf-8")
    (history,) = files.read()
    assert len(history.commits) == 1
    assert history.left_out[0].startswith("the file bbbbbbbb-x.json, which cannot be read")


def test_machine_without_results_is_named(files):
    files.list(benchmark(COLD))
    (history,) = files.read()
    assert history.commits == []
    assert history.left_out == ["no results of this machine"]


def test_newest_facts_are_shown(files):
    files.list(benchmark(COLD))
    (files.folder / "example" / facts.FILE).write_text('{"CPU level": "old"}\n{"CPU level": "new"}\n', encoding="utf-8")
    files.commit("a", 1, [(benchmark(COLD), [9])])
    (history,) = files.read()
    assert history.facts == {"CPU level": "new"}
    assert ("CPU level", "new") in list(page.facts(history))


@pytest.mark.parametrize(
    ("ram", "system", "text"),
    [
        ("25276502016", "Linux 6", "23.5 GiB"),
        ("17179869184", "Darwin 24", "16.0 GiB"),
        ("16 GB", "Ubuntu", "16 GB"),
        ("", "Linux", "not noted"),
    ],
)
def test_memory_has_a_unit(files, ram, system, text):
    files.machine(ram=ram, os=system)
    files.list(benchmark(COLD))
    (history,) = files.read()
    assert dict(page.facts(history))["RAM"] == text


def test_facts_of_this_machine_are_noted(tmp_path):
    facts.note(tmp_path, "abc", load("facts").collect(sys.executable))
    found = facts.newest(tmp_path)
    assert found["commit"] == "abc"
    assert "numpy" in found["other libraries"]
    assert "vectors of" in found["CPU level"]


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_broken_facts_are_an_error(tmp_path, text):
    (tmp_path / facts.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(facts.util.UserError, match="expected a JSON object in the last line"):
        facts.newest(tmp_path)


def test_machine_with_the_newest_commit_comes_first(files):
    files.list(benchmark(COLD))
    for name, day in (("early", 1), ("late", 9), ("middle", 5)):
        files.machine(name)
        files.commit("a", day, [(benchmark(COLD), [1])], machine=name)
    assert [history.machine["machine"] for history in files.read()] == ["late", "middle", "early", "example"]


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


def test_courses_by_hand(files):
    files.list(peers())
    files.commit("a", 1, [(peers(), [1] * 4 + [3, 3, 3, 3, 1, 1, None, 1])])
    files.commit("b", 2, [(peers(), [1] * 4 + [None, 1, 1, 1] * 2)])
    files.commit("c", 3, [ratios()])
    torch, other = versus.courses(*files.read())
    assert (torch.library, torch.places, torch.partial) == ("PyTorch", [0, 2], 1)
    assert torch.means == pytest.approx([3, 64**0.25])
    assert (torch.lows, torch.highs) == ([3, 1], [3, 8])
    assert (other.places, other.partial) == ([2], 2)  # the newest has three tasks, which no other commit has


def test_answers_by_hand(files):
    shape = {"batch (rows)": [32], "threads": [1, 2]}
    ours = benchmark(STEP, network=["a"], **{"batch norm": ["none", "after_relu"]}, **shape)
    half = benchmark("training.StepInBfloat16.time_steps", network=["a"], **shape)
    tasks = {"library": ["torch", "jax"], "network": ["a", "b"], "batch (rows)": [32]}
    ratio, theirs = benchmark(versus.TIMES_AS_LONG, **tasks), benchmark(question.THEIR_STEP, **tasks)
    files.list(ours, half, ratio, theirs)
    files.commit("a", 1, [(ours, [4e-3, 2e-3, 9, 9]), (half, [None, 1e-3])])
    files.commit("b", 2, [(ratio, [2, 4, 5, None]), (theirs, [100, 80, 250, 7])])
    rows, libraries = question.answers(*files.read())
    assert libraries == ["PyTorch", "JAX float32"]
    assert [(row.key, row.microseconds, row.ratios) for row in rows] == [
        (("a", "32", "1", "float32"), pytest.approx(100), {}),
        (("a", "32", "2", "float32"), pytest.approx(50), {"PyTorch": 2, "JAX float32": 5}),
        (("b", "32", "2", "float32"), pytest.approx(20), {"PyTorch": 4}),
        (("a", "32", "2", "bfloat16 products"), pytest.approx(25), {}),
    ]
    assert [row.commit.hash[0] for row in rows] == ["a", "b", "b", "a"]


def test_noise_of_a_night_is_taken_out_and_steps_are_found(tmp_path):
    (history,) = write(tmp_path).read()
    measured, _ = trends.trends(history)
    for trend in measured[:3]:
        assert [change.start for change in trend.changes] == [10, 20]
        assert trend.changes[1].low < 1.1 < trend.changes[1].high
        assert trend.noise < 0.03 < trend.measured_noise
        assert trend.rise() is trend.changes[1]
    for trend in measured[3:]:
        assert trend.changes == []
        assert trend.rise() is None


@pytest.mark.parametrize(("after", "rises"), [(2, 0), (3, 3)])
def test_a_rise_has_held_for_three_commits(tmp_path, after, rises):
    (history,) = write(tmp_path, commits=26 + after, slower_from=26, step=0.2, noise=0.003).read()
    measured, _ = trends.trends(history)
    assert len([trend for trend in measured if trend.rise()]) == rises


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


def test_gaps_split_the_line_and_keep_their_width():
    placed = chart.chart([1, 1, 1], [0, 1, 4], 5)
    assert [len(run) for run in placed.runs] == [2, 1]
    assert [x for x, _ in placed.points] == [chart.LEFT, chart.x_of(1, 5), chart.WIDTH - chart.RIGHT]


def test_axis_of_ratios_by_hand():
    assert chart.ratio_ticks(0.07, 0.4) == (0.05, 0.1, 0.2, 0.5, 1)
    placed = chart.ratio_chart([2, 20], [0, 1], 2, 1.5, 20)
    assert [value for value, _ in placed.ticks] == [1, 2, 5, 10, 20]
    bottom = chart.HEIGHT - chart.BOTTOM
    assert placed.points[1][1] == chart.TOP
    assert placed.points[0][1] == pytest.approx(bottom - (bottom - chart.TOP) * math.log(2, 20), abs=0.1)


@pytest.mark.parametrize(
    ("smallest", "largest", "ends"),
    [(30, 100, (0, 100)), (95, 105, (90, 110)), (99, 109.1, (90, 110)), (5, 5, (5, 5.5)), (0, 0, (0, 1))],
)
def test_axis_starts_near_values_that_are_alike(smallest, largest, ends):
    bottom, top = chart.axis(smallest, largest)
    assert bottom <= smallest
    assert top >= largest
    assert (bottom, top) == pytest.approx(ends)


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
