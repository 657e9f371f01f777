"""The same seed gives the same bits, run after run and at any number of threads."""

import numpy as np
import pytest
from networks import digest

from fastmlp import MLP, SGD, BatchNorm, EarlyStopping, train

# with batches of 257 rows, all except the first two have enough work for a second thread
NETWORKS = {
    "logistic": ([33, 5], None),
    "narrow": ([33, 7, 5], None),
    "deep": ([33, 70, 17, 16, 5], None),
    "after": ([33, 70, 17, 5], BatchNorm()),
    "before_affine": ([33, 70, 17, 5], BatchNorm(placement="before_relu", affine=True)),
}


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(4)
    return rng.integers(0, 256, size=(800, 33), dtype=np.uint8), rng.integers(0, 5, size=800)


@pytest.fixture(params=list(NETWORKS))
def trained(request, problem, dtype):
    """Return a function that trains a new network and returns the network and its history."""
    widths, batch_norm = NETWORKS[request.param]

    def run(seed=0, net_seed=0, threads=None):
        net = MLP(widths, batch_norm=batch_norm, input_scale=1 / 255, dtype=dtype.name, seed=net_seed)
        history = train(
            net, *problem, validation=0.25, optimizer=SGD(0.1, weight_decay=0.01), batch_size=257, epochs=3, seed=seed,
            threads=threads, progress=False,
        )  # fmt: skip
        return net, history

    return run


def _numbers(history):
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in history.records]
    return records, history.batch_costs.tobytes()


def test_again(trained):
    (one, one_history), (two, two_history) = trained(seed=7), trained(seed=7)
    assert digest(one) == digest(two)
    assert _numbers(one_history) == _numbers(two_history)


def test_any_number_of_threads(trained, problem):
    X, y = problem
    results = []
    # three and seven are more threads than a small machine has cores, and do not divide the number of rows
    for threads in (1, 2, 3, 7, None):
        net, history = trained(threads=threads)
        predicted = net.predict_proba(X, threads=threads).tobytes(), net.cost(X, y, threads=threads)
        results.append((digest(net), _numbers(history), predicted))
    assert all(result == results[0] for result in results[1:])


def test_other_seeds_differ(trained):
    digests = {digest(trained(**seeds)[0]) for seeds in ({}, {"seed": 1}, {"net_seed": 1})}
    assert len(digests) == 3


def test_network_seed(dtype):
    same = [MLP([4, 3, 2], dtype=dtype.name, seed=seed) for seed in (5, 5, np.random.default_rng(5))]
    assert len({digest(net) for net in same}) == 1
    assert digest(MLP([4, 3, 2], dtype=dtype.name, seed=6)) != digest(same[0])


def test_default_seeds_are_fixed(problem):
    X, y = problem
    nets = [MLP([33, 4, 5]) for _ in range(2)]
    for net in nets:
        train(net, X, y, validation=0.2, optimizer=SGD(0.001), batch_size=50, epochs=1, progress=False)
    assert digest(nets[0]) == digest(nets[1])


def test_global_random_state_is_left_alone(problem):
    X, y = problem
    np.random.seed(3)  # noqa: NPY002 - the state that must not be touched
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    train(MLP([33, 4, 5]), X, y, validation=0.2, optimizer=SGD(0.001), batch_size=50, epochs=1, progress=False)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_epochs_are_shuffled_anew(problem):
    X, y = problem
    net = MLP([33, 5], input_scale=1 / 255)
    # the rate changes no weight, so the cost of the first batch differs between epochs only by its rows
    history = train(net, X, y, validation=None, optimizer=SGD(1e-30), batch_size=400, epochs=3, progress=False)
    assert len(set(history.batch_costs[::2])) == 3


def test_early_stop_at_any_number_of_threads(problem):
    results = []
    for threads in (1, 2):
        net = MLP([33, 70, 5], batch_norm=BatchNorm(), input_scale=1 / 255)
        stop = EarlyStopping(metric="cost", min_delta=0.01, patience=2)
        history = train(
            net, *problem, validation=0.25, optimizer=SGD(0.3), batch_size=100, epochs=60, stop=stop, threads=threads,
            progress=False,
        )  # fmt: skip
        assert history.stopped_because == "early stopping"
        results.append((digest(net), history.best_epoch, history.epochs))
    assert results[0] == results[1]
