import pytest
from made_runs import make_run

from fastmlp.experiments import EXPERIMENTS, judge, summarise


def check_of(verdict, source, figure):
    (found,) = [check for check in verdict.checks if check.source == source and check.figure == figure]
    return found


def test_bands_by_hand():
    """Experiment 1: the study has the accuracy 0.906 and 40.8 · 48 = 1958.4 steps, the report 0.9036 and 1584."""
    verdict = judge(summarise([make_run("none", test_accuracy=0.91, steps=1600)]))
    accuracy = check_of(verdict, "the study's means", "test accuracy")
    assert (accuracy.low, accuracy.high) == (pytest.approx(0.876), pytest.approx(0.936))
    steps = check_of(verdict, "the study's means", "steps")
    assert (steps.low, steps.high) == (pytest.approx(0.6 * 1958.4), pytest.approx(1.4 * 1958.4))
    reported = check_of(verdict, "the report's numbers", "steps")
    assert (reported.low, reported.high) == (pytest.approx(0.6 * 1584), pytest.approx(1.4 * 1584))
    assert verdict.all_inside


@pytest.mark.parametrize(
    ("figures", "inside"),
    [
        ({"test_accuracy": 0.8761}, True),
        ({"test_accuracy": 0.8759}, False),
        ({"test_accuracy": 0.9359}, True),
        ({"test_accuracy": 0.9361}, False),
    ],
)
def test_ends_of_the_accuracy_band(figures, inside):
    verdict = judge(summarise([make_run("none", **figures)]))
    assert check_of(verdict, "the study's means", "test accuracy").inside is inside


@pytest.mark.parametrize(("steps", "inside"), [(1174, False), (1176, True), (2741, True), (2742, False)])
def test_ends_of_the_band_of_steps(steps, inside):
    verdict = judge(summarise([make_run("none", steps=steps)]))
    assert check_of(verdict, "the study's means", "steps").inside is inside


def test_the_mean_is_judged_and_the_runs_inside_are_counted():
    runs = [make_run("none", seed, test_accuracy=value) for seed, value in enumerate((0.80, 0.91, 0.95))]
    check = check_of(judge(summarise(runs)), "the study's means", "test accuracy")
    assert check.measured == pytest.approx((0.80 + 0.91 + 0.95) / 3)
    assert check.inside
    assert (check.runs_inside, check.runs) == (1, 3)


def test_the_median_is_judged_where_the_study_gives_one():
    runs = [make_run("L2", seed, test_accuracy=value) for seed, value in enumerate((0.50, 0.915, 0.92))]
    verdict = judge(summarise(runs))
    assert check_of(verdict, "the study's means", "median test accuracy").inside
    assert not check_of(verdict, "the study's means", "test accuracy").inside


def test_outside_is_said_aloud():
    lines = judge(summarise([make_run("none", test_accuracy=0.5, steps=1600)])).lines()
    outside = [line for line in lines if "OUTSIDE" in line]
    assert len(outside) == 2
    assert "about the study's means: test accuracy 0.5000" in outside[0]
    assert any("within the band about the study's means: steps 1600" in line for line in lines)


def runs_with(accuracies):
    return [
        make_run(name, seed, test_accuracy=value)
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
    ]


def test_ranking_within_the_noise():
    runs = runs_with({"none": (0.89, 0.92), "batch norm": (0.90, 0.92), "L2": (0.88, 0.93)})
    ranking = judge(summarise(runs)).ranking
    assert "L2 > batch norm > none" in ranking
    assert "not reproduced" in ranking
    assert "within the noise between seeds" in ranking
    # 0.905 − 0.910; errors: sqrt(0.05²/2/2 + 0.02²/2/2) = sqrt(0.000625 + 0.0001) = 0.0269
    assert "L2 over batch norm -0.0050 ± 0.0269" in ranking


def test_ranking_that_stands_out():
    runs = runs_with({"none": (0.89, 0.891), "batch norm": (0.90, 0.901), "L2": (0.91, 0.911)})
    ranking = judge(summarise(runs)).ranking
    assert "stands out" in ranking
    assert "not reproduced" not in ranking


def test_ranking_that_is_clearly_another():
    runs = runs_with({"none": (0.93, 0.931), "batch norm": (0.90, 0.901), "L2": (0.91, 0.911)})
    ranking = judge(summarise(runs)).ranking
    assert "not reproduced" in ranking
    assert "within the noise" not in ranking


def test_one_run_of_each_says_nothing_on_the_ranking():
    ranking = judge(summarise([make_run(experiment.name) for experiment in EXPERIMENTS])).ranking
    assert "cannot be judged" in ranking


def test_runs_that_the_rule_did_not_end_are_told():
    runs = [make_run("none", 0), make_run("none", 1, stopped_because="epochs")]
    runs.append(make_run("none", 2, stopped_because="cost not finite", final_cost=None))
    endings = judge(summarise(runs)).endings
    assert endings == [
        "1 none: 1 of 3 runs reached the limit of 100 epochs before the stop rule ended them.",
        "1 none: 1 of 3 runs stopped because: cost not finite.",
    ]


def test_the_note_on_batch_norm_is_always_there():
    assert "running statistics" in judge(summarise([make_run("none")])).lines()[-1]
