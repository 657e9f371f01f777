"""Reading data sets, and saving and loading networks."""

import csv
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp import datasets

from ._data import NETWORKS, labels, make_network, pixels
from ._pages import shown_as

SAMPLES = 10_000
WIDTH = 784
CLASSES = 10

Arrays = tuple[NDArray[Any], ...]


def write_table(path: Path, X: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
    """Write a CSV file with the label in the first column."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["digit", *(f"pixel{i}" for i in range(X.shape[1]))])
        writer.writerows(np.column_stack((y, X)).tolist())


class Mnist:
    def setup(self) -> None:
        self.time_mnist()

    @shown_as("Data: datasets.mnist(), unpacked before")
    def time_mnist(self) -> Arrays:
        return datasets.mnist()


class DataFile:
    params = (["npy", "npz", "csv"],)
    param_names = ("format",)
    timeout = 300.0

    def setup(self, kind: str) -> None:
        if kind == "csv" and importlib.util.find_spec("pandas") is None:
            raise NotImplementedError("CSV files need the extra: pip install 'fastmlp[tables]'")
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        X, y = pixels(SAMPLES, WIDTH), labels(SAMPLES, CLASSES)
        self.path, self.target = folder / f"X.{kind}", "digit"
        if kind == "npy":
            self.target = str(folder / "y.npy")
            np.save(self.path, X)
            np.save(self.target, y)
        elif kind == "npz":
            np.savez(self.path, X=X, digit=y)
        else:
            write_table(self.path, X, y)
        self.time_load()

    def teardown(self, kind: str) -> None:
        if hasattr(self, "folder"):  # asv also tears down what it skipped
            self.folder.cleanup()

    @shown_as(f"Data: datasets.load, {SAMPLES:,} rows of {WIDTH}")
    def time_load(self, *_: object) -> Arrays:
        data = datasets.load(self.path, target=self.target)
        assert data.y is not None
        return data.X, data.y


class Network:
    params = (NETWORKS,)
    param_names = ("network",)

    def setup(self, network: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "net.safetensors"
        self.net = make_network(network)
        self.time_save()
        self.time_load()

    def teardown(self, network: str) -> None:
        self.folder.cleanup()

    @shown_as("Networks: MLP.save")
    def time_save(self, *_: object) -> None:
        self.net.save(self.path)

    @shown_as("Networks: fastmlp.load")
    def time_load(self, *_: object) -> Arrays:
        return tuple(fastmlp.load(self.path).weights)
