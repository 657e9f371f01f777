"""The curve of the benchmark gate: comparisons made of rounds that were measured."""

import random

import pytest
from asv_files import load

measures = load("pairs.measures")
selection = load("pairs.selection")
verdict = load("pairs.verdict")
prove_gate = load("prove_gate")
gate_curve = load("gate_curve")
KINDS = [measures.Measure.CPU, measures.Measure.CPU, measures.Measure.WALL, measures.Measure.PEAK]


def noisy(deviation, number=40):
    """Rounds of four benchmarks, of which the last one, as in the gate's rounds, is measured in every fourth only."""
    rng = random.Random(1)
    cases = [selection.Case(f"x.X.time_{i}", (), None, measure) for i, measure in enumerate(KINDS)]
    return [
        {case: rng.gauss(0, deviation) for case in cases if case.measure.repeated or n % gate_curve.EVERY == 0}
        for n in range(number)
    ]


def verdicts(rounds, slowdown):
    rng = random.Random(0)
    return [gate_curve.comparison(gate_curve.Measured(rounds), slowdown, rng) for _ in range(60)]


def test_a_slowdown_without_noise_is_always_reported_after_the_first_look():
    for found in verdicts(noisy(1e-6), 0.05):
        assert found == gate_curve.Outcome(verdict.Verdict.SLOWER, alarm=False, unclear=0, rounds=5.5)


def test_where_nothing_is_slower_nothing_is_reported():
    assert {(found.verdict, found.alarm) for found in verdicts(noisy(1e-6), 0.0)} == {(verdict.Verdict.SAME, False)}


def test_noise_leaves_a_slowdown_unclear_and_takes_all_rounds():
    found = verdicts(noisy(0.5), 0.05)
    assert sum(one.verdict is verdict.Verdict.UNCLEAR for one in found) > 50
    assert sum(one.rounds > 30 and one.unclear > 0.5 for one in found) > 50


def test_a_noise_that_all_benchmarks_share_is_not_averaged_away():
    cases = [selection.Case(f"x.X.time_{i}", (), None, measures.Measure.CPU) for i in range(20)]
    rng = random.Random(3)
    shared = [dict.fromkeys(cases, rng.gauss(0, 0.1)) for _ in range(40)]
    found = verdicts(shared, 0.0)
    assert {one.unclear for one in found} <= {0.0, 1.0}  # in a comparison, all benchmarks have the same rounds


def test_rounds_are_kept_in_the_file_and_make_the_same_table_again(tmp_path, capsys):
    out = tmp_path / "rounds.jsonl"
    for ratios in noisy(0.01):
        gate_curve.write(out, "no", ratios)
    tables = []
    for _ in range(2):
        assert gate_curve.main(["--minutes", "0", "--comparisons", "50", "--out", str(out)]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    rows = [[cell.strip() for cell in line.split("|")] for line in tables[0].splitlines() if line.startswith("| no ")]
    assert [row[1:4] for row in rows] == [["no", "40", f"{n} %"] for n in (0, 1, 2, 5, 10)]
    assert [row[4] for row in rows][-1] == "100.0 %"


def test_each_benchmark_says_how_often_its_slowdown_is_reported():
    quiet, loud = noisy(1e-6), noisy(0.5)
    mixed = [{case: (a if "2" in str(case) else b)[case] for case in a} for a, b in zip(quiet, loud, strict=True)]
    measured = {"no": gate_curve.Measured(mixed), "yes": gate_curve.Measured(quiet)}
    lines = gate_curve.table_of_benchmarks(measured, 60, 0).splitlines()
    head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    assert head == ["slower by 5 %", "measure", "reported, busy core no", "reported, busy core yes"]
    assert rows[-1] == ["`x.X.time_2`", "wall", "100.0 %", "100.0 %"]  # the one without noise comes last
    assert {row[3] for row in rows} == {"100.0 %"}
    assert all(float(row[2].removesuffix(" %")) < 30 for row in rows[:-1])


def test_no_rounds_at_all_is_an_error(tmp_path, capsys):
    assert gate_curve.main(["--minutes", "0", "--out", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl has no rounds; expected --minutes above 0" in capsys.readouterr().err


def test_whole_comparisons_are_made_of_new_rounds(tmp_path, monkeypatch, capsys):
    cases = list(noisy(0.01)[0])
    asked = []

    def one_round(builds, folder, calls, number, rng):
        asked.append((sorted(map(str, calls)), number))
        return {case: gate_curve.Sample(0.001, 1.0, 1.0) for case in calls}

    monkeypatch.setattr(gate_curve, "check_tree", lambda: None)
    monkeypatch.setattr(prove_gate, "make_builds", lambda commits: (("base", "head"), []))
    monkeypatch.setattr(prove_gate, "select", lambda benchmarks, patterns: cases)
    monkeypatch.setattr(prove_gate, "warm_up", lambda builds, folder, cases: {cases[0]: "missing"})
    monkeypatch.setattr(gate_curve, "one_round", one_round)
    monkeypatch.setattr(gate_curve.time, "perf_counter", iter([0, *range(0, 60, 10), 1e9]).__next__)
    out = tmp_path / "rounds.jsonl"
    assert gate_curve.main(["--minutes", "1", "--busy", "no", "--comparisons", "5", "--out", str(out)]) == 0
    slow, quick = [str(cases[3])], sorted(map(str, cases[1:3]))
    assert asked == [(quick, 0), (slow, 0), (quick, 1), (quick, 2), (quick, 3), (quick, 4), (slow, 1), (quick, 5)]
    assert "| no | 6 | 0 % |" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_number_of_comparisons_below_one_is_refused(number, capsys):
    with pytest.raises(SystemExit):
        gate_curve.main(["--comparisons", number])
    assert "--comparisons" in capsys.readouterr().err
