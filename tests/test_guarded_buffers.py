"""The modes of the option ``--buffers``: each notices the errors that it is made for, and changes no bit."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_runs import network, problem
from guarded_buffers import beginning, ending, use
from networks import digest
from processes import WATCHDOG, command_of, environment_of

from fastmlp import SGD, Adam
from fastmlp.engine import StepOptions, Trainer, evaluate, inference, outputs, plan

WIDTHS = (20, 17, 9, 3)
GUARDED = [pytest.param(ending, id="end"), pytest.param(beginning, id="begin")]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="pages are protected on Linux only")


def _maps(kind):
    """The ranges of the process's memory with a kind of access, such as ``---p``: the first address and the end."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    return [tuple(int(address, 16) for address in part.split("-")) for part, access, *_ in lines if access == kind]


@on_linux
@pytest.mark.parametrize("mode", ["end", "begin"])
@pytest.mark.parametrize("size", [512, 1300])  # a whole page, and no whole number of pages
def test_an_element_beyond_the_buffer_ends_the_process(mode, size):
    command = command_of("read_beyond_a_buffer", mode, size)
    done = subprocess.run(command, env=environment_of(), capture_output=True, text=True, timeout=WATCHDOG, check=False)
    assert done.returncode in (-signal.SIGSEGV, -signal.SIGBUS)
    assert done.stdout == f"{size:.1f}"


@on_linux
@pytest.mark.parametrize("allocate", GUARDED)
@pytest.mark.parametrize("kind", ["u1", "f4", "f8", "i8"])
def test_buffers_are_zeros_that_can_be_written(allocate, kind):
    for size in (0, 1, 100, 5000):
        buffer = allocate(size, kind)
        assert (buffer.dtype, buffer.shape, buffer.any()) == (np.dtype(kind), (size,), False)
        assert buffer.flags.c_contiguous
        assert buffer.flags.aligned
        buffer[:] = 7
        assert (buffer == 7).all()


@on_linux
@pytest.mark.parametrize("allocate", GUARDED)
def test_memory_goes_with_the_last_view(allocate):
    before = len(_maps("---p"))
    views = [allocate(100, "f8")[::2].reshape(5, 10) for _ in range(500)]
    assert len(_maps("---p")) > before + 400
    assert not any(view.any() for view in views)
    views.clear()
    assert len(_maps("---p")) < before + 100


@on_linux
@pytest.mark.parametrize("mode", ["end", "begin"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_buffer_lies_beside_an_unreadable_page(mode, precision, batch_norm, monkeypatch):
    use(mode, monkeypatch.setattr)
    X, y = problem(100, WIDTHS[0], WIDTHS[-1])
    X[:, np.arange(WIDTHS[0]) % 8 != 0] = 0  # many zeros, so that the engine uses lists
    net = network(WIDTHS, batch_norm)
    options = StepOptions(matmul_precision=precision)
    trainer = Trainer(net.network, X, y, 30, Adam(0.01, clip_norm=0.5), 2, options=options)
    outputs(net.network, X, 2, precision)
    packed = net.network.parameters.packed
    memory = trainer.workspace.memory(trainer.packed.buffer, trainer.state)
    buffers = [*(part for part in memory if part is not None), packed.buffer, packed.copies]
    for forward in packed.idle:
        buffers += [forward.rows, forward.lists, forward.control]
    edges = {part[0 if mode == "end" else 1] for part in _maps("---p")}
    for buffer in buffers:
        assert not buffer.size or buffer.ctypes.data + (buffer.nbytes if mode == "end" else 0) in edges


def test_only_linux_has_such_pages(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(pytest.UsageError, match="--buffers=end needs Linux, this is darwin"):
        use("end", monkeypatch.setattr)


@pytest.mark.parametrize("mode", ["usual", "nan"])
def test_nan_notices_a_step_that_writes_nothing(mode, monkeypatch):
    use(mode, monkeypatch.setattr)
    X, y = problem(45, WIDTHS[0], WIDTHS[-1])
    net = network(WIDTHS)
    trainer = Trainer(net.network, X, y, 9, SGD(0.1), 1)
    trainer.run_epoch(np.arange(9))
    trainer.plan = replace(trainer.plan, passes=trainer.plan.passes[:0])
    costs = trainer.run_epoch(np.arange(45))
    assert np.isnan(costs).tolist() == ([True] if mode == "nan" else 5 * [False])
    assert net.is_finite() == (mode == "usual")


@pytest.mark.parametrize("mode", ["usual", "nan"])
def test_nan_notices_a_prediction_that_writes_nothing(mode, monkeypatch):
    use(mode, monkeypatch.setattr)
    X, y = problem(45, WIDTHS[0], WIDTHS[-1])
    net = network(WIDTHS)
    evaluate(net.network, X, y, None, 1)

    def read_rows(thread, forward, out):
        out[:] = forward.rows[: out.size].reshape(out.shape)

    monkeypatch.setattr(inference, "_prediction", lambda *_: read_rows)
    assert np.isnan(outputs(net.network, X, 1)[0]).all() == (mode == "nan")


def _trained(mode, batch_norm, dtype, monkeypatch):
    """The results of an epoch with a smaller last mini-batch: bits, costs, squares of the weights, and outputs."""
    with monkeypatch.context() as patch:
        use(mode, patch.setattr)
        X, y = problem(50, WIDTHS[0], WIDTHS[-1], "uint8")
        net = network(WIDTHS, batch_norm, dtype, input_scale=1 / 255, activation="tanh", dropout=0.3)
        trainer, told, squares = Trainer(net.network, X, y, 12, Adam(0.01, clip_norm=0.5), 2), [], np.full(5, np.nan)
        costs = trainer.run_epoch(np.arange(50), told.append, weight_squares=squares)
        assert told == sorted(told)
        assert trainer.steps_done == 5
        return digest(net), costs.tobytes(), squares.tobytes(), outputs(net.network, X, 2)[0].tobytes()


@on_linux
def test_same_bits_in_every_mode(batch_norm, dtype, monkeypatch):
    monkeypatch.setattr(plan, "PARALLEL_FLOP", 0)
    monkeypatch.setattr(plan, "EPOCH_FLOP", 0)
    results = [_trained(mode, batch_norm, dtype, monkeypatch) for mode in ("usual", "end", "begin", "nan")]
    assert results == 4 * results[:1]


def test_a_cost_that_is_not_finite_ends_the_steps(monkeypatch):
    use("nan", monkeypatch.setattr)
    X, _ = problem(50, WIDTHS[0], 3)
    X[24] = np.inf
    net = network(WIDTHS, output="identity")
    trainer = Trainer(net.network, X, np.zeros((50, 3), "f4"), 12, SGD(0.01), 1)
    assert np.isfinite(trainer.run_epoch(np.arange(50))).tolist() == [True, True, False]
