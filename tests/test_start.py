"""What a process imports: no Numba where nothing is trained or predicted, no compiler where nothing is compiled."""

import subprocess

import pytest
from processes import answer, command_of, environment_of, printed

PROGRAM = "starts_without_numba"


@pytest.mark.parametrize("name", ["build", "estimator"])
def test_library(name):
    assert printed(PROGRAM, name) == ""


@pytest.mark.parametrize("name", ["save_and_load", "history"])
def test_files(name, tmp_path):
    assert printed(PROGRAM, name, tmp_path / "file") == ""
    assert (tmp_path / "file").stat().st_size > 0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["info"], ["info", "--json"], ["train", "--help"], ["compile", "--help"]]
)
def test_command(arguments):
    assert "fastmlp" in printed(PROGRAM, "command", *arguments)


@pytest.mark.parametrize("name", ["build", "estimator", "command"])
def test_streams_are_imported_by_who_uses_them(name):
    """They are twenty modules, which few programs need."""
    arguments = ["train", "--help"] if name == "command" else []
    assert "fastmlp.streaming.stream" not in printed(PROGRAM, "modules_of", name, *arguments).splitlines()


def test_the_program_lists_what_is_imported():
    assert "fastmlp.mlp" in printed(PROGRAM, "modules_of", "build").splitlines()


def test_who_compiles_nothing_does_not_import_what_compiling_needs():
    """Numba's functions for arrays and SciPy's linear algebra take longer than all else in a first training."""
    answer("imported_by_a_training")  # from here on its kernels are in files
    before, imported = answer("imported_by_a_training")
    assert set(imported) == set(before), "a fork waits for the import of the engine alone"
    assert "numba.core.dispatcher" in imported
    assert not {"numba.np.arraymath", "numba.np.linalg", "scipy.linalg"}.intersection(imported)


def test_the_program_notices_numba():
    done = subprocess.run(
        command_of(PROGRAM, "command", "info", "--threading-layer"), env=environment_of(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "command imported Numba\n")
