"""What threads share: a counter that only grows, and a way to wait for it."""

import platform
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic

from fastmlp.compilation.jit import body
from fastmlp.simd import ir
from fastmlp.simd.pointer import offset

# pauses before a waiting thread offers its core to others. Whoever yields to a busy process loses a whole time slice,
# so a team with a core for each thread waits longer first; with more threads than cores the core is needed at once.
SPINS, SPINS_OVERSUBSCRIBED = 20_000, 100
# Offers of the core before a waiting thread sleeps, and for how long. Offers that nobody takes cost CPU time: with two
# teams of two threads on two cores, tests of small networks took 0.77 of the time and 0.69 of the CPU time (Zen 3).
YIELDS, SLEEP_MICROSECONDS = 100, 20
LINE = 8  # int64 cells of a cache line

# cells of a team's control block, each on a cache line of its own
ARRIVED, STOP, ABANDONED, SKIPPED, HALT, STEPS_DONE, TAKEN, NOT_FINITE = (LINE * i for i in range(8))
CONTROL_CELLS = 8 * LINE

_INT64 = types.CPointer(types.int64)


@intrinsic
def fetch_add(context: Any, cell: Any, amount: Any) -> Any:
    """Add to a shared cell; return what it held."""
    return types.int64(_INT64, types.int64), lambda _, builder, signature, arguments: builder.atomic_rmw(
        "add", arguments[0], arguments[1], "acq_rel"
    )


@intrinsic
def compare_exchange(context: Any, cell: Any, expected: Any, value: Any) -> Any:
    """Write `value` to a shared cell if it holds `expected`; return whether it did."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_value(builder.cmpxchg(*arguments, "acq_rel", "acquire"), 1)

    return types.boolean(_INT64, types.int64, types.int64), emit


@intrinsic
def load_shared(context: Any, cell: Any) -> Any:
    """Read a shared cell; what others wrote before they wrote it is visible after."""
    return types.int64(_INT64), lambda _, builder, signature, arguments: builder.load_atomic(arguments[0], "acquire", 8)


@intrinsic
def store_shared(context: Any, cell: Any, value: Any) -> Any:
    """Write a shared cell; what was written before is visible to whoever reads it."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], arguments[0], "release", 8)
        return target.get_dummy_value()

    return types.void(_INT64, types.int64), emit


@intrinsic
def pause(context: Any) -> Any:
    """Tell the core that this is a spin loop."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.machine() in ("x86_64", "AMD64"):
            ir.call(builder, "llvm.x86.sse2.pause", llvm.VoidType(), [])
        return target.get_dummy_value()

    return types.void(), emit


def _offer_core(builder: Any) -> None:
    name = "SwitchToThread" if platform.system() == "Windows" else "sched_yield"
    ir.call(builder, name, llvm.IntType(32), [])


@intrinsic
def yield_core(context: Any) -> Any:
    """Let another thread run on this core."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _offer_core(builder)
        return target.get_dummy_value()

    return types.void(), emit


@intrinsic
def sleep(context: Any) -> Any:
    """Leave the core for `SLEEP_MICROSECONDS`; on Windows, where a sleep may take 16 ms, offer it to others."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.system() == "Windows":
            _offer_core(builder)
        else:
            ir.call(builder, "usleep", llvm.IntType(32), [llvm.IntType(32)(SLEEP_MICROSECONDS)])
        return target.get_dummy_value()

    return types.void(), emit


@body
def barrier(control: Any, target: Any, spins: Any) -> Any:
    """Arrive and wait until `target` arrivals were counted in all; False when the team was abandoned meanwhile.

    The counter only grows, so no thread can be left behind in an earlier round. Who waits pauses `spins` times, then
    offers its core to others, then sleeps.
    """
    fetch_add(offset(control, ARRIVED), 1)
    turns = 0
    while load_shared(offset(control, ARRIVED)) < target:
        if load_shared(offset(control, ABANDONED)) != 0:
            return False
        turns += 1
        if turns < spins:
            pause()
        elif turns < spins + YIELDS:
            yield_core()
        else:
            sleep()
    return True
