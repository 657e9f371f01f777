"""JAX: a whole epoch as one compiled ``lax.scan``. A last, smaller mini-batch is left out: shapes must not change."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .task import RATE, Labels, Task, Training


def _logits(parameters: Any, x: Any) -> Any:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def _cost(parameters: Any, x: Any, y: Any) -> Any:
    chosen = jnp.take_along_axis(jax.nn.log_softmax(_logits(parameters, x)), y[:, None], axis=1)
    return -jnp.mean(chosen)


class Scan:
    """With `as_bytes` the data set stays in bytes and each mini-batch is converted, faster for some shapes."""

    def __init__(self, task: Task, *, as_bytes: bool = False) -> None:
        x, y = task.pixels() if as_bytes else task.floats()
        self.task, self.as_bytes = task, as_bytes
        self.x, self.y = jnp.asarray(x), jnp.asarray(y.astype(np.int32))
        self.parameters: Any = [(jnp.asarray(w), jnp.zeros(w.shape[1], jnp.float32)) for w in task.weights()]
        self.run = jax.jit(self._run)

    def _rows(self, index: Any) -> Any:
        return self.x[index].astype(jnp.float32) * (1 / 255) if self.as_bytes else self.x[index]

    def _step(self, parameters: Any, index: Any) -> Any:
        gradients = jax.grad(_cost)(parameters, self._rows(index), self.y[index])
        return jax.tree.map(lambda value, gradient: value - RATE * gradient, parameters, gradients), None

    def _run(self, parameters: Any, order: Any) -> Any:
        return jax.lax.scan(self._step, parameters, order)[0]

    def epoch(self, seed: int) -> None:
        """Train for one epoch."""
        n, batch = self.task.samples, self.task.batch
        order = np.random.default_rng(seed).permutation(n)[: n // batch * batch].reshape(-1, batch)
        self.parameters = jax.block_until_ready(self.run(self.parameters, jnp.asarray(order)))

    def predict(self) -> Labels:
        """Return the class of every row."""
        logits = _logits(self.parameters, self._rows(jnp.arange(self.task.samples)))
        labels: Labels = np.argmax(np.asarray(logits), axis=1)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return Scan(task)
