"""The digest of the sources that are compiled: any change of any of them is another digest."""

import shutil
from pathlib import Path

import pytest

import fastmlp
from fastmlp.compilation import sources


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package in the place of this one."""
    folder = tmp_path / "fastmlp"
    shutil.copytree(Path(fastmlp.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__", "*.xz"))
    monkeypatch.setattr(sources, "__file__", str(folder / "compilation" / "sources.py"))
    return folder


def _digest():
    return sources.sources_digest.__wrapped__()


@pytest.mark.parametrize("folder", ["compilation", "engine", "kernels", "simd"])
def test_every_file_counts(folder, package):
    before = _digest()
    for path in sorted((package / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        path.write_text(source + "\n", encoding="utf-8")
        assert _digest() != before, path.name
        path.write_text(source, encoding="utf-8")
    assert _digest() == before
    path.rename(path.with_name("other.py"))
    assert _digest() != before


def test_what_is_not_compiled_does_not_count(package):
    before = _digest()
    (package / "train.py").write_text("", encoding="utf-8")
    assert _digest() == before
