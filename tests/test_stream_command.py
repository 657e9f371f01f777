"""The script that times streams: it runs, and its table has a line for each way."""

import re

import pytest
from peer_commands import load, run_command

pytest.importorskip("pyarrow")


def test_a_table(tmp_path):
    sizes = ("--rows", 3000, "--rounds", 1, "--epochs", 1, "--rows-in-memory", 2000)
    files = ("--layouts", "bytes", "--codecs", "zstd", "--kind", "none")
    done = run_command("stream.py", "--folder", tmp_path, "--networks", "12-5-3", "784-4-10", *sizes, *files)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if re.match(r"\| \d", line)]
    assert [line.split(" | ")[6] for line in lines] == 2 * ["in memory", "streamed", "from a cache"]
    assert {line.split(" | ")[3] for line in lines} == {"3,000"}


def test_accuracies(tmp_path):
    sizes = ("--digits", 6000, "--epochs", 1, "--seeds", 1, "--group-rows", 100)
    done = run_command("stream.py", "--folder", tmp_path, "--accuracy", *sizes)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if re.match(r"\| (random|sorted)", line)]
    assert len(lines) == 8
    assert all(re.search(r"\| \d+\.\d\d ± 0\.00 \|$", line) for line in lines)


def test_the_limit_of_the_address_space_holds():
    limits = load("streamed.limits")
    assert limits.usable() in ("cgroup", "as")
    assert limits.peak_megabytes() > 10


@pytest.mark.parametrize("arguments", [["--networks", "7"], ["--codecs", "none such"], ["--rows", "0"]])
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("stream").parse(arguments)
    assert arguments[0] in capsys.readouterr().err
