"""Training of a process's shards of every mini-batch, step by step: the gradients are joined between the processes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp.engine.arguments import Layout
from fastmlp.engine.epoch import Trainer
from fastmlp.engine.settings import STEP, StepOptions
from fastmlp.engine.shard_sums import sum_gradients
from fastmlp.engine.shard_update import update
from fastmlp.engine.shards import Share
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import aligned
from fastmlp.simd.sizes import round_up


class Steps(NamedTuple):
    """The steps of an epoch, as a process with some of the shards needs to know them.

    Attributes
    ----------
    order : numpy.ndarray (n,)
        The rows of the process's shards, int64, one shard's behind the other's.
    first, rows : numpy.ndarray (steps, shards)
        Where in `order` the rows of a shard start, and how many there are, int64.
    parts : numpy.ndarray (steps, shards)
        The rows of a shard by those of all processes.
    weights : numpy.ndarray (steps,)
        Summed weight of the rows of all processes.
    number : int
        Of the first of the process's shards among those of all processes.
    all_shards : int
        Of all processes.
    rates : numpy.ndarray (steps,)
        Learning rates.
    """

    order: np.ndarray
    first: np.ndarray
    rows: np.ndarray
    parts: np.ndarray
    weights: np.ndarray
    number: int
    all_shards: int
    rates: np.ndarray


class ShardTrainer(Trainer):
    """Trains one network on the shards that one process has, in steps that it does together with others.

    Parameters
    ----------
    tree : numpy.ndarray (shards, 3)
        For each shard: the number of its subtree, its depth below the subtree's root, and how many sums follow.
    *arguments, options, sample_weight
        Of `Trainer`; the batch size is the most rows that a shard has in a step.
    """

    def __init__(
        self,
        tree: np.ndarray,
        *arguments: Any,
        options: StepOptions = StepOptions(),  # noqa: B008 - immutable
        sample_weight: np.ndarray | None = None,
    ) -> None:
        super().__init__(*arguments, options=options._replace(shards=len(tree)), sample_weight=sample_weight)
        self.tree = tree
        subtrees, depth = int(tree[-1, 0]) + 1, int(tree[:, 1].max())
        assert self.state is not None
        self._others, self._buffers = subtrees - 1, subtrees - 1 + depth
        self.places = len(self.state) + self._buffers * self.plan.n_gradient
        self.place(aligned(self.places, self.state.dtype))
        self.costs = np.empty((0, len(tree)))

    def place(self, memory: np.ndarray) -> int:
        """Keep the update rule's state, which must be new, and the sums in at least `places` zeros.

        Returns where the sums of the subtrees behind the first one begin; the first one's is at the beginning.
        """
        assert self.state is not None
        behind, n = len(self.state), self.plan.n_gradient
        self.state = memory[:behind]
        self.sums = memory[behind : self.places].reshape(-1, n)
        self.gradient = self.state[:n]
        self.subtrees = [self.gradient, *self.sums[: self._others]]
        return behind

    def begin(self, steps: Steps) -> None:
        """Take the steps of an epoch."""
        shape, w = steps.rows.shape, self.workspace
        records = np.zeros(shape, STEP)
        records["rate"] = steps.rates[:, None]
        records["size"] = self.optimizer.step_sizes(steps.rates, self.steps_done)[:, None]
        records["l2"] = self.optimizer.l2
        records["weight"] = np.where(steps.weights > 0, steps.weights, 1.0)[:, None]
        numbers = np.arange(self.steps_done, self.steps_done + shape[0])[:, None] * steps.all_shards
        records["number"] = numbers + steps.number + np.arange(shape[1])  # each shard has its own dropout masks
        self.costs = np.zeros(shape)
        self.settings["weight_squares"] = 0
        self._layout = Layout(self.settings, self.layers, self.plan.passes, w.tiles)
        self._memory = w.memory(self.packed.buffer, self.state)
        self._share = Share(
            records.ravel(), steps.order, steps.first, steps.rows, steps.parts, self.costs, self.tree, self.sums
        )
        self._refresh(self._memory)

    def sum_gradients(self, step: int) -> None:
        """Write the gradients of a step into `subtrees`, and the summed costs of the shards into `costs`."""
        self.do_passes(step, 0, len(self.plan.passes))

    def do_passes(self, step: int, first: int, last: int) -> None:
        """Do some of the passes over the rows (`Plan.passes`); behind the last one do what `sum_gradients` does.

        Behind an earlier one, the first thread's statistics that the following pass needs are those of each shard.
        """
        self._run_team(sum_gradients, step, first, last)

    def statistics(self, layer: int, which: int) -> np.ndarray:
        """Return a vector of a layer's statistics, for each thread and shard, a view ``(threads, shards, n_out)``."""
        plan, n = self.plan, int(self.layers[layer]["n_out"])
        start = int(self.layers[layer]["statistics"]) + which * round_up(n, plan.lanes)
        return self.workspace.statistics.reshape(self.threads, len(self.tree), -1)[:, :, start : start + n]

    def update(self, step: int) -> None:
        """Do a step along the gradient of all shards, which is in `gradient`."""
        self._run_team(update, step)
        self.steps_done += 1

    def end(self) -> None:
        """Hand the parameters to the network."""
        self._unpack()

    def _run_team(self, worker: Callable[..., None], step: int, *passes: int) -> None:
        layout, memory, share = self._layout, self._memory, self._share

        def work(thread: int) -> None:
            worker(thread, layout, memory, share, step, *passes)

        self.workspace.reset()
        if self.threads == 1:
            work(0)
        else:
            run_team(work, self.threads, self.workspace.control)
