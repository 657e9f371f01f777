import pytest
from made_runs import make_run

from fastmlp.experiments import EXPERIMENTS, summarise
from fastmlp.experiments.table import Spread, as_text, headings, rows


def test_spread_of_three_numbers():
    # mean 6, squared deviations 16 + 4 + 36 = 56, divided by 2
    spread = Spread.of([2, 4, 12])
    assert (spread.mean, spread.median, spread.least, spread.greatest) == (6, 4, 2, 12)
    assert spread.deviation == pytest.approx(28**0.5)


def test_spread_of_one_number_has_no_deviation():
    assert Spread.of([3]).deviation is None


def test_spread_leaves_out_what_is_not_finite():
    assert Spread.of([1.0, None, float("nan"), float("inf"), 3.0]).mean == 2
    assert Spread.of([None, float("nan")]) is None


def test_summary_by_hand():
    runs = [
        make_run("none", 0, epochs=40, steps=1920, test_accuracy=0.90, seconds=2.0),
        make_run("none", 1, epochs=44, steps=2112, test_accuracy=0.92, seconds=4.0, stopped_because="epochs"),
        make_run("L2", 0, epochs=20, steps=1920),
    ]
    none, l2 = summarise(runs, warm_up_seconds={"none": 5.0})
    assert (none.name, none.runs, l2.name, l2.runs) == ("none", 2, "L2", 1)
    assert none.figures["epochs"].mean == 42
    assert none.figures["test_accuracy"].mean == pytest.approx(0.91)
    assert none.stopped_because == {"early stopping": 1, "epochs": 1}
    title, own, report, study = (row for row in rows([none]))
    assert title.opens_group
    assert title.label == "1 none, batch 1000"
    cells = dict(zip(headings(), own.cells, strict=True))
    # 40 and 44: deviation sqrt(8) = 2.83; 1920 and 2112: sqrt(2) · 96 = 136; 0.90 and 0.92: 0.0141
    assert cells["epochs"] == "42.0 ± 2.8"
    assert cells["steps"] == "2016 ± 136"
    assert cells["test accuracy"] == "0.910 ± 0.014"
    assert cells["seconds"] == "3.00 ± 1.41"
    assert cells["with compiling"] == "8.00"
    assert report.cells[:4] == ("33", "1584", "0.9087", "0.9036")
    assert study.cells[:2] == ("40.8 ± 9.4", "1958")


def test_a_single_run_is_shown_as_it_is():
    own = rows(summarise([make_run("none", steps=1584, epochs=33)]))[1]
    assert own.label == "fastmlp, 1 seed"
    assert own.cells[:3] == ("33", "1584", "0.9100")


def test_a_figure_that_no_run_has_is_a_dash():
    own = rows(summarise([make_run("none", final_cost=None)]))[1]
    assert dict(zip(headings(), own.cells, strict=True))["final cost"] == "-"


def test_text_fits_a_terminal_and_holds_every_figure():
    runs = [make_run(e.name, seed, steps=1000 + seed, final_cost=0.1 + seed) for e in EXPERIMENTS for seed in (0, 1)]
    text = as_text(summarise(runs))
    assert max(map(len, text.splitlines())) <= 80
    for experiment in EXPERIMENTS:
        assert experiment.title in text
        assert str(experiment.report.seconds) in text
    assert text.count("fastmlp, 2 seeds") == 3
    assert text.count("0.906 ± 0.022") == 1
