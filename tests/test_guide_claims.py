"""The claims of the page for newcomers about other libraries' arithmetic: the same steps from the same weights.

The trainings are in float64. Every mini-batch has all rows, so that nothing depends on the order of the rows.
"""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

import fastmlp
from fastmlp import losses, schedules

ROWS, EPOCHS = 64, 15
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 5))
TARGETS = {
    "softmax": RNG.integers(0, 3, ROWS),
    "identity": RNG.normal(size=(ROWS, 3)),
    "logistic": RNG.integers(0, 2, (ROWS, 3)).astype(float),
    "exp": RNG.poisson(2, (ROWS, 3)).astype(float),
}
WEIGHTS = [1.0, 2.0, 0.5]


def train(net, optimizer, epochs=EPOCHS, **options):
    y = TARGETS[net.output]
    fastmlp.train(net, X, y, validation=None, optimizer=optimizer, batch_size=ROWS, epochs=epochs, **options)


def train_torch(module, criterion, optimizer, target, clip_norm=None, epochs=EPOCHS):
    torch = pytest.importorskip("torch")
    module.train()
    for _ in range(epochs):
        optimizer.zero_grad()
        criterion(module(torch.from_numpy(X)), torch.from_numpy(target)).backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimizer.step()


def assert_same(net, module, atol=1e-12):
    for ours, theirs in zip(net.to_torch(logits=True).parameters(), module.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=0, atol=atol)


def network(output="softmax", **options):
    net = fastmlp.MLP([5, 8, 3], output=output, dtype="float64", **options)
    return net, net.to_torch(logits=True)


@pytest.mark.parametrize(
    ("output", "loss", "theirs", "options", "factor"),
    [
        ("identity", losses.SquaredError(), "MSELoss", {}, 2 / 3),
        ("identity", losses.AbsoluteError(), "L1Loss", {}, 1 / 3),
        ("identity", losses.Huber(0.7), "HuberLoss", {"delta": 0.7}, 1 / 3),
        ("logistic", losses.BinaryCrossEntropy(), "BCEWithLogitsLoss", {}, 1 / 3),
        ("exp", losses.Poisson(), "PoissonNLLLoss", {}, 1 / 3),
        ("softmax", losses.CrossEntropy(), "CrossEntropyLoss", {}, 1),
        ("softmax", losses.CrossEntropy(0.1), "CrossEntropyLoss", {"label_smoothing": 0.1}, 1),
    ],
)
def test_losses_of_pytorch_have_our_gradient_times_a_factor(output, loss, theirs, options, factor):
    torch = pytest.importorskip("torch")
    net, module = network(output)
    train(net, fastmlp.SGD(0.05 * factor), loss=loss)
    criterion = getattr(torch.nn, theirs)(**options)
    train_torch(module, criterion, torch.optim.SGD(module.parameters(), 0.05), TARGETS[output])
    assert_same(net, module)


@pytest.mark.parametrize(
    ("ours", "theirs", "options", "decay", "atol"),
    [
        (fastmlp.SGD(0.1, 0.01, 0.9), "SGD", {"lr": 0.1, "momentum": 0.9}, 0.01, 1e-12),
        (fastmlp.SGD(0.1, 0.01, 0.9, True), "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, 0.01, 1e-12),
        # the only difference is the place of ε, which is 1e-8
        (fastmlp.Adam(0.01, 0.01), "Adam", {"lr": 0.01}, 0.01, 1e-4),
        (fastmlp.AdamW(0.01, 0.1), "AdamW", {"lr": 0.01}, 0.1, 1e-4),
    ],
    ids=["SGD", "Nesterov", "Adam", "AdamW"],
)
def test_optimizers_of_pytorch_make_our_steps_if_only_weights_decay(ours, theirs, options, decay, atol):
    torch = pytest.importorskip("torch")
    net, module = network()
    train(net, ours)
    weights = {"params": [p for p in module.parameters() if p.ndim == 2], "weight_decay": decay}
    biases = {"params": [p for p in module.parameters() if p.ndim == 1], "weight_decay": 0.0}
    optimizer = getattr(torch.optim, theirs)([weights, biases], **options)
    train_torch(module, torch.nn.CrossEntropyLoss(), optimizer, TARGETS["softmax"])
    assert_same(net, module, atol)


def test_clipping_and_class_weights_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    net, module = network()
    train(net, fastmlp.SGD(0.5, clip_norm=0.1), class_weight=dict(enumerate(WEIGHTS)))
    criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS, dtype=torch.float64))
    train_torch(module, criterion, torch.optim.SGD(module.parameters(), 0.5), TARGETS["softmax"], clip_norm=0.1)
    assert_same(net, module, atol=1e-4)  # PyTorch adds 1e-6 to the norm by which it divides


def test_running_variances_of_pytorch_are_unbiased():
    torch = pytest.importorskip("torch")
    net, module = network(batch_norm=fastmlp.BatchNorm("before_relu", affine=True))
    train(net, fastmlp.SGD(0.1), epochs=1)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    train_torch(module, torch.nn.CrossEntropyLoss(), optimizer, TARGETS["softmax"], epochs=1)
    assert_same(net, module)
    np.testing.assert_allclose(net.running_means[0], module[1].running_mean.numpy(), atol=1e-12)
    ours, theirs = net.running_vars[0] - 0.9, module[1].running_var.numpy() - 0.9
    np.testing.assert_allclose(theirs, ours * ROWS / (ROWS - 1), rtol=1e-9)


def test_cosine_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    rates = []
    for _ in range(40):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(schedules.Cosine(0.1).rates(np.arange(40), 10, 4), rates, atol=1e-12)


def test_alpha_of_scikit_learn_is_weight_decay_times_the_rows_of_a_batch():
    alpha = 3.0
    theirs = MLPClassifier(
        (8,), solver="sgd", momentum=0, alpha=alpha, learning_rate_init=0.1, batch_size=ROWS, random_state=0
    )
    theirs.partial_fit(X, TARGETS["softmax"], classes=[0, 1, 2])
    net = fastmlp.MLP.from_sklearn(theirs)
    theirs.partial_fit(X, TARGETS["softmax"])
    train(net, fastmlp.SGD(0.1, weight_decay=alpha / ROWS), epochs=1)
    for ours, coefs in zip(net.weights, theirs.coefs_, strict=True):
        np.testing.assert_allclose(ours, coefs, atol=1e-12)
