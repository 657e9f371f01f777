"""Compiled kernels in the wheel, where FASTMLP_BUILD_KERNELS=1 asks for them; without, the wheel is a pure one."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Kernels(BuildHookInterface):
    """Runs ``python -m fastmlp.prebuild`` and adds what it makes to the wheel."""

    def _wanted(self) -> bool:
        return os.environ.get("FASTMLP_BUILD_KERNELS") == "1"

    def dependencies(self) -> list[str]:
        """Return what the kernels are compiled by."""
        return list(self.metadata.core.dependencies) if self._wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; the wheel's tag becomes that of this Python and platform."""
        if not self._wanted() or version == "editable":
            return
        self.folder = tempfile.TemporaryDirectory()
        target = Path(self.folder.name) / "prebuilt"
        environment = os.environ | {"PYTHONPATH": self.root}
        subprocess.run([sys.executable, "-m", "fastmlp.prebuild", str(target)], env=environment, check=True)
        build_data["force_include"][str(target)] = "fastmlp/prebuilt"
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
