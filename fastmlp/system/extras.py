"""Optional libraries: imported where they are used, named with their `pip install` where they are missing."""

import importlib
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import an optional library.

    Parameters
    ----------
    module : str
        The module to import, such as ``"matplotlib.figure"``.
    extra : str
        The extra of fastmlp that installs it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ImportError
        The library is not installed; the message holds the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != library:
            raise
        raise ImportError(f"{library} is not installed: pip install 'fastmlp[{extra}]'", name=library) from error
