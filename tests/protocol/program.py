"""Programs of atomic operations, and the states of threads that run them.

Each operation is one step of one thread, and all threads see the operations in the same order (sequential consistency).
A state is a tuple of integers: the position of each thread, the number that it read last, all shared cells, and the
work that is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

STORE, ARRIVE, WAIT, TEST, LOAD, EXCHANGE, OVERWRITE, WORK, CHOOSE, END = range(10)


class Label:
    """A position in a program, which is set later."""

    at = -1


@dataclass(frozen=True)
class Access:
    """The memory that a piece of work reads and writes, as bits, and the bit of `done` that stands for the work."""

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
        Description of the operation, with its place in the library.
    cell, value : int
        The shared cell, and the number that is stored, that a thread waits for, or that is the length of a share.
    then, otherwise : int or Label
        The next position of the thread if the operation succeeds, and if it does not.
    work : tuple of Access
        The work of each piece of a share.
    needs : int
        Bits of the work that must be done before.
    excused : bool
        Whether `needs` does not apply if the rows of the step are skipped.
    resets : bool
        Whether the store resets the cell to 0, so that no thread may still take from it.
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
        """Append an operation. The next operation follows it."""
        operation = Operation(kind, text, **{"then": len(self.operations) + 1} | arguments)
        self.operations.append(operation)
        return operation

    def place(self, label: Label) -> None:
        """Set a label to the position of the next operation."""
        label.at = len(self.operations)

    def finish(self) -> None:
        """Replace labels by positions, and note which operations may follow each operation."""
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
