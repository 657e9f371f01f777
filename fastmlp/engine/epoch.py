"""One epoch of mini-batch training, by a team of threads."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fastmlp import losses
from fastmlp.engine import zeros
from fastmlp.engine.arguments import Layout, Run
from fastmlp.engine.copies import refresh_all
from fastmlp.engine.moments import Snapshot, buffers_of, check_state, packed, unpacked
from fastmlp.engine.plan import is_short, make_plan, useful_threads
from fastmlp.engine.precision import operands_of
from fastmlp.engine.settings import STEP, StepOptions, make_settings, set_data, set_loss, set_rates, with_products
from fastmlp.engine.step import train_steps
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import Memory, PackedParameters, Workspace, aligned, vectors_of
from fastmlp.inputs.encoded import Gathered
from fastmlp.kernels.bfloat16 import PACKED
from fastmlp.kernels.update import RULES
from fastmlp.network import Network
from fastmlp.optimizers import State
from fastmlp.simd.atomics import SPINS, SPINS_OVERSUBSCRIBED, STEPS_DONE
from fastmlp.system.cores import usable_cores

if TYPE_CHECKING:
    from fastmlp.optimizers import Optimizer

NOT_WANTED = np.empty(0)  # passed where nobody wants the Σ‖W‖² after every step


class Trainer:
    """Trains one network on one data set, epoch by epoch.

    Parameters
    ----------
    network : Network
        Its parameters are copied into the engine here and back at the end of every epoch.
    x : numpy.ndarray, CsrRows or EncodedRows
        Checked data, C-ordered.
    targets : numpy.ndarray
        Checked, C-ordered: int64 class indices ``(n,)`` for the cross-entropy, else ``(n, n_outputs)`` in the network's
        dtype.
    batch_size : int
        Rows of a step, at most those of an epoch; with shards, the most rows of one.
    optimizer : Optimizer
        The update rule.
    threads : int
        At most this many; fewer where a step is so short that waiting costs more than it saves.
    options : StepOptions
        How its steps compute.
    sample_weight : numpy.ndarray, optional
        Of each row, float64 ``(n,)``.
    """

    def __init__(
        self,
        network: Network,
        x: Gathered,
        targets: np.ndarray,
        batch_size: int,
        optimizer: "Optimizer",
        threads: int,
        *,
        options: StepOptions = StepOptions(),  # noqa: B008 - immutable
        sample_weight: np.ndarray | None = None,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        architecture, parameters = network
        self.loss = options.loss or losses.default(architecture.output)
        dtype, shards = architecture.dtype, options.shards or 1
        listed = zeros.mostly_zeros(x, architecture.widths[1])
        plan = make_plan(architecture, batch_size, operands=operands_of(options.matmul_precision))
        listed = listed and plan.operands != PACKED
        self.layers = with_products(plan, dtype, listed)
        self.plan, self.threads = plan, useful_threads(plan, threads, len(x), shards)
        self.packed = PackedParameters(plan, dtype)
        self.packed.pack(parameters.views["weights"], vectors_of(parameters.views))
        self.flat = parameters.snapshot()
        self.unpacked = parameters.views_of(self.flat)
        self.steps_done = 0
        self.settings = self._settings(optimizer, options.key)
        self.point_at(x, targets, sample_weight)
        self.workspace = Workspace(plan, dtype, self.threads, lists=listed, parts=shards)
        keeps_gradients = options.shards is not None or architecture.input_factors  # whose steps need all of them
        buffers = max(buffers_of(optimizer), int(keeps_gradients))
        self.state = aligned(buffers * plan.n_gradient, dtype) if buffers else None

    def _settings(self, optimizer: "Optimizer", key: int) -> np.ndarray:
        architecture, norm = self.network.architecture, self.network.architecture.batch_norm
        record = make_settings(self.plan, architecture.dtype, self.threads, architecture.activation)
        record["spins"] = SPINS if self.threads <= usable_cores() else SPINS_OVERSUBSCRIBED
        record["slot"], record["key"] = self.plan.n_gradient, key
        for name, value in optimizer.settings().items():
            record[name] = RULES.index(value) if name == "rule" else value
        set_rates(record, self.layers, optimizer.rate_multipliers)
        if norm is not None:
            affine = norm.affine and len(architecture.widths) > 2
            record["eps"], record["average"], record["affine"] = norm.eps, norm.momentum, affine
        return record

    def point_at(self, x: Gathered, targets: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take the rows of the next epoch from these arrays, of the same kind, dtypes and columns as those before."""
        architecture = self.network.architecture
        self.x, self.targets, self.sample_weight = x, targets, sample_weight
        set_data(self.settings, x, architecture.input_scale, architecture.dtype)
        set_loss(self.settings, self.loss, architecture.dtype, targets, sample_weight)

    def run_epoch(
        self,
        order: np.ndarray,
        progress: Callable[[int], None] | None = None,
        *,
        rates: np.ndarray | None = None,
        l2: np.ndarray | None = None,
        weight_squares: np.ndarray | None = None,
        afterwards: Callable[[int], None] | None = None,
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
        l2 : numpy.ndarray, optional
            λ of every step, of the term ``λ/2 · Σ‖W‖²`` in its cost; default: the optimizer's for all.
        weight_squares : numpy.ndarray, optional
            Takes the Σ‖W‖² after every step, float64.
        afterwards : callable, optional
            Called in each thread with its number, behind the last step.

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
        return self._run(order, self._steps(order, rates, l2), progress, weight_squares, afterwards)

    def whole_gradient(self, order: np.ndarray, weight: float) -> tuple[float, np.ndarray]:
        """Return the mean cost over the rows `order`, whose weights sum to `weight`, and its gradient, float64.

        The optimizer's rule is the one that sums gradients; the parameters are those of the network.
        """
        assert self.state is not None
        self._pack()
        self.state[:] = 0
        steps = self._steps(order, None, None)
        steps["weight"] = weight
        cost = float(self._run(order, steps).sum())
        return cost, unpacked(self.state, self.plan, self.network.parameters)[0].astype(np.float64)

    def _run(
        self,
        order: np.ndarray,
        steps: np.ndarray,
        progress: Callable[[int], None] | None = None,
        weight_squares: np.ndarray | None = None,
        afterwards: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """Run the steps and return their costs."""
        w, behind = self.workspace, NOT_WANTED if weight_squares is None else weight_squares
        self.settings["weight_squares"] = weight_squares is not None
        costs = np.full(len(steps), np.nan)
        layout = Layout(self.settings, self.layers, self.plan.passes, w.tiles)
        memory, run = w.memory(self.packed.buffer, self.state), Run(steps, order, costs, behind)
        w.reset()
        self._refresh(memory)

        def work(thread: int) -> None:
            train_steps(thread, layout, memory, run)
            if afterwards is not None:
                afterwards(thread)

        def poll() -> None:
            if progress is not None:
                progress(int(w.control[STEPS_DONE]))

        try:
            try:
                if self.threads == 1 and is_short(self.plan, len(order)):  # Ctrl-C waits for its end
                    work(0)
                else:
                    run_team(work, self.threads, w.control, poll)
            finally:
                self.steps_done += int(w.control[STEPS_DONE])
            self._unpack()
        except KeyboardInterrupt:  # while the steps ran, or while they were unpacked
            self._unpack()
            raise
        return costs[: int(w.control[STEPS_DONE])]

    def _steps(self, order: np.ndarray, rates: np.ndarray | None, l2: np.ndarray | None) -> np.ndarray:
        """Return the record of every step over the rows `order`."""
        weights = self.weights(order)
        count = len(weights)
        steps = np.zeros(count, STEP)
        if rates is None:
            rates = self.optimizer.schedule.rates(np.arange(count), count, 1)
        steps["rate"], steps["size"] = rates, self.optimizer.step_sizes(rates, self.steps_done)
        steps["l2"] = self.optimizer.l2 if l2 is None else l2
        steps["number"] = np.arange(self.steps_done, self.steps_done + count)
        steps["weight"] = np.where(weights > 0, weights, 1.0)  # where all weights are 0, so are cost and gradient
        return steps

    def weights(self, order: np.ndarray) -> np.ndarray:
        """Return the summed weight of the rows of each mini-batch of `order`."""
        batch = self.plan.batch
        if self.sample_weight is not None:
            return np.add.reduceat(self.sample_weight[order], np.arange(0, len(order), batch))
        found = np.full(-(-len(order) // batch), float(batch))
        found[-1] += len(order) - found.sum()
        return found

    def snapshot(self, into: Snapshot | None = None) -> Snapshot:
        """Return a copy of the network's parameters and of what the update rule remembers.

        It takes the arrays of the snapshot `into`, which nobody needs any more: the pages of new arrays cost more than
        the copy.
        """
        parameters, state = self.network.parameters, None if self.state is None else self._moments()
        if into is None:
            return Snapshot(parameters.snapshot(), self.steps_done, None if state is None else state.copy())
        parameters.write_to(into.parameters)
        if state is not None and into.state is not None:
            into.state[:] = state
        return Snapshot(into.parameters, self.steps_done, into.state)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to what `snapshot` returned."""
        self.network.parameters.restore(snapshot.parameters)
        self._pack()
        self.steps_done = snapshot.steps
        if self.state is not None:
            self._moments()[:] = snapshot.state

    def _moments(self) -> np.ndarray:
        """The moments in the state, a view: they lie behind the gradients."""
        assert self.state is not None
        return self.state[self.plan.n_gradient :]

    def export_state(self) -> State:
        """Return what the update rule remembers, a copy."""
        return self.state_of(self.snapshot())

    def import_state(self, state: State) -> None:
        """Go on with what such an update rule remembered of a network of the same shape.

        Raises
        ------
        ValueError
            The state is another rule's, or of another network.
        """
        snapshot = self.snapshot_of(self.network.parameters.snapshot(), state)
        self.steps_done, self.settings["key"] = state.steps, state.key
        if snapshot.state is not None:
            self._moments()[:] = snapshot.state

    def state_of(self, snapshot: Snapshot) -> State:
        """Return what the update rule remembered at a snapshot."""
        moments = [] if snapshot.state is None else unpacked(snapshot.state, self.plan, self.network.parameters)
        return State(snapshot.steps, moments, int(self.settings["key"][0]))

    def snapshot_of(self, parameters: np.ndarray, state: State) -> Snapshot:
        """Return the snapshot with these parameters and what `state_of` returned.

        Raises
        ------
        ValueError
            The state is another rule's, or of another network.
        """
        check_state(state, self.optimizer, self.network.parameters)
        moments = None if self.state is None else packed(state.moments, self.plan, self.network.parameters)
        return Snapshot(parameters, state.steps, moments)

    def _refresh(self, memory: Memory) -> None:
        """Write the copies of the weights that the products read, if there are any."""
        if self.workspace.copies is not None or self.network.architecture.input_factors:
            refresh_all(self.settings, self.layers, memory.parameters, memory.copies)

    def _pack(self) -> None:
        """Take the network's parameters."""
        views = self.network.parameters.views
        self.packed.pack(views["weights"], vectors_of(views))

    def _unpack(self) -> None:
        """Hand the trained parameters to the network, in a single copy, so that Ctrl-C cannot leave half of them."""
        self.packed.unpack(self.unpacked["weights"], vectors_of(self.unpacked))
        self.network.parameters.restore(self.flat)
