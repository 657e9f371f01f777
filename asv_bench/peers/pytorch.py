"""PyTorch in eager mode. The data set is one tensor, which is faster than a DataLoader for such small rows."""

import time
from itertools import pairwise
from typing import Any

import torch
from numpy.typing import NDArray

from .task import Labels, Rates, Rule, Task, Training

# the variants of an optimizer; which variant is the quickest depends on the shapes
VARIANTS: list[dict[str, bool]] = [{}, {"foreach": True}, {"fused": True}]
TRIES = 20


def _sgd(rule: Rule, parameters: list[Any], **variant: bool) -> Any:
    return torch.optim.SGD(parameters, lr=rule.rate, **variant)


def _adam(rule: Rule, parameters: list[Any], **variant: bool) -> Any:
    betas = (rule.beta_1, rule.beta_2)
    return torch.optim.Adam(parameters, lr=rule.rate, betas=betas, eps=rule.epsilon, **variant)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam}


def _quickest(rule: Rule, net: Any) -> dict[str, bool]:
    """Return the variant of the optimizer whose step is the quickest for arrays of these shapes."""
    parameters = [torch.zeros_like(parameter, requires_grad=True) for parameter in net.parameters()]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizers = [OPTIMIZERS[rule.name](rule, parameters, **variant) for variant in VARIANTS]
    seconds = {
        i: min(_seconds(optimizer) for _ in range(TRIES)) for i, optimizer in enumerate(optimizers) if _works(optimizer)
    }
    return VARIANTS[min(seconds, key=seconds.__getitem__)]


def _works(optimizer: Any) -> bool:
    """Whether a step changes every number. Fused SGD does not change most bfloat16 numbers (PyTorch issue 191763)."""
    (group,) = optimizer.param_groups
    before = [parameter.detach().clone() for parameter in group["params"]]
    optimizer.step()
    return all(bool((new != old).all()) for new, old in zip(group["params"], before, strict=True))


def _seconds(optimizer: Any) -> float:
    start = time.perf_counter()
    optimizer.step()
    return time.perf_counter() - start


class Sequential:
    """The training in float32."""

    dtype = torch.float32  # dtype of parameters and data

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.task = task
        x, y = task.floats()
        self.x, self.y = torch.from_numpy(x).to(self.dtype), torch.from_numpy(y)
        self.cross_entropy = torch.nn.CrossEntropyLoss()
        self.begin(1)

    def begin(self, seed: int) -> None:
        """Set the task's initial weights of a seed."""
        layers: list[torch.nn.Module] = []
        for (n_in, n_out), weight in zip(pairwise(self.task.widths), self.task.weights(seed), strict=True):
            linear = torch.nn.Linear(n_in, n_out, dtype=self.dtype)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight.T))
                linear.bias.zero_()
            layers += [linear, torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        rule, variant = self.task.rule, _quickest(self.task.rule, self.net)
        self.optimizer = OPTIMIZERS[rule.name](rule, list(self.net.parameters()), **variant)

    def cost(self, x: Any, y: Any) -> Any:
        """Return the mean cross-entropy of a mini-batch."""
        return self.cross_entropy(self.net(x), y)

    def epoch(self, seed: int, rates: Rates) -> None:
        """Train for one epoch."""
        torch.manual_seed(seed)
        (group,) = self.optimizer.param_groups
        order = torch.randperm(len(self.x)).split(self.task.batch)
        for index, rate in zip(order, rates.tolist(), strict=True):
            group["lr"] = rate
            self.optimizer.zero_grad()
            self.cost(self.x[index], self.y[index]).backward()
            self.optimizer.step()

    def predict(self, x: NDArray[Any]) -> Labels:
        """Return the class of every row of `x`."""
        with torch.no_grad():
            labels: Labels = self.net(torch.from_numpy(x).to(self.dtype)).argmax(dim=1).numpy()
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return Sequential(task)
