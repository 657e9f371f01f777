"""Programs of atomic operations, and the states that threads which run them can get into.

Each operation is one step of one thread, and all threads see the same order of them: sequential consistency. A state
is a tuple of integers: where each thread is, the number that it last read, all shared cells, and what is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

STORE, ARRIVE, WAIT, TEST, LOAD, EXCHANGE, OVERWRITE, WORK, CHOOSE, END = range(10)


class Label:
    """A place in a program that is known later."""

    at = -1


@dataclass(frozen=True)
class Access:
    """What a piece of work reads and writes, and which bit of `done` stands for it."""

    reads: int = 0
    writes: int = 0
    bit: int = 0


@dataclass
class Operation:
    """One operation of a thread.

    Attributes
    ----------
    kind : int
        One of the constants above. `OVERWRITE` is a broken `EXCHANGE`, which does not compare.
    text : str
        What it is, and where it is written in the library.
    cell, value : int
        The shared cell; what is stored, or the number that is waited for, or the length of a share.
    then, otherwise : int or Label
        Where the thread goes on: after the operation, or after it did not succeed.
    work : tuple of Access
        For every number of a piece.
    needs : int
        Bits that must be done before.
    excused : bool
        Nothing must be done before when the rows of the step are skipped.
    resets : bool
        The store begins to count from 0, so nobody may take from the cell any more.
    """

    kind: int
    text: str
    cell: int = -1
    value: int = 0
    then: "int | Label" = -1
    otherwise: "int | Label" = -1
    work: tuple[Access, ...] = ()
    needs: int = 0
    excused: bool = False
    resets: bool = False
    may_take: frozenset[int] = field(default=frozenset())


class Program:
    """The operations of one thread, in order."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def add(self, kind: int, text: str, **arguments) -> Operation:
        """Append an operation; it is followed by the next one."""
        operation = Operation(kind, text, **{"then": len(self.operations) + 1} | arguments)
        self.operations.append(operation)
        return operation

    def place(self, label: Label) -> None:
        """Say that a label is here."""
        label.at = len(self.operations)

    def finish(self) -> None:
        """Put places in place of labels, and note what each operation may be followed by."""
        for operation in self.operations:
            for name in ("then", "otherwise"):
                label = getattr(operation, name)
                if isinstance(label, Label):
                    setattr(operation, name, label.at)
        for i, operation in enumerate(self.operations):
            operation.may_take = frozenset(self._taken_before_a_barrier(i))

    def _taken_before_a_barrier(self, start: int) -> Iterator[int]:
        found, ahead = {start}, [start]
        while ahead:
            operation = self.operations[ahead.pop()]
            if operation.kind in (LOAD, EXCHANGE, OVERWRITE):
                yield operation.cell
            if operation.kind not in (ARRIVE, WAIT, END):
                following = {operation.then, operation.otherwise} - found - {-1}
                found |= following
                ahead += following
