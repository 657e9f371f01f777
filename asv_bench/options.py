"""Common parts of the commands that compare libraries: types of options, and the notes on the machine."""

import argparse
import os
import platform

from benchmarks._machine import barrier_nanoseconds, fma_peak

from fastmlp.cli.machine import processor


def network(text: str) -> str:
    """Return `text`, which must be the widths of a network."""
    if len([positive(width) for width in text.split("-")]) < 2:
        raise argparse.ArgumentTypeError(f"expected widths such as 784-128-10, got {text!r}")
    return text


def positive(text: str) -> int:
    """Return an integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return int(text)


def machine(threads: int) -> list[str]:
    """Return notes on the machine: CPU, FMA peak and barrier."""
    lines = [
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}",
        f"FMA peak of one core, measured: {fma_peak(1, repeats=7):.0f} GFLOP/s",
    ]
    if threads > 1:
        lines.append(f"barrier between two threads: {barrier_nanoseconds(2, rounds=100_000, repeats=5):.0f} ns")
    return lines


def counted(number: int, what: str) -> str:
    """Return the number and the noun, with an s if the number is above 1."""
    return f"{number} {what}{'s' * (number > 1)}"
