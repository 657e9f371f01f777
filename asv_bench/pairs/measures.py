"""What is measured of a benchmark: the clock, or the memory, that fits it."""

import enum
import importlib.util


class Measure(enum.Enum):
    """What is compared. The values are the keys of the worker's answers."""

    CPU = "cpu"  # seconds of CPU time of the process, which stays on one core
    WALL = "wall"  # seconds of wall-clock time, on all cores
    CHILDREN = "children"  # seconds of CPU time of the processes that the call starts, with all their threads
    PEAK = "peak"  # bytes of the peak memory of a process that makes one call

    @property
    def repeated(self) -> bool:
        """Whether a process can measure it again and again. The others take a new process, or start one, per figure."""
        return self in (Measure.CPU, Measure.WALL)

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of rounds after which a benchmark is judged; one that is decided is not measured again."""
        return (6, 12, 24, 48) if self.repeated else (4, 8, 12)

    @property
    def available(self) -> bool:
        """Whether this system can measure it."""
        return self.repeated or importlib.util.find_spec("resource") is not None
