"""Reading ahead: a thread fills one block while the engine trains on the other."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from fastmlp.streaming.filling import Block, Filler
from fastmlp.streaming.order import Read, Share
from fastmlp.system import interrupt

POLL_SECONDS = 0.1
END = None  # behind the last block


class ReadAhead(ABC):
    """Blocks of rows, each filled while the one before is used; a context manager, whose end waits for the thread.

    Parameters
    ----------
    blocks : sequence of Block
        Two, filled in turns.

    Attributes
    ----------
    stopped : bool
        Whether nobody wants a block any more.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._free: queue.SimpleQueue[Block | None] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[Block | BaseException | None] = queue.SimpleQueue()
        self.stopped = False
        for block in blocks:
            self._free.put(block)
        self._thread = threading.Thread(target=self._run, name="fastmlp-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped = True
        self._free.put(END)
        self._thread.join()

    def __iter__(self) -> Iterator[Block]:
        """Yield block after block; each is filled anew once the next one is asked for.

        Raises
        ------
        StreamError
            What went wrong in the thread.
        KeyboardInterrupt
            Ctrl-C came while there was nothing to do but wait.
        """
        while True:
            found = self._next()
            if found is END:
                return
            if isinstance(found, BaseException):
                raise found
            yield found
            self._free.put(found)

    def _next(self) -> Block | BaseException | None:
        while True:
            try:
                return self._full.get(timeout=POLL_SECONDS)
            except queue.Empty:
                interrupt.check()

    def _run(self) -> None:
        try:
            self.fill_all()
            self._full.put(END)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes the blocks
            self._full.put(error)

    def take(self) -> Block | None:
        """Return an empty block; None where nobody wants one any more."""
        block = self._free.get()
        if block is not None:
            block.rows = 0
        return block

    def give(self, block: Block) -> None:
        """Hand a filled block to whoever takes the blocks."""
        self._full.put(block)

    @abstractmethod
    def fill_all(self) -> None:
        """Fill one block after the other, in the thread."""


class Reader(ReadAhead):
    """Blocks that are full but for the last one.

    Parameters
    ----------
    reading : callable
        Starts reading; called in the thread.
    filler : Filler
        Writes what is read into the blocks.
    share : Share
        Which of the rows are meant.
    blocks : sequence of Block
        Two of equal room.
    """

    def __init__(
        self, reading: Callable[[], Iterator[Read]], filler: Filler, share: Share, blocks: Sequence[Block]
    ) -> None:
        super().__init__(blocks)
        self._reading, self._filler, self._share = reading, filler, share

    def fill_all(self) -> None:
        """Write all rows that are meant behind each other."""
        block = self.take()
        for read in self._reading():
            if self.stopped:
                return
            places = self._share.places(read)
            start, end = 0, read.rows if places is None else len(places)
            while start < end:
                if block is None:
                    return
                start += self._filler.write(read, places, start, block)
                if block.rows == len(block.values):
                    self.give(block)
                    block = self.take()
        if block is not None and block.rows:
            self.give(block)
