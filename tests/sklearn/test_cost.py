"""CostFunction: the cost of a whole data set and its gradient, in the order of a network's parameters."""

import numpy as np
import pytest
from closeness import assert_close
from networks import perturb
from reference_network import Network

from fastmlp import MLP, BatchNorm, losses
from fastmlp.sklearn.cost import BATCH, CostFunction

LOSSES = [losses.CrossEntropy(0.1), losses.BinaryCrossEntropy(), losses.Huber(0.5), losses.Poisson()]
WIDTHS = [9, 18, 7, 4]


@pytest.fixture(params=LOSSES, ids=repr)
def problem(request):
    """A function that makes a network, rows of more than one batch, targets and the loss."""
    loss = request.param

    def make(n=BATCH + 37, dtype="float64"):
        rng = np.random.default_rng(3)
        net = perturb(MLP(WIDTHS, activation="tanh", output=loss.output, dtype=dtype))
        targets = {
            "softmax": rng.integers(0, 4, n),
            "logistic": rng.integers(0, 2, (n, 4)).astype(dtype),
            "identity": rng.standard_normal((n, 4)).astype(dtype),
            "exp": rng.poisson(1.0, (n, 4)).astype(dtype),
        }[loss.output]
        return net, rng.standard_normal((n, 9)), targets, loss

    return make


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_equals_the_twin(weighted, problem, dtype):
    net, X, targets, loss = problem(dtype=dtype.name)
    weights = np.random.default_rng(4).choice([0.0, 0.5, 3.0], len(X)) if weighted else None
    function = CostFunction(net, X, targets, loss=loss, sample_weight=weights, l2=0.3, threads=2)
    start = net.snapshot().astype(np.float64)
    for parameters in (start, 0.5 * start, start):
        cost, gradient = function(parameters)
        net.restore(parameters)
        twin = Network(net, loss)
        expected = twin.gradients(X, targets, 0.3, weights)
        assert isinstance(cost, float)
        assert gradient.dtype == np.float64
        assert_close(cost, twin.cost(X, targets, 0.3, weights=weights), dtype)
        assert_close(gradient, np.concatenate([g.ravel() for g in expected.parts()]), dtype, factor=10.0)
        assert cost == pytest.approx(net.cost(X, targets, 0.3, loss=loss, sample_weight=weights), rel=1e-5)


def test_differences(problem):
    net, X, targets, loss = problem()
    function = CostFunction(net, X, targets, loss=loss, l2=0.1, threads=1)
    start = net.snapshot()
    gradient = function(start)[1]
    rng = np.random.default_rng(1)
    for _ in range(20):
        direction = rng.standard_normal(start.shape)
        costs = [function(start + step * direction)[0] for step in (1e-5, -1e-5)]
        assert gradient @ direction == pytest.approx((costs[0] - costs[1]) / 2e-5, rel=1e-6, abs=1e-7)


def test_same_bits_at_any_number_of_threads_and_call_after_call(problem):
    results = set()
    for threads in (1, 2, 3):
        net, X, targets, loss = problem()
        function = CostFunction(net, X, targets, loss=loss, threads=threads)
        for _ in range(2):
            cost, gradient = function(net.snapshot())
            results.add((cost, gradient.tobytes()))
    assert len(results) == 1


def test_descent_reaches_a_stationary_point(problem):
    """Steepest descent halves its step until the cost falls enough. SciPy's optimizers rely on that, too."""
    net, X, targets, loss = problem(n=60)
    function = CostFunction(net, X, targets, loss=loss, l2=0.05, threads=1)
    parameters, step = net.snapshot(), 1.0
    cost, gradient = function(parameters)
    first = cost, np.linalg.norm(gradient)
    for _ in range(400):
        square = gradient @ gradient
        while (moved := function(parameters - step * gradient))[0] > cost - step * square / 4:
            step /= 2
            assert step > 1e-12, "no descent along the negative gradient"
        parameters = parameters - step * gradient
        (cost, gradient), step = moved, 2 * step
    assert cost < 0.9 * first[0]
    assert np.linalg.norm(gradient) < 0.02 * first[1]


def test_a_cost_that_is_not_finite_is_returned():
    net = MLP([9, 4], output="exp", dtype="float64")
    function = CostFunction(net, np.ones((5, 9)), np.ones((5, 4)), threads=1)
    assert function(np.full_like(net.snapshot(), 1000.0))[0] == np.inf
    assert np.isfinite(function(np.zeros_like(net.snapshot()))[0])


@pytest.mark.parametrize("arguments", [{"batch_norm": BatchNorm()}, {"dropout": 0.1}], ids=str)
def test_networks_whose_cost_is_no_sum_over_rows_are_refused(arguments):
    net = MLP([9, 5, 4], **arguments)
    with pytest.raises(ValueError, match="without batch norm and dropout"):
        CostFunction(net, np.ones((5, 9)), np.zeros(5, np.int64), threads=1)
