"""Numba's settings, which are known without Numba: to import it takes half a second."""

import os
import sys
from pathlib import Path
from typing import Any

_FILE = ".numba_config.yaml"  # in the working folder; only Numba reads it


def setting(name: str, default: Any = None) -> Any:
    """Return one of Numba's settings, such as ``"CPU_NAME"``; `default` where nobody has set it.

    It is what Numba has, where that is imported; else what the environment says.
    """
    if "numba" in sys.modules or Path(_FILE).exists():
        from numba.core import config

        found = getattr(config, name)
    else:
        found = os.environ.get(f"NUMBA_{name}", default)
    if name == "CPU_FEATURES" and found is None and str(setting("CPU_NAME")).lower() == "generic":
        return ""  # as Numba has it
    return found
