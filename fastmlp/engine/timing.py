"""How long a product in bfloat16 takes on this machine in its two ways, kept beside the compiled kernels."""

import contextlib
import json
from typing import NamedTuple

from fastmlp.compilation import cache
from fastmlp.system.files import replaced_whole

KEPT = "bfloat16.json"


class Timing(NamedTuple):
    """Seconds that a product takes by multiply-adds of float32 and by the instruction VDPBF16PS."""

    rounded: float
    packed: float

    @property
    def packed_is_quicker(self) -> bool:
        """Whether the instruction is the quicker way."""
        return self.packed < self.rounded


def kept_timing() -> Timing | None:
    """Return what was measured on this machine, in this process or an earlier one, or None."""
    if cache.FOLDER is None:
        return None
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Timing(**json.loads((cache.FOLDER / KEPT).read_text(encoding="utf-8")))
    return None


def keep_timing(timing: Timing) -> None:
    """Keep what was measured, where there is a folder for it."""
    if cache.FOLDER is not None:
        with contextlib.suppress(OSError), replaced_whole(cache.FOLDER / KEPT, synced=False) as path:
            path.write_text(json.dumps(timing._asdict()), encoding="utf-8")
