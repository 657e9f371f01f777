import pytest

from fastmlp.experiments.results_file import ResultsFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cells.jsonl"


def test_what_was_appended_is_read_again(path):
    file = ResultsFile(path)
    assert file.results == {}
    file.append("a", {"seed": 1}, {"test_accuracy": 0.1})
    file.append("b", {"seed": 2}, {"test_accuracy": 0.2, "final_cost": None})
    assert file.results == ResultsFile(path).results
    assert file.results["b"] == {"test_accuracy": 0.2, "final_cost": None}


def test_a_kill_at_any_byte_of_the_last_line_loses_that_line_alone(path):
    file = ResultsFile(path)
    file.append("a", {}, {"test_accuracy": 0.1})
    whole = path.stat().st_size
    file.append("b", {"λ": 1}, {"test_accuracy": 0.2})
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        resumed = ResultsFile(path)
        assert set(resumed.results) == {"a"}
        resumed.append("c", {}, {"test_accuracy": 0.3})
        assert set(ResultsFile(path).results) == {"a", "c"}


def test_a_first_line_that_was_torn(path):
    path.write_bytes(b'{"key": "a", "fig')
    file = ResultsFile(path)
    assert file.results == {}
    file.append("b", {}, {"x": 1})
    assert set(ResultsFile(path).results) == {"b"}


@pytest.mark.parametrize("line", [b"1,2,3\n", b'{"other": 1}\n', b"[]\n", b"\xff\xfe\n"])
def test_another_file_of_that_name_is_refused_and_kept(path, line):
    path.write_bytes(line)
    with pytest.raises(ValueError, match="line 1 is no result of a sweep"):
        ResultsFile(path)
    assert path.read_bytes() == line
