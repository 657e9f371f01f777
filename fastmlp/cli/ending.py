"""How ``fastmlp train`` ends, whatever the recipe: what is written beside the model, and what is said."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp.cli import output

if TYPE_CHECKING:
    from fastmlp import History


def is_without_epochs(history: "History", *, interrupted: bool, advice: str = "") -> bool:
    """Whether Ctrl-C came before there was an epoch to save, which is said; raise where its cost was not finite."""
    if history.epochs > 0:
        return False
    if not interrupted:
        raise ValueError(f"the cost became NaN or infinite in epoch 1: nothing saved{advice}")
    output.complain("fastmlp: interrupted before the first epoch was over: nothing saved")
    return True


def write_history(history: "History", path: Path | None) -> None:
    """Write the records where a path is given: as CSV or as JSON lines, as its ending says."""
    if path is not None:
        write = history.to_csv if path.suffix == ".csv" else history.to_jsonl
        write(path)


def figures_of(history: "History") -> dict[str, Any]:
    """Return why the training ended, and the figures of the epoch whose network was kept."""
    kept = history.records[(history.best_epoch or history.epochs) - 1]
    return {
        "stopped_because": history.stopped_because,
        "kept_epoch": kept["epoch"],
        "cost": kept["cost"],
        "val_cost": kept["val_cost"],
        "val_accuracy": kept["val_accuracy"],
    }


def say(
    args: argparse.Namespace, found: dict[str, Any], text: Callable[[dict[str, Any]], str], advice: str = ""
) -> None:
    """Print what was found, as the options ask for it; warn where the cost was not finite at the end."""
    if args.json:
        output.say_json(found)
    elif not args.quiet:
        output.say(text(found))
    if found["stopped_because"] == "cost not finite":
        output.complain(
            f"fastmlp: warning: the cost became NaN or infinite in epoch {found['epochs'] + 1}: saved the network of "
            f"epoch {found['kept_epoch']}{advice}"
        )
