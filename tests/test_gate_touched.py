"""Which benchmarks a change can touch, by what their processes import."""

import sys

import pytest
from asv_files import FOLDER, ROOT, load

errors = load("pairs.errors")
process = load("pairs.process")
selection = load("pairs.selection")
touched = load("pairs.touched")
Measure = load("pairs.measures").Measure
# `python -P` and no PYTHONPATH: the build must find the package of this clone
PROGRAM = (
    f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); sys.argv = sys.argv[2:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
HEAD = process.Build("head", (sys.executable, "-c", PROGRAM))
GATHER = selection.Case("gather.Gather.time_gather", ("32", "1"), 0, Measure.CPU)
ESTIMATOR = selection.Case("prediction.EstimatorOneRow.time_predict", ("1",), 0, Measure.CPU)
IMPORT = selection.Case("startup.Startup.time_process", ("'import fastmlp'",), 2, Measure.CHILDREN)
CASES = [GATHER, ESTIMATOR, IMPORT]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["fastmlp/sklearn/base.py"], {GATHER}),
        (["fastmlp/dask/base.py"], {GATHER, ESTIMATOR}),
        (["fastmlp/train.py"], set()),
        (["fastmlp/kernels/gather.py", "tests/test_mlp.py"], set()),
        (["pyproject.toml"], set()),
        (["fastmlp/datasets/mnist/rows.bin"], set()),
        (["README.md", "fastmlp/guide/speed.md", "tests/test_mlp.py", ".github/workflows/ci.yml"], set(CASES)),
        ([], set(CASES)),
    ],
)
def test_what_a_process_does_not_import_cannot_change_it(changed, expected):
    assert touched.untouched(HEAD, FOLDER / "benchmarks", CASES, changed) == expected


def test_files_that_differ_between_commits_are_listed():
    assert touched.changed_files(ROOT, "HEAD", "HEAD") == []
    with pytest.raises(errors.GateError, match="git diff --name-only"):
        touched.changed_files(ROOT, "HEAD", "no-such-commit")


def test_the_report_says_how_many_came_last():
    assert touched.notes([]) == []
    assert touched.notes([GATHER]) == ["The change cannot touch 1 of the benchmarks: they came last."]
