"""What the wheel holds besides the package: a bill of materials, and compiled kernels where FASTMLP_BUILD_KERNELS=1.

Without that variable the wheel is a pure one.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Parts(BuildHookInterface):
    """Adds what ``python -m fastmlp.prebuild`` and ``.ci/bill_of_materials.py`` make."""

    def _compiles(self) -> bool:
        return os.environ.get("FASTMLP_BUILD_KERNELS") == "1"

    def dependencies(self) -> list[str]:
        """Return what the kernels are compiled by."""
        return list(self.metadata.core.dependencies) if self._compiles() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make them; with kernels, the wheel's tag becomes that of this Python and platform."""
        if version == "editable":
            return
        self.folder = tempfile.TemporaryDirectory()
        bill, kernels = Path(self.folder.name) / "fastmlp.cdx.json", Path(self.folder.name) / "prebuilt"
        if self._compiles():
            # pip hands an isolated build its packages by PYTHONPATH
            places = [self.root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
            subprocess.run([sys.executable, "-m", "fastmlp.prebuild", str(kernels)], env=environment, check=True)
            build_data["force_include"][str(kernels)] = "fastmlp/prebuilt"
            build_data["pure_python"], build_data["infer_tag"] = False, True
        tool = Path(self.root) / ".ci" / "bill_of_materials.py"
        arguments = [str(bill), str(kernels)] if self._compiles() else [str(bill)]
        subprocess.run([sys.executable, str(tool), *arguments], check=True)
        build_data["sbom_files"].append(str(bill))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
