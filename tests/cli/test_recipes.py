"""Which recipe ``fastmlp train`` takes."""

import shlex

import pytest

from fastmlp.cli import build_parser
from fastmlp.cli.recipes import chosen


def parsed(line, data):
    return build_parser().parse_args(["train", *data.split(), *shlex.split(line)])


@pytest.mark.parametrize(
    ("data", "line", "recipe"),
    [
        ("a.csv", "", "tabular"),
        ("A.CSV", "", "tabular"),
        ("a.csv.xz", "", "tabular"),
        ("a.parquet", "--report a.html --epochs 3", "tabular"),
        ("a.feather", "--class-weight balanced --seed 3", "tabular"),
        ("a.csv", "--recipe plain", "plain"),
        ("a.csv", "--hidden 64", "plain"),  # the default, but given
        ("a.csv", "--affine", "plain"),
        ("a.csv", "--standardize", "plain"),
        ("a.csv", "--checkpoint a.safetensors", "plain"),
        ("a.csv", "--rows-in-memory 900", "plain"),
        ("mnist", "", "plain"),
        ("x.npy y.npy", "", "plain"),
        ("x.npz", "", "plain"),
        ("*.parquet", "", "plain"),
        (".", "", "plain"),
    ],
)
def test_the_recipe_follows_from_the_data_and_the_options(data, line, recipe):
    assert chosen(parsed(line, data)) == recipe


@pytest.mark.parametrize(
    ("data", "line", "complaint"),
    [
        ("mnist", "--recipe tabular", "tabular expects one table .*, got mnist"),
        ("a.csv b.csv", "--recipe tabular", "tabular expects one table"),
        (
            "mnist",
            "--task regression",
            "--task: expected with the recipe for tables only, got mnist, which is no table",
        ),
        ("a.csv", "--report a.html --recipe plain", "--report: expected .*, got --recipe plain"),
        ("a.csv", "--columns --dropout 0.1", "--columns: expected .*, got --dropout"),
        ("a.csv", "--recipe tabular --dropout 0.1", "--dropout: expected with the plain network only"),
    ],
)
def test_options_that_do_not_fit(data, line, complaint):
    with pytest.raises(ValueError, match=complaint):
        chosen(parsed(line, data))
