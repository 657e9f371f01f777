"""The statistics of the benchmark gate: verdicts by hand, and the rate of wrong verdicts for random times."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from asv_files import load

verdict = load("pairs.verdict")
timing = load("pairs.timing")
selection = load("pairs.selection")
report = load("pairs.report")
comparison = load("pairs.comparison")
counts = load("pairs.counts")
Verdict = verdict.Verdict
CASE = selection.Case("linear.Linear.time_forward", ("128", "1"), 3, one_thread=True)
CASES = 20


def samples(logs, base=2e-3):
    return [timing.Sample(value, base, base * math.exp(value)) for value in logs]


def judged(logs, cases=CASES):
    return verdict.judge(CASE, samples(logs), cases)


def around(centre, spread, n=8):
    """`n` values with the mean `centre` and about the standard deviation `spread`."""
    values = np.array([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    return centre + spread * values / values.std(ddof=1)


@pytest.mark.parametrize(
    ("centre", "spread", "expected"),
    [
        (math.log(1.10), 0.01, Verdict.SLOWER),
        (math.log(1.02), 0.01, Verdict.SAME),  # a significant difference below the margin
        (0.0, 0.01, Verdict.SAME),
        (0.0, 0.10, Verdict.UNCLEAR),
        (math.log(1.10), 0.10, Verdict.UNCLEAR),
        (math.log(0.80), 0.01, Verdict.FASTER),
        (math.log(0.98), 0.001, Verdict.SAME),
    ],
)
def test_verdict(centre, spread, expected):
    assert judged(around(centre, spread)).verdict is expected


def test_interval_by_hand():
    # t of 7 degrees of freedom at 1 - 0.05 / (1 · 3): 2.6338 by R, qt(1 - 0.05 / 3, 7)
    logs = around(0.01, 0.02)
    half = 2.6338 * 0.02 / math.sqrt(8)
    found = judged(logs, cases=1)
    assert found.ratio == pytest.approx(math.exp(0.01))
    assert (found.low, found.high) == pytest.approx((math.exp(0.01 - half), math.exp(0.01 + half)), rel=1e-4)
    assert found.rounds == 8


def test_more_benchmarks_widen_the_interval():
    few, many = judged(around(0, 0.02), cases=1), judged(around(0, 0.02), cases=50)
    assert many.low < few.low < 1 < few.high < many.high


def test_median_times_are_reported():
    found = verdict.judge(CASE, [timing.Sample(0.1 * i, i, 2 * i) for i in range(1, 4)], 1)
    assert (found.base, found.head) == (2, 4)


def alarms(draw, comparisons):
    """Count the comparisons of `CASES` benchmarks in which any look finds a slower benchmark."""
    count = 0
    for _ in range(comparisons):
        logs = draw((CASES, verdict.LOOKS[-1]))
        open_rows = list(range(CASES))
        found = []
        for look in verdict.LOOKS:
            verdicts = {row: judged(logs[row, :look]).verdict for row in open_rows}
            found += verdicts.values()
            open_rows = [row for row in open_rows if verdicts[row] is Verdict.UNCLEAR]
        count += Verdict.SLOWER in found
    return count


@pytest.mark.parametrize("spread", [0.02, 0.08])
@pytest.mark.parametrize("tails", ["normal", "heavy"])
def test_false_alarms_are_rare_over_a_whole_comparison(tails, spread):
    rng = np.random.default_rng(0)
    # at the margin, false alarms are most frequent; Student's t with 3 degrees of freedom has outliers
    draw = rng.standard_normal if tails == "normal" else lambda shape: rng.standard_t(3, shape) / math.sqrt(3)
    count = alarms(lambda shape: math.log(1 + verdict.MARGIN) + spread * draw(shape), comparisons=60)
    # with 60 comparisons at 5 % each, the chance of 9 or more alarms is below 0.3 %
    assert count <= 8


def test_a_slowdown_of_ten_percent_is_seen_in_noise_of_four():
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(40):
        logs = math.log(1.10) + 0.04 * rng.standard_normal(verdict.LOOKS[-1])
        verdicts = [judged(logs[:look]).verdict for look in verdict.LOOKS]
        assert Verdict.FASTER not in verdicts
        seen += Verdict.SLOWER in verdicts
    assert seen >= 38


def result(findings, not_compared=(), counted=None):
    return comparison.Comparison(
        "aaaaaaaa", "bbbbbbbb", findings, dict(not_compared), counted or counts.Counts({}, "x")
    )


def test_report_of_a_regression():
    other = selection.Case("softmax.Softmax.time_softmax", (), None, one_thread=False)
    slow, same = judged(around(math.log(1.2), 0.01)), verdict.judge(other, samples(around(0, 0.01), 3e-6), CASES)
    counted = counts.Counts({CASE: (1000, 1150)})
    found = result([same, slow], {other: "fails in the base"}, counted)
    assert found.slower
    text = report.markdown(found)
    assert text.splitlines()[0] == "### Benchmarks: 1 of 2 slower; 1 not compared"
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `linear.Linear.time_forward(128, 1)` | 2 ms | 2.4 ms | 1.200 |")
    assert rows[0].endswith("| +15.0% | **slower** |")
    assert rows[1].startswith("| `softmax.Softmax.time_softmax` | 3 µs | 3 µs | 1.000 |")
    assert rows[1].endswith("|  | same |")
    assert "- `softmax.Softmax.time_softmax`: fails in the base" in text
    assert "<" not in text  # the comment on a pull request shows no HTML


def test_report_without_a_regression_says_what_it_does_not_know():
    found = result([judged(around(0, 0.01)), judged(around(0, 0.2))])
    assert not found.slower
    text = report.markdown(found)
    assert text.startswith("### Benchmarks: no regression found; 1 too noisy to exclude a slowdown of 10%\n")
    assert "No instructions were counted: x." in text


def test_json_holds_all_figures():
    found = result([judged(around(0, 0.01))], {}, counts.Counts({CASE: (7, 8)}))
    (row,) = report.as_json(found)["findings"]
    assert row["benchmark"] == str(CASE)
    assert row["verdict"] == "same"
    assert row["instructions"] == [7, 8]
    assert row["low"] < row["ratio"] < row["high"]
