"""README's commands and example, the contents of the wheel, and an import without warnings and large libraries."""

import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPTIONAL = {"jinja2", "joblib", "matplotlib", "mlflow", "onnx", "pandas", "pyarrow", "scipy", "sklearn", "tensorboard"}
OPTIONAL |= {"dask", "distributed", "mpi4py", "torch", "tqdm"}
EXTRAS_APART = {"mlflow", "mpi", "torch"}  # large, or in need of a library that pip does not install by itself


def python(*arguments, cwd=None):
    """Run this interpreter in a new process; return what it printed on standard output and standard error."""
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_readme_example_runs_as_pasted(tmp_path):
    (example,) = re.findall(r"<!-- example -->\n\n```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    out, err = python("-W", "error", "-c", example, cwd=tmp_path)
    assert err == ""
    accuracy = float(re.search(r"test accuracy: (\S+)", out)[1])
    assert accuracy > 0.93
    assert (tmp_path / "digits.safetensors").is_file()


@pytest.mark.parametrize("name", ["experiments", "tests"])
def test_readme_command_is_one_line_that_sets_up_all(name):
    out, _ = python(str(ROOT / ".ci" / "readme_command.py"), name)
    command = out.removesuffix("\n")
    assert f"\n```sh\n{command}\n```\n" in README
    assert "\n" not in command
    assert command.startswith("python3 -m venv .venv")
    assert "pip install" in command


def test_the_gate_runs_the_test_command_of_the_readme():
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "command=$(python3 .ci/readme_command.py tests)" in gate
    assert 'bash -euo pipefail -c "$command"' in gate
    environment = re.search(r"^python=(\S+)/bin/python$", gate, flags=re.MULTILINE)[1]
    command, _ = python(str(ROOT / ".ci" / "readme_command.py"), "tests")
    assert f" && {environment}/bin/python -m pytest " in command


def test_unknown_readme_command_is_an_error():
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "readme_command.py"), "nothing"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"'nothing'" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no executable bit")
def test_the_gate_is_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_wheel_holds_the_whole_package_and_nothing_else(wheel):
    names = set(wheel.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fastmlp").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"fastmlp/py.typed", "fastmlp/datasets/mnist/SHA256SUMS"} <= package
    assert len([name for name in package if name.endswith("-ubyte.xz")]) == 4
    assert package <= names
    assert {name for name in names - package if ".dist-info/" not in name} == set()


def test_wheel_holds_the_licences_and_the_command(wheel):
    files = {name.partition(".dist-info/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert {"licenses/LICENSE", "licenses/fastmlp/datasets/mnist/LICENSE.md", "entry_points.txt"} <= set(files)
    assert b"fastmlp = fastmlp.cli:main" in wheel.read(files["entry_points.txt"])
    assert b"License-Expression: BSD-3-Clause" in wheel.read(files["METADATA"])


def checked_bill(text):
    """Check a bill of materials with CycloneDX's schema; return the bill and its parts by name."""
    # here, because it takes 7 s, which every worker would wait for when it collects the tests
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    parts = {part["bom-ref"]: part for part in [bill["metadata"]["component"], *bill["components"]]}
    for node in bill["dependencies"]:
        assert {node["ref"], *node["dependsOn"]} <= set(parts)
    return bill, parts


def test_wheel_holds_its_bill_of_materials(wheel):
    (name,) = [name for name in wheel.namelist() if ".dist-info/sboms/" in name]
    assert name.endswith("/fastmlp.cdx.json")
    bill, parts = checked_bill(wheel.read(name).decode())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = bill["metadata"]["component"]
    assert (package["name"], package["version"]) == ("fastmlp", project["version"])
    required = {re.split(r"\W", need)[0]: need for need in project["dependencies"]}
    assert set(parts) == {"fastmlp", "mnist", *required}
    assert {name: parts[name]["properties"][0]["value"] for name in required} == required
    files = {file["name"]: file["hashes"][0]["content"] for file in parts["mnist"]["components"]}
    assert files == {name: hashlib.sha256(wheel.read(name)).hexdigest() for name in wheel.namelist() if ".xz" in name}


def test_bill_of_materials_says_what_compiled_the_kernels(tmp_path):
    made_for = {"Numba": "0.99.1", "llvmlite": "0.88.2", "Python": "cpython-314"}
    for level in ("x86-64-v3", "x86-64-v4"):
        (tmp_path / "prebuilt" / level).mkdir(parents=True)
    (tmp_path / "prebuilt" / "manifest.json").write_text(json.dumps(made_for), encoding="utf-8")
    bill = tmp_path / "bill.json"
    python(str(ROOT / ".ci" / "bill_of_materials.py"), str(bill), str(tmp_path / "prebuilt"))
    _, parts = checked_bill(bill.read_text(encoding="utf-8"))
    assert parts["numba"]["purl"] == "pkg:pypi/numba@0.99.1"
    assert parts["llvmlite"]["version"] == "0.88.2"
    found = {entry["name"]: entry["value"] for entry in parts["kernels"]["properties"]}
    assert found == {f"fastmlp:{name}": value for name, value in made_for.items()} | {
        "fastmlp:levels": "x86-64-v3, x86-64-v4"
    }


def test_the_kernels_of_a_wheel_are_compiled_by_the_packages_of_an_isolated_build(tmp_path, monkeypatch):
    """pip puts these packages into a folder of PYTHONPATH, and fastmlp is then a source tree without metadata."""
    hook = runpy.run_path(str(ROOT / ".ci" / "hatch_build.py"))["Parts"]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FASTMLP_BUILD_KERNELS", "1")
    processes = []
    monkeypatch.setattr(
        subprocess, "run", lambda command, env=None, check=True: processes.append((command[1:3], env or {}))
    )
    parts = hook(str(ROOT), {}, None, None, str(tmp_path), "wheel")
    data = {"force_include": {}, "sbom_files": []}
    parts.initialize("standard", data)
    parts.finalize("standard", data, "")
    (arguments, environment), _ = processes
    assert arguments == ["-m", "fastmlp.prebuild"]
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), str(tmp_path)]


def test_the_command_runs_from_a_source_tree_without_metadata():
    """Kernels are compiled for a wheel in such a source tree."""
    program = (
        "import importlib.metadata, sys\n"
        "found = importlib.metadata.version\n"
        "def version(name):\n"
        "    if name == 'fastmlp': raise importlib.metadata.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "importlib.metadata.version = version\n"
        "import fastmlp.cli\n"
        "sys.exit(fastmlp.cli.main(['info']))"
    )
    out, _ = python("-c", program)
    assert f"fastmlp {fastmlp.__version__}" in out


def test_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert fastmlp.__version__ == project["version"]
    assert project["requires-python"] == ">=3.11"


def test_dependencies_have_no_upper_caps():
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [document["project"]["dependencies"], *document["project"]["optional-dependencies"].values()]
    groups += document["dependency-groups"].values()
    versions = [need.split(";")[0] for group in groups for need in group if isinstance(need, str)]
    assert [need for need in versions if re.search(r"<|~=|==", need)] == []


def test_all_extras_but_a_few_are_the_extra_all():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (everything,) = extras.pop("all")
    assert set(re.fullmatch(r"fastmlp\[(.*)\]", everything)[1].split(",")) == set(extras) - EXTRAS_APART


def test_import_is_quiet_and_loads_no_optional_library():
    out, err = python("-W", "error", "-c", "import fastmlp, sys; print(*sys.modules)")
    assert err == ""
    by_numba, _ = python("-c", "import numba, sys; print(*sys.modules)")  # Numba imports SciPy if it is installed
    packages = {name.partition(".")[0] for name in set(out.split()) - set(by_numba.split())}
    assert packages & OPTIONAL == set()


def test_public_names_are_there():
    expected = {"MLP", "BatchNorm", "SGD", "EarlyStopping", "History", "train", "load", "init", "datasets", "kernels"}
    assert expected <= set(fastmlp.__all__)
    assert [name for name in fastmlp.__all__ if not hasattr(fastmlp, name)] == []
