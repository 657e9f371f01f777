"""The wheel's bill of materials (SBOM): CycloneDX JSON, which PEP 770 puts into ``.dist-info/sboms``.

    python .ci/bill_of_materials.py FILE             # of the pure wheel
    python .ci/bill_of_materials.py FILE KERNELS     # with the folder of compiled kernels

It names the package, what it requires, the data in it, and what compiled the kernels. It holds no time and no random
number: equal wheels have equal bills.
"""

import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
Part = dict[str, Any]


def library(name: str, version: str | None = None, **more: Any) -> Part:
    """Return a package of PyPI."""
    if version is None:
        return {"type": "library", "bom-ref": name, "name": name, "purl": f"pkg:pypi/{name}"} | more
    found = {"type": "library", "bom-ref": name, "name": name, "version": version}
    return found | {"purl": f"pkg:pypi/{name}@{version}"} | more


def properties(values: dict[str, str]) -> list[dict[str, str]]:
    """Return names and values as CycloneDX has them."""
    return [{"name": f"fastmlp:{name}", "value": value} for name, value in values.items()]


def mnist() -> Part:
    """Return the images that ship with the package, with the SHA-256 of each file."""
    files = [
        {
            "type": "file",
            "name": path.relative_to(ROOT).as_posix(),
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
        }
        for path in sorted((ROOT / "fastmlp" / "datasets" / "mnist").glob("*.xz"))
    ]
    licences = [{"license": {"id": "CC-BY-SA-3.0"}}]
    return {"type": "data", "bom-ref": "mnist", "name": "MNIST", "licenses": licences, "components": files}


def compiled(kernels: Path, made_for: dict[str, str]) -> Part:
    """Return the machine code, with what it was compiled for and the levels of the CPU."""
    levels = ", ".join(sorted(path.name for path in kernels.iterdir() if path.is_dir()))
    described = {"type": "library", "bom-ref": "kernels", "name": "fastmlp/prebuilt"}
    described["description"] = "machine code of fastmlp's own kernels, by Numba and LLVM"
    return described | {"properties": properties(made_for | {"levels": levels})}


def bill(kernels: Path | None = None) -> Part:
    """Return the bill of the checkout's wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made_for = {} if kernels is None else json.loads((kernels / "manifest.json").read_text(encoding="utf-8"))
    compilers = {name.lower(): made_for[name] for name in ("Numba", "llvmlite") if name in made_for}
    required = {re.match(r"[\w.-]+", need)[0]: need for need in project["dependencies"]}
    parts = [
        library(name, compilers.get(name), properties=properties({"requirement": need}))
        for name, need in required.items()
    ]
    parts += [library(name, version) for name, version in compilers.items() if name not in required]
    parts.append(mnist())
    graph = [{"ref": "fastmlp", "dependsOn": [*required, "mnist"]}]
    if kernels is not None:
        parts.append(compiled(kernels, made_for))
        graph[0]["dependsOn"].append("kernels")
        graph.append({"ref": "kernels", "dependsOn": list(compilers)})
    licences = [{"expression": project["license"]}]
    package = library("fastmlp", project["version"], description=project["description"], licenses=licences)
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": package}}
    return head | {"components": parts, "dependencies": graph}


if __name__ == "__main__":
    target, *folders = map(Path, sys.argv[1:])
    target.write_text(json.dumps(bill(*folders), indent=1) + "\n", encoding="utf-8")
