"""JAX: a whole epoch is one compiled ``lax.scan``. A last, smaller mini-batch is left out: all must have one size."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from .task import Labels, Rates, Rule, Task, Training


def _logits(parameters: Any, x: Any) -> Any:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def _cost(parameters: Any, x: Any, y: Any) -> Any:
    chosen = jnp.take_along_axis(jax.nn.log_softmax(_logits(parameters, x)), y[:, None], axis=1)
    return -jnp.mean(chosen)


class _SGD:
    def __init__(self, rule: Rule) -> None:
        pass

    def moments(self, parameters: Any) -> Any:
        return ()

    def step_sizes(self, rates: Rates, done: int) -> Rates:
        return rates

    def update(self, parameters: Any, moments: Any, gradients: Any, rate: Any) -> Any:
        return jax.tree.map(lambda value, gradient: value - rate * gradient, parameters, gradients), moments


class _Adam:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def moments(self, parameters: Any) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return zeros, zeros

    def step_sizes(self, rates: Rates, done: int) -> Rates:
        return self.rule.adam_step_sizes(rates, done)

    def update(self, parameters: Any, moments: Any, gradients: Any, rate: Any) -> Any:
        beta_1, beta_2, epsilon = self.rule.beta_1, self.rule.beta_2, self.rule.epsilon
        m = jax.tree.map(lambda m, gradient: beta_1 * m + (1 - beta_1) * gradient, moments[0], gradients)
        v = jax.tree.map(lambda v, gradient: beta_2 * v + (1 - beta_2) * gradient**2, moments[1], gradients)
        return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + epsilon), parameters, m, v), (m, v)


OPTIMIZERS: dict[str, Any] = {"sgd": _SGD, "adam": _Adam}


class Scan:
    """With `as_bytes` the data set stays in bytes and each mini-batch is converted, which is faster for some shapes."""

    def __init__(self, task: Task, *, as_bytes: bool = False) -> None:
        x, y = task.rows() if as_bytes else task.floats()
        self.task, self.as_bytes = task, as_bytes
        self.x, self.y = jnp.asarray(x), jnp.asarray(y.astype(np.int32))
        self.optimizer = OPTIMIZERS[task.rule.name](task.rule)
        self.run = jax.jit(self._run)
        self.begin(1)

    def begin(self, seed: int) -> None:
        """Set the initial weights of a seed."""
        weights = self.task.weights(seed)
        self.parameters: Any = [(jnp.asarray(w), jnp.zeros(w.shape[1], jnp.float32)) for w in weights]
        self.moments = self.optimizer.moments(self.parameters)
        self.done = 0

    def _scaled(self, x: Any) -> Any:
        return x.astype(jnp.float32) * self.task.scale if self.as_bytes else x

    def _step(self, carry: Any, step: Any) -> Any:
        (parameters, moments), (index, rate) = carry, step
        gradients = jax.grad(_cost)(parameters, self._scaled(self.x[index]), self.y[index])
        return self.optimizer.update(parameters, moments, gradients, rate), None

    def _run(self, carry: Any, order: Any, rates: Any) -> Any:
        return jax.lax.scan(self._step, carry, (order, rates))[0]

    def epoch(self, seed: int, rates: Rates) -> None:
        """Train for one epoch."""
        n, batch = self.task.samples, self.task.batch
        order = np.random.default_rng(seed).permutation(n)[: n // batch * batch].reshape(-1, batch)
        sizes = self.optimizer.step_sizes(rates[: len(order)], self.done).astype(np.float32)
        carry = self.run((self.parameters, self.moments), jnp.asarray(order), jnp.asarray(sizes))
        self.parameters, self.moments = jax.block_until_ready(carry)
        self.done += len(order)

    def predict(self, x: NDArray[Any]) -> Labels:
        """Return the class of every row."""
        labels: Labels = np.argmax(np.asarray(_logits(self.parameters, self._scaled(jnp.asarray(x)))), axis=1)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return Scan(task)
