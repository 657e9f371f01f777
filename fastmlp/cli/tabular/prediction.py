"""``fastmlp predict`` with a model of tables: what it predicts for the rows of a table, beside the table's columns."""

import argparse
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from fastmlp.cli import data, options, output
from fastmlp.cli.recipes import PlainOption, first_given
from fastmlp.cli.tabular.task import classes_of
from fastmlp.datasets import raw
from fastmlp.reports.scores import measured
from fastmlp.streaming.columns import CATEGORY, NUMBER
from fastmlp.system.files import replaced_whole
from fastmlp.tables import frames
from fastmlp.tables.column import WORDS

PREDICTED, PROBABILITY = "predicted", "probability"  # names of new columns; the latter goes on with _CLASS


def run(args: argparse.Namespace, model: Any) -> int:
    """Predict, and print the predictions or write the table with them."""
    check(args, model)
    source = Path(args.data[0])
    frame = raw.read_frame(source, [column.name for column in model.encoder_.columns if column.kind == CATEGORY])
    features = [column.name for column in model.encoder_.columns]
    data.refuse_missing(features, [*frame.columns], str(source))
    y = None if args.target is None else truth(frame, args.target, model, str(source))
    names = new_names(args, model)
    refuse_taken(args, names, [*frame.columns])
    new = predictions(model.set_params(threads=args.threads), frame[features], names)
    found: dict[str, Any] = {"model": args.model, "data": args.data[0], "rows": len(frame)}
    if y is not None:
        found |= scored(model, frame[features], y, new[PREDICTED])
    if args.out is not None:
        write(args.out, source, frame, new)
        found["out"] = args.out
    elif args.json:
        found |= as_json(model, new)
    else:
        output.say(lines(new))
    if args.json:
        output.say_json(found)
    elif not args.quiet:
        report(found)
    return 0


def check(args: argparse.Namespace, model: Any) -> None:
    """Raise unless the options fit a model of tables."""
    options.check_ending("--out", args.out, (".csv", ".parquet"))
    plain = first_given(args, PlainOption)
    if plain:
        raise ValueError(f"{plain}: expected with a plain network only, {args.model} is a model of tables")
    if len(args.data) > 1:
        raise ValueError(f"DATA: expected one table, got {len(args.data)} files")
    if args.proba and not is_classifier(model):
        raise ValueError(f"--proba: expected with a model of classes only, {args.model} predicts numbers")


def new_names(args: argparse.Namespace, model: Any) -> list[str]:
    """Return the names of the new columns."""
    return [PREDICTED, *(f"{PROBABILITY}_{name}" for name in model.classes_.tolist())] if args.proba else [PREDICTED]


def refuse_taken(args: argparse.Namespace, names: list[str], taken: list[str]) -> None:
    """Raise if the table that is to be written has a column of a new name."""
    doubled = [name for name in names if name in taken]
    if args.out is not None and doubled:
        raise ValueError(f"--out: {args.data[0]} has a column {doubled[0]!r} already; expected it to be free")


def truth(frame: Any, target: str, model: Any, source: str) -> np.ndarray:
    """Return the true target of the rows."""
    data.refuse_unknown("--target", [target], [*frame.columns], source)
    column = frames.read(frame[[target]]).columns[0]
    if column.missing.any():
        raise ValueError(f"--target: column {target!r} has no value in row {np.flatnonzero(column.missing)[0]}")
    if not is_classifier(model):
        if column.kind != NUMBER:
            raise ValueError(f"--target: expected numbers in column {target!r}, got {WORDS[column.kind]}")
        return column.values
    y, known = classes_of(column).astype(str), model.classes_.astype(str)
    unknown = y[~np.isin(y, known)]
    if len(unknown):
        raise ValueError(
            f"DATA: {source} has the class {str(unknown[0])!r}, the model knows {data.listed(known.tolist())}"
        )
    found: np.ndarray = model.classes_[np.argmax(y[:, None] == known, axis=1)]
    return found


def predictions(model: Any, X: Any, names: list[str]) -> dict[str, np.ndarray]:
    """Return the new columns."""
    if len(names) == 1:
        return {PREDICTED: model.predict(X)}
    probabilities = model.predict_proba(X)
    return {
        PREDICTED: model.classes_[probabilities.argmax(axis=1)],
        **dict(zip(names[1:], probabilities.T, strict=True)),
    }


def scored(model: Any, X: Any, y: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return how good the predictions are."""
    found: dict[str, Any] = dict(measured(model, X, y, predicted))
    return found | ({"correct": int((y == predicted).sum())} if is_classifier(model) else {})


def write(path: Path, source: Path, frame: Any, new: Mapping[str, np.ndarray]) -> None:
    """Write the table with the new columns, whole or not at all; the cells of a CSV file stay as they are there."""
    both = path.suffix.lower() == ".csv" and raw.is_csv(source)
    table = raw.text_frame(source) if both else frame
    with replaced_whole(path) as temporary:
        if path.suffix.lower() == ".parquet":
            table.assign(**new).to_parquet(temporary)
        else:
            shown = {name: [as_text(value) for value in values.tolist()] for name, values in new.items()}
            table.assign(**shown).to_csv(temporary, index=False, lineterminator="\n")


def as_json(model: Any, new: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the predictions as ``fastmlp predict --json`` shows them."""
    found: dict[str, Any] = {"predicted": new[PREDICTED]}
    if is_classifier(model):
        found["classes"] = model.classes_
    if len(new) > 1:
        found["probabilities"] = np.column_stack(list(new.values())[1:])
    return found


def lines(new: Mapping[str, np.ndarray]) -> str:
    """Return one prediction on each line; with probabilities a table."""
    rows = zip(*([as_text(value) for value in values.tolist()] for values in new.values()), strict=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if len(new) == 1:
        return "\n".join(value for (value,) in rows)
    writer.writerow([name.removeprefix(f"{PROBABILITY}_") for name in new])
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def as_text(value: Any) -> str:
    """Return a class or a number, the latter to the digits that a float32 has."""
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def report(found: Mapping[str, Any]) -> None:
    """Print where the predictions are and how good they are."""
    if "out" in found:
        output.say(f"wrote {found['rows']} predictions to {found['out']}")
    if "accuracy" in found:
        output.say(f"accuracy {found['accuracy']:.4f} ({found['correct']} of {found['rows']} rows)")
    elif "MAE" in found:
        output.say(", ".join(f"{name} {found[name]:.6g}" for name in ("MAE", "RMSE", "R²")))
