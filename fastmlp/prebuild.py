"""Compile the kernels that a wheel carries: ``python -m fastmlp.prebuild FOLDER``.

For each level of the CPU that this machine has (`fastmlp.compilation.levels`), ``fastmlp compile --all`` runs in a
process that compiles for that level. The jobs run what they compile, so a machine cannot compile for a level above its
own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fastmlp.compilation.levels import Level, usable_levels
from fastmlp.compilation.prebuilt import MANIFEST, circumstances
from fastmlp.compilation.store import SUFFIX


def build_level(level: Level, folder: Path) -> None:
    """Compile for a level into a folder."""
    folder.mkdir()
    with tempfile.TemporaryDirectory() as cache:
        settings = {"NUMBA_CPU_NAME": level.cpu, "NUMBA_CPU_FEATURES": level.flags, "NUMBA_CACHE_DIR": cache}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")} | settings
        command = [sys.executable, "-c", "import sys, fastmlp.cli; sys.exit(fastmlp.cli.main())", "compile", "--all"]
        subprocess.run([*command, "--quiet"], env=environment, check=True)
        for file in Path(cache).rglob(f"*{SUFFIX}"):
            shutil.move(file, folder / file.name)


def build(folder: Path) -> None:
    """Compile for all levels, and say in a manifest for what."""
    folder.mkdir(parents=True)
    for level in usable_levels():
        build_level(level, folder / level.name)
    (folder / MANIFEST).write_text(json.dumps(circumstances(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
