"""``fastmlp compile``: it compiles in parallel processes and counts the compiled functions."""

import json

from fastmlp import ahead
from fastmlp.compilation import cache


def test_what_is_there_is_not_compiled_again(run, monkeypatch):
    monkeypatch.setattr(ahead, "usual_jobs", lambda: [("conversion", ("uint8", "float32"))])
    first = json.loads(run("compile", "--json").out)
    again = json.loads(run("compile", "--json").out)
    assert first["compiled"] in (0, 1)  # another test may have compiled the function before
    assert again["compiled"] == 0
    assert again["folder"] == str(cache.FOLDER)
    assert again["megabytes"] > 0
    outcome = run("compile")
    assert (outcome.code, outcome.out.startswith("compiled 0 functions in ")) == (0, True)
    assert run("compile", "--quiet").out == ""


def test_a_job_that_fails_is_no_silence(run, monkeypatch):
    monkeypatch.setattr(ahead, "usual_jobs", lambda: [("conversion", ("no dtype", "float32"))])
    outcome = run("compile", "--quiet")
    assert outcome.code == 2
    assert "no dtype" in outcome.err


def test_without_a_folder_there_is_nothing_to_fill(run, monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    outcome = run("compile")
    assert outcome.code == 2
    assert "NUMBA_CACHE_DIR" in outcome.err
