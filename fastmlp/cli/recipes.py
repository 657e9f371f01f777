"""The two recipes of ``fastmlp train``: the plain network, and the one for tables as people have them."""

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PLAIN, TABULAR = "plain", "tabular"
TASKS = CLASSIFICATION, REGRESSION = "classification", "regression"
SUFFIXES = (".csv", ".csv.gz", ".csv.xz", ".parquet", ".feather", ".arrow")  # of tables with names of columns


class Noted(argparse.Action):
    """An option of one recipe only; `chosen` sees whether it was given. With ``nargs=0`` it is a flag."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the value, and that the option was given."""
        setattr(namespace, self.dest, True if self.nargs == 0 else values)
        namespace.given = (*getattr(namespace, "given", ()), self)


class PlainOption(Noted):
    """An option of the plain network."""


class TabularOption(Noted):
    """An option of the recipe for tables."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the recipe, and the options of the one for tables."""
    group = parser.add_argument_group(
        "recipe",
        "A table in one file (.csv, .parquet, .feather) is trained on by the recipe tabular: text, dates, gaps, "
        "classes or numbers, no tuning. All other data, and every option of the plain network, mean the recipe plain.",
    )
    group.add_argument("--recipe", choices=(TABULAR, PLAIN), help="(default: as the data and the options ask for)")
    add = functools.partial(group.add_argument, action=TabularOption)
    add("--task", choices=TASKS, help="what the target holds (default: numbers of many values mean regression; text, "
        "booleans and few whole numbers mean classification)")  # fmt: skip
    add("--test", type=float, default=0.2, metavar="FRACTION", help="rows that nothing but the report at the end sees; "
        "0 for no report (default: 0.2)")  # fmt: skip
    add("--networks", type=int, default=1, metavar="N", help="train so many and average them (default: 1)")
    add("--columns", nargs=0, default=False, help="print what was made of every column, not of the first 12 only")
    add("--report", type=Path, metavar="FILE", help="also write a page with curves, scores and the importance of the "
        "columns, .html")  # fmt: skip


def is_table(paths: Sequence[str]) -> bool:
    """Whether the data are one file, by its name a table whose columns have names."""
    from fastmlp.streaming.sources import is_glob

    return (
        len(paths) == 1
        and paths[0].lower().endswith(SUFFIXES)
        and not Path(paths[0]).is_dir()
        and not is_glob(paths[0])
    )


def chosen(args: argparse.Namespace) -> str:
    """Return the recipe: that of the option, else the one that the data and the other options ask for.

    Raises
    ------
    ValueError
        An option does not fit it.
    """
    plain, tabular = (first_given(args, kind) for kind in (PlainOption, TabularOption))
    source, table = " ".join(args.data), is_table(args.data)
    if args.recipe == PLAIN or (args.recipe is None and (plain or not table)):
        if tabular:
            why = f"{source}, which is no table in one file" if not table else plain or "--recipe plain"
            raise ValueError(f"{tabular}: expected with the recipe for tables only, got {why}")
        return PLAIN
    if plain:
        raise ValueError(f"{plain}: expected with the plain network only, got --recipe tabular")
    if not table:
        raise ValueError(f"--recipe: tabular expects one table ({', '.join(SUFFIXES)}), got {source}")
    return TABULAR


def first_given(args: argparse.Namespace, kind: type[Noted]) -> str:
    """Return the first option of a recipe that the user gave; empty without one."""
    given = (action.option_strings[-1] for action in getattr(args, "given", ()) if isinstance(action, kind))
    return next(given, "")
