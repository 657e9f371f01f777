"""One cluster for the tests of this folder, and a small problem."""

import numpy as np
import pytest
from clusters import cluster_of


@pytest.fixture(scope="session")
def three_workers(tmp_path_factory):
    """The cluster that most tests share."""
    with cluster_of(3, tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def client(three_workers):
    """The shared cluster, whose client is the default one."""
    with three_workers.as_current():
        yield three_workers


@pytest.fixture(scope="session")
def table():
    """Samples ``(240, 5)``, a class for each and a number for each."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(240, 5))
    return X, np.array(["ant", "bee", "cat"])[X[:, :3].argmax(axis=1)], X[:, 0] - 2 * X[:, 1]
