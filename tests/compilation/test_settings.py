"""Numba's settings with and without Numba."""

import sys

import pytest

from fastmlp.compilation import settings
from fastmlp.compilation.settings import setting


@pytest.fixture
def without_numba(monkeypatch):
    """Let the module find that Numba has not been imported."""
    monkeypatch.setattr(settings, "sys", type("Sys", (), {"modules": {}}))


def test_from_the_environment(monkeypatch, without_numba):
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    assert setting("CPU_NAME") is None
    assert setting("ENABLE_AVX", 1) == 1
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert setting("CPU_NAME") == "generic"
    assert setting("CPU_FEATURES") == ""
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+sse2")
    assert setting("CPU_FEATURES") == "+sse2"


def test_from_numba_once_it_is_imported(monkeypatch):
    from numba.core import config

    assert "numba" in sys.modules
    monkeypatch.setattr(config, "CPU_NAME", "skylake")
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert setting("CPU_NAME") == "skylake"


def test_from_numba_where_its_file_lies(monkeypatch, without_numba, tmp_path):
    from numba.core import config

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".numba_config.yaml").write_text("cpu_name: skylake\n")
    monkeypatch.setattr(config, "CPU_NAME", "skylake")
    assert setting("CPU_NAME") == "skylake"


@pytest.mark.parametrize("name", ["CPU_NAME", "CPU_FEATURES", "CACHE_DIR"])
def test_as_numba_has_them(name, without_numba):
    from numba.core import config

    assert (setting(name) or None) == (getattr(config, name) or None)
