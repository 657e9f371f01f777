"""Threads that begin together, and the thread that waits for them and takes Ctrl-C."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from fastmlp.system import interrupt

POLL_SECONDS = 0.1


class Group(ABC):
    """Threads that begin together or not at all, as they and their caller see them.

    A member waits at the gate until all members are there. The first element of `go` decides for all: none of them
    begins where one could not be started.

    Parameters
    ----------
    size : int
        Number of threads, at least 1.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.gate, self.go = threading.Event(), list[bool]()
        self.ended, self.all_ended = list[int](), threading.Event()
        self.errors: list[BaseException] = []

    @abstractmethod
    def begin(self) -> None:
        """Start all members, then let them begin: append True to `go` and open the gate."""

    @abstractmethod
    def end(self) -> None:
        """Let the members end soon."""

    def may_begin(self) -> bool:
        """Wait at the gate, as a member; return whether all begin."""
        self.gate.wait()
        return self.go[0]

    def leave(self, number: int) -> None:
        """Say that a member has ended."""
        self.ended.append(number)
        if len(self.ended) == self.size:
            self.all_ended.set()

    def run(self, poll: Callable[[], None]) -> None:
        """Begin, and wait for all members.

        Parameters
        ----------
        poll : callable
            Called every `POLL_SECONDS` seconds, in the caller's thread.

        Raises
        ------
        BaseException
            The first error of a member, or what came up in the caller's thread, such as its KeyboardInterrupt; after
            all members have ended.
        """
        with interrupt.looked_at():
            interrupted = self._wait(poll)
        if self.errors:
            raise self.errors[0]
        if interrupted is not None:
            raise interrupted

    def _wait(self, poll: Callable[[], None]) -> BaseException | None:
        """Begin, and wait until all have ended; return what came up meanwhile in the caller's thread."""
        interrupted: BaseException | None = None
        start = True
        while True:
            try:  # a handler of the user's own may raise at any of these lines, and no member may be left waiting
                if start:
                    start = False
                    self.begin()
                while self.go[0] and not self.all_ended.wait(POLL_SECONDS):
                    interrupt.check()
                    poll()
                return interrupted
            except BaseException as error:  # noqa: BLE001 - raised again when all have ended
                interrupted = interrupted or error
                self.go.append(False)
                self.end()
                self.gate.set()
