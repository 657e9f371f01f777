"""A table as people have them, and models of it."""

import csv

import numpy as np
import pytest

ROWS = 120


@pytest.fixture
def houses(tmp_path):
    """A CSV file with text, numbers, dates, booleans, gaps and an identifier; ``price`` follows size and city."""
    rng = np.random.default_rng(3)
    size, city = rng.normal(120, 30, ROWS).round(1), rng.choice(["Bern", "Nice", "Ulm"], ROWS)
    price = (2000 * size + 40_000 * (city == "Ulm") + rng.normal(0, 3000, ROWS)).round()
    built = np.datetime64("2001-01-01") + rng.integers(0, 6000, ROWS)
    garden = rng.random(ROWS) < 0.5
    path = tmp_path / "houses.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "size", "city", "built", "garden", "price", "kind"])
        for i in range(ROWS):
            kind = "dear" if price[i] > 260_000 else "cheap"
            row = [f"h{i:03}", size[i], city[i], built[i], garden[i], price[i], kind]
            writer.writerow(["" if i % 17 == j and j in (1, 2, 4) else value for j, value in enumerate(row)])
    return path


@pytest.fixture
def train(run):
    """Run ``fastmlp train`` for a few epochs on one thread; returns its outcome."""

    def call(*argv):
        return run("train", *argv, "--epochs", "4", "--threads", "1")

    return call


@pytest.fixture
def priced(train, houses):
    """The file of a model of prices."""
    assert (
        train(houses, "--target", "price", "--ignore", "code,kind", "--quiet", "--out", "price.safetensors").code == 0
    )
    return "price.safetensors"


@pytest.fixture
def classified(train, houses):
    """The file of a model of kinds."""
    assert train(houses, "--target", "kind", "--ignore", "code,price", "--quiet", "--out", "kind.safetensors").code == 0
    return "kind.safetensors"
