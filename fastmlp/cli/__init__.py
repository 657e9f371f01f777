"""The command ``fastmlp``. Each subcommand is a file, which parses the options, calls the library and prints."""

import _thread
import argparse
import contextlib
import importlib
import itertools
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import NoReturn

from fastmlp.cli import output
from fastmlp.system.version import VERSION

SUBCOMMANDS = ("experiments", "sweep", "train", "predict", "compile", "info")

BAD_INPUT = (ValueError, TypeError, OSError, ImportError)


class HelpFormatter(argparse.HelpFormatter):
    """A formatter that fills paragraphs to the width of the terminal. It does not change indented lines (examples)."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = itertools.groupby(text.splitlines(), key=lambda line: line == "" or line.startswith(" "))
        fill = super()._fill_text
        return "\n".join(
            "\n".join(lines) if as_it_is else fill(" ".join(lines), width, indent) for as_it_is, lines in blocks
        )


class Parser(argparse.ArgumentParser):
    """A parser that refuses abbreviated options, keeps the layout of examples, and prints an error as one line."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", HelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Print the error as one line and end the process with status 2."""
        output.complain(f"{self.prog}: error: {message} (see {self.prog} --help)")
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        0 on success, 2 on bad usage or bad input (with one line on standard error), 130 on Ctrl-C. Other exceptions are
        defects of fastmlp and show their traceback. ``FASTMLP_DEBUG=1`` in the environment shows every traceback.
    """
    with warnings.catch_warnings(), interrupts_kept():
        warnings.showwarning = output.show_warning
        try:
            args = build_parser().parse_args(argv)
            return int(args.run(args))
        except SystemExit as request:
            return request.code if isinstance(request.code, int) else 0
        except KeyboardInterrupt:
            output.complain("fastmlp: interrupted")
            return 130
        except BAD_INPUT as error:
            if os.environ.get("FASTMLP_DEBUG"):
                raise
            output.complain(f"fastmlp: error: {describe(error)}")
            return 2
        finally:
            output.finish()


@contextlib.contextmanager
def interrupts_kept() -> Iterator[None]:
    """Send a Ctrl-C again that Python dropped because it arrived inside a finalizer.

    Python prints an exception of a finalizer and drops it. LLVM's objects have many finalizers, so this happens to some
    of the interrupts during a compilation.
    """
    before = sys.unraisablehook

    def again(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            threading.Timer(0.02, _thread.interrupt_main).start()  # after this finalizer has ended
        else:
            before(unraisable)

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before


def describe(error: Exception) -> str:
    """Return the text of an error, or its type if the text is empty. An error of a file begins with the file's name."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


def build_parser() -> Parser:
    """Return the parser with all subcommands. It imports no large library, so that ``--help`` is fast."""
    parser = Parser(
        prog="fastmlp",
        description="Train multilayer perceptrons on the cores of this computer, with kernels compiled by Numba.",
        epilog="example:\n  fastmlp experiments --seeds 1\n\nFASTMLP_DEBUG=1 in the environment shows tracebacks.",
    )
    parser.add_argument("--version", action="version", version=f"fastmlp {VERSION}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    for name in SUBCOMMANDS:
        importlib.import_module(f"fastmlp.cli.{name}").add_parser(subparsers)
    return parser
