"""What each column brings."""

from fastmlp.reports.importance import MOST_ROWS, importances


def test_the_column_that_counts_comes_first(numbers):
    model, _, test = numbers
    found = importances(model, *test, seed=0)
    assert found[0].column == "a"
    assert found[0].mean > 1 > abs(found[-1].mean)
    assert {one.column for one in found} == {"a", "noise", "c"}
    assert found == importances(model, *test, seed=0)


def test_many_rows_are_not_all_predicted(monkeypatch, numbers):
    model, _, (X, y) = numbers
    monkeypatch.setattr("fastmlp.reports.importance.MOST_ROWS", 10)
    seen = []
    monkeypatch.setattr(type(model), "predict", lambda self, X: seen.append(len(X)) or y[: len(X)])
    importances(model, X, y, seed=0)
    assert set(seen) == {10}
    assert MOST_ROWS > 10
