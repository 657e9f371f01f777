"""Multipliers of the learning rate: what they are for each layer, and what is refused."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, Adam, AdamW, RateMultipliers, init, losses, schedules, train, train_many


def test_one_for_all_layers_or_one_for_each():
    found = RateMultipliers(weights=0.5, biases=np.array([1, 0, 2])).of_layers(3)
    np.testing.assert_array_equal(found, [[0.5, 0.5, 0.5], [1, 0, 2]])
    np.testing.assert_array_equal(RateMultipliers().of_layers(2), np.ones((2, 2)))


def test_they_are_values():
    one, other = (RateMultipliers(weights=kind([0.5, 2])) for kind in (list, tuple))
    assert one == other
    assert hash(one) == hash(other)
    assert SGD(0.1).rate_multipliers == RateMultipliers()
    assert eval(repr(Adam(0.1, rate_multipliers=one))) == Adam(0.1, rate_multipliers=other)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"weights": -0.5}, ValueError, "weights must be a finite number of at least 0, got -0.5"),
        ({"weights": "2"}, TypeError, "weights must be a number, got '2'"),
        ({"biases": [1, np.nan]}, ValueError, r"biases\[1\] must be a finite number of at least 0, got nan"),
        ({"norms": [1.0]}, TypeError, "norms must be a number"),
    ],
)
def test_what_is_no_multiplier(settings, error, message):
    with pytest.raises(error, match=message):
        RateMultipliers(**settings)


@pytest.mark.parametrize("rule", [SGD, Adam, AdamW])
def test_optimizers_take_nothing_else(rule):
    with pytest.raises(TypeError, match="rate_multipliers must be a RateMultipliers, got 0"):
        rule(0.1, rate_multipliers=0)


def _train_many(net, X, y, optimizer):
    train_many([net], X, y, optimizers=optimizer)


@pytest.mark.parametrize("training", [train, _train_many])
def test_another_number_of_layers_changes_nothing(training, blobs):
    net = MLP([5, 4, 3])
    before, optimizer = net.snapshot().tobytes(), SGD(0.1, rate_multipliers=RateMultipliers(biases=[1.0, 0.5, 1.0]))
    with pytest.raises(ValueError, match="biases must be one multiplier or one for each of 2 layers, got 3"):
        training(net, *blobs, optimizer=optimizer)
    assert net.snapshot().tobytes() == before


# ---- RealMLP-TD-S, by PyTorch

STEPS = 30


def _by_pytorch(torch, net, X, y, rate, loss):
    """The costs of the steps on all rows, and the factors of the inputs: ``z = x U / √n_in + b``, rates by groups."""
    tensors = [[torch.tensor(array, requires_grad=True) for array in arrays] for arrays in (net.factors, net.biases)]
    (factors,), biases = tensors
    weights = [torch.tensor(weight * np.sqrt(len(weight)), requires_grad=True) for weight in net.weights]
    activation = torch.nn.SELU() if net.activation == "selu" else torch.nn.Mish()
    groups = [{"params": [factors]}, {"params": weights}, {"params": biases}]
    optimizer, costs = torch.optim.Adam(groups, betas=(0.9, 0.95), eps=1e-15), []
    for step in range(STEPS):
        now = rate * (0.5 - 0.5 * np.cos(2 * np.pi * np.log2(1 + 15 * step / STEPS)))
        for group, multiplier in zip(optimizer.param_groups, (6.0, 1.0, 0.1), strict=True):
            group["lr"] = multiplier * now
        z = torch.tensor(X) * factors
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            z = z @ weight / np.sqrt(len(weight)) + bias
            z = activation(z) if i < len(weights) - 1 else z
        cost = loss(z, torch.tensor(y))
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    return costs, factors.detach().numpy()


@pytest.mark.parametrize("classes", [True, False])
def test_the_training_of_realmlp_is_that_of_pytorch(classes):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((256, 7)), rng.integers(0, 3, 256) if classes else rng.standard_normal((256, 1))
    widths, rate = [7, 32, 32, 32, 3 if classes else 1], 0.04 if classes else 0.07
    net = MLP(
        widths, activation="selu" if classes else "mish", output="softmax" if classes else "identity",
        input_factors=True, init=3 * [init.lecun()] + [init.zeros()], bias_init=3 * [init.simple(1.0)] + [init.zeros()],
        dtype="float64",
    )  # fmt: skip
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1) if classes else torch.nn.MSELoss()
    costs, factors = _by_pytorch(torch, net, X, y, rate, loss)
    multipliers = RateMultipliers(weights=[n**-0.5 for n in widths[:-1]], biases=0.1, factors=6.0)
    history = train(
        net, X, y, validation=None, batch_size=256, epochs=STEPS, progress=False,
        optimizer=Adam(schedules.CosLog(rate), beta_2=0.95, epsilon=1e-15, rate_multipliers=multipliers),
        loss=losses.CrossEntropy(0.1) if classes else None,
    )  # fmt: skip
    np.testing.assert_allclose(history.batch_costs * (1 if classes else 2), costs, rtol=1e-9)
    np.testing.assert_allclose(net.factors[0], factors, rtol=1e-7)
    assert costs[-1] < 0.9 * costs[0]
