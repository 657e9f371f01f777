"""``fastmlp train``: a network from the user's own file, saved with the names of its columns and classes."""

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp.cli import ending, options, output, recipes, streams
from fastmlp.cli.recipes import PlainOption

if TYPE_CHECKING:
    from fastmlp import MLP, History
    from fastmlp.cli.data import Table
    from fastmlp.cli.standardize import Standardizer

EXAMPLES = """examples:
  fastmlp train houses.csv --target price --report houses.html
  fastmlp train iris.csv --target species
  fastmlp train iris.csv --target species --hidden 32,16 --batch-norm before_relu --affine --out iris.safetensors
  fastmlp train images.npy labels.npy --input-scale 0.01 --history history.csv
  fastmlp train 'folder/*.parquet' --target y --rows-in-memory 200000 --summary folder.json
  fastmlp train mnist --hidden 128 --batch-size 64 --epochs 5 --learning-rate 0.1"""

ENDED = {
    "epochs": "after the last epoch",
    "early stopping": "as it got no better on the held-out rows",
    "interrupted": "by Ctrl-C",
    "cost not finite": "as the cost was no longer finite",
}
ADVICE = "; try a smaller --learning-rate"  # where the cost was not finite


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on your own file and save it",
        description="Train a network on your own file and save it: for a table whose columns have names by the recipe "
        "tabular, which finds out by itself what the columns and the target are; for all else a plain classifier. "
        "Everything is checked before the training starts; Ctrl-C ends it early and saves the network as it is by "
        "then.",
        epilog=EXAMPLES,
    )
    options.add_data(parser)
    recipes.add_options(parser)
    streams.add_options(parser)
    options.add_network(parser)
    options.add_training(parser)
    results = parser.add_argument_group("results")
    results.add_argument("--out", type=Path, default=Path("model.safetensors"), metavar="FILE",
                         help="the model (default: model.safetensors)")  # fmt: skip
    results.add_argument("--history", type=Path, metavar="FILE", help="also write one record per epoch, .csv or .jsonl")
    results.add_argument("--checkpoint", action=PlainOption, type=Path, metavar="FILE",
                         help="keep the training in FILE at the ends of epochs; the same command goes on from there, "
                         "to the same bits")  # fmt: skip
    results.add_argument("--checkpoint-epochs", action=PlainOption, type=int, default=1, metavar="N",
                         help="epochs from one writing of that file to the next (default: 1)")  # fmt: skip
    results.add_argument("--checkpoint-seconds", action=PlainOption, type=float, metavar="SECONDS",
                         help="that lie between two writings at least")  # fmt: skip
    results.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    results.add_argument("--quiet", action="store_true", help="print nothing but errors, and no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, train by the recipe, save and report."""
    outputs = {"--out": args.out, "--history": args.history, "--checkpoint": args.checkpoint, "--report": args.report}
    options.check_outputs(args.data, outputs)
    options.check_ending("--history", args.history, (".csv", ".jsonl"))
    if recipes.chosen(args) == recipes.TABULAR:
        from fastmlp.cli.tabular import training

        return training.run(args)
    return run_plain(args)


def run_plain(args: argparse.Namespace) -> int:
    """Train the plain network."""
    if args.epochs is None:
        args.epochs = 100

    from fastmlp import losses, train
    from fastmlp.cli import data

    options.check_counts(args)
    optimizer, stop = options.optimizer(args), options.stop_rule(args)
    loss = losses.CrossEntropy(args.label_smoothing)
    if streams.wanted(args.data, args.rows_in_memory):
        table = data.from_stream(args.data[0], streams.opened(args))
        table.X.room.block(args.batch_size)  # raises where there is too little room, before anything is said
    else:
        table = data.read(args.data, args.target, args.ignore)
    net, scaled = build(args, table)
    if not (args.quiet or args.json):
        output.say(describe(table, net, scaled is not None))
    X = table.X if scaled is None else scaled.apply(table.X)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the cost became NaN")  # `finish` says it
        history = train(
            net, X, table.y,
            validation=args.validation or None, optimizer=optimizer, batch_size=args.batch_size, epochs=args.epochs,
            loss=loss, class_weight=args.class_weight, stop=stop, seed=args.seed, threads=args.threads,
            matmul_precision=args.matmul_precision, checkpoint=args.checkpoint,
            checkpoint_epochs=args.checkpoint_epochs, checkpoint_seconds=args.checkpoint_seconds,
            progress=False if args.quiet else None,
        )  # fmt: skip
    if scaled is not None:
        scaled.fold_into(net)
    return finish(args, table, net, history)


def build(args: argparse.Namespace, table: "Table") -> "tuple[MLP, Standardizer | None]":
    """Return the network, and the standardisation of its inputs unless they are scaled by a number."""
    import numpy as np

    from fastmlp import MLP

    scale = args.input_scale
    if scale is None and table.X.dtype == np.uint8 and not args.standardize:
        scale = 1 / 255
    net = MLP(
        [table.X.shape[1], *args.hidden, len(table.class_names)],
        activation=args.activation, dropout=args.dropout,
        batch_norm=options.batch_norm(args), init=options.initialiser(args), dtype=args.dtype, seed=args.seed,
        input_scale=1.0 if scale is None else scale,
    )  # fmt: skip
    net.class_names, net.feature_names = table.class_names, table.feature_names
    return net, standardizer(args, table, net) if scale is None else None


def standardizer(args: argparse.Namespace, table: "Table", net: "MLP") -> "Standardizer":
    """Return means and spreads of the rows that `fastmlp.train` will train on, drawn by the same permutation."""
    import numpy as np

    from fastmlp.cli.standardize import Standardizer, StreamStandardizer
    from fastmlp.inputs import checks, samples

    if table.y is None:
        return StreamStandardizer(table.X, net.dtype)
    X = np.asarray(samples.features("X", table.X, net.n_inputs, net.dtype))
    if args.validation:
        held_out = checks.held_out(args.validation, len(X))
        X = X[np.random.default_rng(args.seed).permutation(len(X))[held_out:]]
    return Standardizer(X, table.feature_names, net.dtype)


def describe(table: "Table", net: "MLP", standardized: bool) -> str:
    """Return what is about to be trained."""
    names = table.class_names
    shown = ", ".join(names if len(names) <= 12 else [*names[:11], "…"])
    inputs = "standardised" if standardized else f"multiplied by {net.input_scale:.4g}"
    return (
        f"{table.source}: {len(table.X)} rows, {table.X.shape[1]} columns, {len(names)} classes ({shown})\n"
        f"network {'-'.join(map(str, net.widths))}, {net.n_parameters} parameters, inputs {inputs}"
    )


def finish(args: argparse.Namespace, table: "Table", net: "MLP", history: "History") -> int:
    """Save and report what was trained."""
    interrupted = history.stopped_because == "interrupted"
    if ending.is_without_epochs(history, interrupted=interrupted, advice=ADVICE):
        return 130
    net.save(args.out)
    ending.write_history(history, args.history)
    ending.say(args, summary(args, table, net, history), text, ADVICE)
    if interrupted:
        output.complain(f"fastmlp: interrupted in epoch {history.epochs + 1}: the network so far is in {args.out}")
        return 130
    return 0


def summary(args: argparse.Namespace, table: "Table", net: "MLP", history: "History") -> dict[str, Any]:
    """Return the result as plain values; the figures are those of the epoch whose network was kept."""
    return {
        "data": table.source,
        "rows": len(table.X),
        "classes": table.class_names,
        "widths": list(net.widths),
        "epochs": history.epochs,
        "steps": history.steps,
        "seconds": history.seconds,
        **ending.figures_of(history),
        "model": args.out,
        "history": args.history,
    }


def text(found: dict[str, Any]) -> str:
    """Return the result for reading."""
    measured = "no rows held out"
    if found["val_accuracy"] is not None:
        measured = f"validation accuracy {found['val_accuracy']:.4f}, validation cost {found['val_cost']:.4g}"
    epochs = f"{found['epochs']} epoch" + ("s" if found["epochs"] > 1 else "")
    trained = f"trained {epochs}, {found['steps']} steps in {found['seconds']:.2f} s"
    lines = [
        f"{trained}; ended {ENDED[found['stopped_because']]}",
        f"epoch {found['kept_epoch']}: training cost {found['cost']:.4g}, {measured}",
        f"saved {found['model']}" + (f" and {found['history']}" if found["history"] else ""),
    ]
    return "\n".join(lines)
