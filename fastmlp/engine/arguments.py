"""What the compiled workers of a training are given."""

from typing import NamedTuple

from fastmlp.compilation.jit import inlined
from fastmlp.engine.shares import Claims
from fastmlp.engine.workspace import Memory
from fastmlp.simd.atomics import LINE
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import pointer


class Layout(NamedTuple):
    """What stays the same from step to step.

    Attributes
    ----------
    settings : numpy.ndarray of SETTINGS
        One record.
    layers, passes : numpy.ndarray
        Of the plan.
    tiles : numpy.ndarray
        As they are dealt out.
    """

    settings: Array
    layers: Array
    passes: Array
    tiles: Array


class Run(NamedTuple):
    """The steps of one call.

    Attributes
    ----------
    steps : numpy.ndarray of STEP
        A record for each step.
    order : numpy.ndarray (n,)
        The rows to train on, int64, cut into mini-batches.
    costs : numpy.ndarray (steps,)
        Takes the cost of each step.
    weight_squares : numpy.ndarray
        Takes the Σ‖W‖² after each step, where that is wanted.
    """

    steps: Array
    order: Array
    costs: Array
    weight_squares: Array


class Member(NamedTuple):
    """One thread of a team, as it meets the others.

    Attributes
    ----------
    thread : int
        Its number.
    control : pointer
        To the team's control block (`fastmlp.simd.atomics`).
    arrivals : pointer
        To the thread's own count of arrivals at barriers, of all threads.
    claims : Claims
        What is taken of all shares.
    """

    thread: int
    control: Pointer
    arrivals: Pointer
    claims: Claims


@inlined
def member_of(thread: int, memory: Memory, threads: int) -> Member:
    """Return one of so many threads of a team."""
    claims = Claims(start=pointer(memory.claims, 0), stride=memory.claims.size // threads)
    control, arrivals = pointer(memory.control, 0), pointer(memory.arrivals, LINE * thread)
    return Member(thread=thread, control=control, arrivals=arrivals, claims=claims)
