"""``fastmlp predict``: a saved model predicts the classes or numbers of the rows of a file."""

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp.cli import options, output, streams

if TYPE_CHECKING:
    import numpy as np

    from fastmlp import MLP

EXAMPLES = """examples:
  fastmlp predict model.safetensors new-houses.csv --out priced.csv
  fastmlp predict model.safetensors iris.csv --target species
  fastmlp predict model.safetensors iris.csv --proba --out predicted.csv
  fastmlp predict model.safetensors images.npy --json
  fastmlp predict model.safetensors 'folder/*.parquet' --out predicted.parquet
  fastmlp predict model.safetensors mnist --out digits.csv"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "predict",
        help="predict the classes or numbers of the rows of a file with a saved model",
        description="Predict the class or the number of every row with a model that fastmlp train saved, and print one "
        "on each line. The columns of a table are found by the names that the model was trained with, in any order; "
        "other columns are ignored. With --out a model of tables writes the whole table with the columns predicted "
        "and, with --proba, probability_CLASS behind its own; a network writes these columns alone.",
        epilog=EXAMPLES,
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that fastmlp train or MLP.save wrote")
    parser.add_argument("data", nargs="+", metavar="DATA", help=options.DATA_HELP + "; a labels file is optional")
    parser.add_argument(
        "--target",
        metavar="COLUMN",
        help="the column with the true classes or numbers (or the key of an .npz file): prints how good the "
        "predictions are too",
    )
    parser.add_argument("--proba", action="store_true",
                        help="print a table with the probability of every class, to 6 digits")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a .csv table instead of printing it; "
                        "a .parquet table with a model of tables or for data larger than memory")  # fmt: skip
    streams.add_options(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="(default: every core that this process may use)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors; needs --out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict, and print or write the predictions."""
    options.check_outputs([*args.data, str(args.model)], {"--out": args.out})
    if args.quiet and args.out is None and not args.json:
        raise ValueError("--quiet: expected with --out FILE, as it prints no predictions")

    from fastmlp import load
    from fastmlp.cli import contents, data

    if contents.is_tabular(args.model):
        from fastmlp.cli.tabular import prediction

        return prediction.run(args, contents.tabular_model(args.model))
    net = load(args.model)
    if net.output != "softmax":
        raise ValueError(f"{args.model}: expected a network with softmax outputs, got output={net.output!r}")
    if streams.wanted(args.data, args.rows_in_memory):
        return run_on_stream(args, net)
    X, y = data.read_for(net, args.data, args.target)
    probabilities = net.predict_proba(X, threads=args.threads)
    predicted = probabilities.argmax(axis=1)
    names = net.class_names or [str(label) for label in range(net.n_classes)]
    found: dict[str, Any] = {"model": args.model, "data": " ".join(args.data), "rows": len(predicted)}
    if y is not None:
        found |= {"accuracy": float((predicted == y).mean()), "correct": int((predicted == y).sum())}
    if args.out is not None:
        write(args.out, predicted, probabilities if args.proba else None, names)
        found["out"] = args.out
    elif args.json:
        found["classes"] = names
        found["predicted"] = [names[label] for label in predicted]
        if args.proba:
            found["probabilities"] = probabilities
    elif args.proba:
        output.say(table(predicted, probabilities, names).rstrip("\n"))
    else:
        output.say("\n".join(names[label] for label in predicted))
    if args.json:
        output.say_json(found)
    elif not args.quiet:
        report(found)
    return 0


def run_on_stream(args: argparse.Namespace, net: "MLP") -> int:
    """Predict the rows of a stream into a Parquet file; with ``--target`` the same pass counts the right ones."""
    if args.out is None or args.out.suffix != ".parquet":
        raise ValueError(f"--out: expected a name that ends in .parquet for data larger than memory, got {args.out}")

    from fastmlp.streaming.prediction import Score

    stream = streams.opened(args, features=net.feature_names)
    score = None if args.target is None else Score()
    found: dict[str, Any] = {"model": args.model, "data": args.data[0]}
    found["rows"] = net.streamed_predictions(stream, args.out, score, args.proba, "float32", args.threads)
    found["out"] = args.out
    if score is not None:
        found |= {"accuracy": score.correct / score.rows, "correct": score.correct}
    if args.json:
        output.say_json(found)
    elif not args.quiet:
        report(found)
    return 0


def write(path: Path, predicted: "np.ndarray", probabilities: "np.ndarray | None", names: list[str]) -> None:
    """Write the table to a file, whole or not at all."""
    from fastmlp.system.files import replaced_whole

    with replaced_whole(path) as temporary:
        temporary.write_text(table(predicted, probabilities, names), encoding="utf-8")


def table(predicted: "np.ndarray", probabilities: "np.ndarray | None", names: list[str]) -> str:
    """Return rows of CSV under the header ``predicted`` and, with probabilities, the names of the classes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["predicted"] + ([] if probabilities is None else names))
    for row, label in enumerate(predicted):
        shown = [] if probabilities is None else [f"{value:.6g}" for value in probabilities[row]]
        writer.writerow([names[label], *shown])
    return text.getvalue()


def report(found: dict[str, Any]) -> None:
    """Print where the predictions are and how many are right."""
    if "out" in found:
        output.say(f"wrote {found['rows']} predictions to {found['out']}")
    if "accuracy" in found:
        output.say(f"accuracy {found['accuracy']:.4f} ({found['correct']} of {found['rows']} rows)")
