"""The cache of compiled kernels between processes: it notices every edit, and it uses the right folder or none.

Every test runs a copy of the package in its own processes. Numba's cache would not notice the edit: it compares only
the file of a function, and not the files of the functions that this function calls.
"""

import os
import subprocess
import sys

import pytest
from installations import PART, Installation

from fastmlp.compilation.cache import KEPT_DIGESTS


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path)


def _compiled(folder):
    """The first folders on the paths to the files of compiled functions below a folder."""
    return sorted({path.parent.relative_to(folder).parts[0] for path in folder.rglob("*.kernel")})


def test_the_second_process_does_not_compile(installation):
    first, second = installation.run(), installation.run()
    assert (first["value"], first["hits"], first["misses"]) == (2.0, 0, 1)
    assert (second["value"], second["hits"], second["misses"]) == (2.0, 1, 0)
    # compiled functions are in the user's cache folder alone; Numba's own setting for other packages is not changed
    assert _compiled(installation.home) == [".cache"]
    assert _compiled(installation.package.parent) == []
    assert first["setting"] == second["setting"] == ""


def test_an_edit_in_another_file_is_seen(installation):
    assert installation.run()["value"] == 2.0
    # a function that the kernel calls, and a constant that it reads
    installation.write("probe_part.py", PART.replace("value + 1.0", "value + 5.0").replace("= 1.0", "= 4.0"))
    edited = installation.run()
    assert (edited["value"], edited["hits"]) == (24.0, 0)
    installation.write("probe_part.py", PART)
    back = installation.run()
    assert (back["value"], back["hits"]) == (2.0, 1)


def test_numba_cache_dir_is_respected(installation, tmp_path):
    chosen = tmp_path / "chosen"
    assert installation.run(NUMBA_CACHE_DIR=str(chosen))["setting"] == str(chosen)
    assert len(_compiled(chosen)) == 1
    assert not installation.cache.exists()
    installation.write("probe_part.py", PART.replace("value + 1.0", "value + 5.0"))
    assert installation.run(NUMBA_CACHE_DIR=str(chosen))["value"] == 6.0


def test_an_unwritable_folder_means_no_cache(installation, tmp_path):
    # nobody can make a folder below a file, not even root
    (tmp_path / "file").write_text("")
    unwritable = str(tmp_path / "file" / "below")
    result = installation.run(NUMBA_CACHE_DIR=unwritable)
    assert (result["value"], result["hits"]) == (2.0, 0)
    assert _compiled(tmp_path) == []


def test_options_that_change_the_code_have_a_folder_each(installation):
    installation.run()
    assert installation.run(NUMBA_BOUNDSCHECK="1")["hits"] == 0
    assert installation.run(NUMBA_NUM_THREADS="2")["hits"] == 1


def test_old_digests_are_removed(installation):
    installation.run()
    (folder,) = {path.parent for path in installation.cache.rglob("*.kernel")}
    parent = folder.parent
    for age in range(1, KEPT_DIGESTS + 5):
        other = parent / f"digest{age}"
        other.mkdir()
        (other / "code.kernel").write_text("")
        os.utime(other, (10**9 - age, 10**9 - age))
    (parent / "note").write_text("no digest")
    installation.write("probe_part.py", PART.replace("value + 1.0", "value + 5.0"))
    assert installation.run()["value"] == 6.0
    kept = sorted(path.name for path in parent.iterdir() if path.is_dir())
    assert len(kept) == KEPT_DIGESTS
    assert folder.name in kept
    assert [f"digest{age}" in kept for age in (1, KEPT_DIGESTS - 2, KEPT_DIGESTS - 1)] == [True, True, False]
    assert (parent / "note").exists()


def test_of_several_processes_one_compiles(installation):
    found = [installation.finish(process) for process in [installation.start() for _ in range(8)]]
    assert [process["value"] for process in found] == 8 * [2.0]
    assert sum(process["misses"] for process in found) == 1, "one compiles, the others wait"


def test_other_packages_keep_their_own_cache(installation, tmp_path):
    (tmp_path / "site" / "theirs.py").write_text(
        "import fastmlp, numba\n\n@numba.njit(cache=True)\ndef double(x):\n    return 2 * x\n\n\ndouble(1)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", "import theirs"], env=installation.environment(), check=True)
    assert [path.parent.name for path in tmp_path.rglob("theirs.*.nbi")] == ["__pycache__"]
