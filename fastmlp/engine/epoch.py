"""One epoch of mini-batch training, by a team of threads."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.cores import usable_cores
from fastmlp.engine.plan import make_plan, useful_threads
from fastmlp.engine.settings import STATES, make_settings
from fastmlp.engine.step import train_steps
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import Parameters, Workspace, aligned, vectors_of
from fastmlp.simd.atomics import SPINS, SPINS_OVERSUBSCRIBED, STEPS_DONE

if TYPE_CHECKING:
    from fastmlp.mlp import MLP
    from fastmlp.optimizers import Optimizer


class Trainer:
    """Trains one network on one data set, epoch by epoch.

    Parameters
    ----------
    net : MLP
        Its parameters are copied into the engine here and back at the end of every epoch.
    x, y : numpy.ndarray
        Checked data, C-ordered; y int64.
    batch_size : int
        Rows of a step, at most those of an epoch.
    optimizer : Optimizer
        The update rule.
    threads : int
        At most this many; fewer where a step is so short that waiting costs more than it saves.
    """

    def __init__(
        self, net: "MLP", x: np.ndarray, y: np.ndarray, batch_size: int, optimizer: "Optimizer", threads: int
    ) -> None:
        self.net, self.x, self.y, self.optimizer = net, x, y, optimizer
        plan = make_plan(net.widths, net.dtype, net.batch_norm, batch_size)
        self.plan, self.threads = plan, useful_threads(plan, threads)
        self.parameters = Parameters(plan, net.dtype)
        self.parameters.pack(net.arrays["weights"], vectors_of(net.arrays))
        self.steps_done = 0
        self.workspace = Workspace(plan, net.dtype, self.threads)
        self.settings = self._settings(optimizer)
        states = STATES[self.settings["rule"][0]]
        self.state = aligned(states * plan.n_parameters, net.dtype) if states else None

    def _settings(self, optimizer: "Optimizer") -> np.ndarray:
        norm = self.net.batch_norm
        record = make_settings(self.plan, self.net.dtype, self.x, self.net.input_scale, self.threads)
        record["spins"] = SPINS if self.threads <= usable_cores() else SPINS_OVERSUBSCRIBED
        record["slot"] = self.plan.n_parameters
        for name, value in optimizer.settings().items():
            record[name] = value
        if norm is not None:
            record["affine"], record["eps"], record["momentum"] = norm.affine, norm.eps, norm.momentum
        return record

    def run_epoch(
        self, order: np.ndarray, progress: Callable[[int], None] | None = None, *, rates: np.ndarray | None = None
    ) -> np.ndarray:
        """Train on the rows `order`, cut into mini-batches.

        Parameters
        ----------
        order : numpy.ndarray
            Indices of rows, int64.
        progress : callable, optional
            Called now and then with the number of steps done.
        rates : numpy.ndarray, optional
            The learning rate of every step, float64; default: those that the schedule has for the first epoch of one.

        Returns
        -------
        numpy.ndarray
            The cost of every step, without the L2 part; fewer than the epoch has where one was not finite, which is
            the last.

        Raises
        ------
        KeyboardInterrupt
            After the step in which Ctrl-C came; the network holds the parameters of the last whole step.
        """
        w = self.workspace
        costs = np.full(-(-len(order) // self.plan.batch), np.nan)
        if rates is None:
            rates = self.optimizer.schedule.rates(np.arange(costs.size), costs.size, 1)
        sizes = self.optimizer.step_sizes(rates, self.steps_done)
        w.reset()

        def work(thread: int) -> None:
            train_steps(
                thread, self.settings, self.plan.layers, w.tiles, self.parameters.buffer, self.state, w.rows,
                w.statistics, w.moments, w.block_costs, costs, rates, sizes, order, self.y, w.control, w.arrivals,
                w.claims,
            )  # fmt: skip

        def poll() -> None:
            if progress is not None:
                progress(int(w.control[STEPS_DONE]))

        try:
            run_team(work, self.threads, w.control, poll)
        except KeyboardInterrupt:
            self._unpack()
            raise
        self._unpack()
        self.steps_done += costs.size
        return costs[: int(w.control[STEPS_DONE])]

    def _unpack(self) -> None:
        """Hand the trained parameters to the network, all in one copy: Ctrl-C must not leave half of them."""
        state = self.net.snapshot()
        arrays = self.net.views_of(state)
        self.parameters.unpack(arrays["weights"], vectors_of(arrays))
        self.net.restore(state)
