"""The options of ``fastmlp train`` and the library's objects that they describe."""

import argparse
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp.cli.recipes import PlainOption

if TYPE_CHECKING:
    from fastmlp import BatchNorm, EarlyStopping
    from fastmlp.optimizers import Optimizer

DATA_HELP = (
    "the data: a .csv, .parquet or .feather table, an .npz file, two files (inputs, then labels) as .npy or IDX "
    "(plain, .gz or .xz), or the word mnist for the digits that come with fastmlp: images to train on in train, test "
    "images in predict"
)
RATES = {"sgd": 0.05, "adam": 0.001, "adamw": 0.001}  # update rules and their default learning rates
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "selu", "mish", "tanh", "logistic", "identity")
INITIALISERS = ("kaiming", "kaiming_half", "xavier", "xavier_half", "lecun", "simple")


def hidden_widths(text: str) -> list[int]:
    """Return ``"64,32"`` as ``[64, 32]``; ``"none"`` as no hidden layer."""
    if text == "none":
        return []
    try:
        widths = [int(width) for width in text.split(",")]
    except ValueError:
        widths = [0]
    if min(widths) < 1:
        raise argparse.ArgumentTypeError(f"expected widths above 0 such as 64,32, or none; got {text!r}")
    return widths


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options for the data."""
    group = parser.add_argument_group("data")
    group.add_argument("data", nargs="+", metavar="DATA", help=DATA_HELP)
    group.add_argument(
        "--target",
        metavar="COLUMN",
        help="the column of a table that holds the classes or numbers to predict, or the key of an .npz file",
    )
    group.add_argument("--ignore", type=lambda text: text.split(","), default=[], metavar="COLUMNS",
        help="columns of a table to leave out, such as id,name")  # fmt: skip
    group.add_argument("--validation", type=float, default=0.2, metavar="FRACTION",
        help="rows held out to measure the network and to stop; 0 for none (default: 0.2)")  # fmt: skip
    scaling = group.add_mutually_exclusive_group()
    scaling.add_argument("--standardize", action=PlainOption, nargs=0, default=False,
                         help="train on columns with mean 0 and standard deviation 1; the saved network takes the "
                         "columns as they are (the default, unless the data are bytes)")  # fmt: skip
    scaling.add_argument("--input-scale", action=PlainOption, type=float, metavar="NUMBER",
                         help="multiply all inputs by this number instead (1 does not change them; the default for "
                         "bytes, such as pixels, is 1/255)")  # fmt: skip


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options for the network."""
    add = functools.partial(parser.add_argument_group("network of the recipe plain").add_argument, action=PlainOption)
    add("--hidden", type=hidden_widths, default=[64], metavar="WIDTHS",
        help="widths of the hidden layers, such as 64,32, or none (default: 64)")  # fmt: skip
    add("--activation", choices=ACTIVATIONS, default="relu", help="in hidden layers (default: relu)")
    add("--dropout", type=float, default=0.0, metavar="RATE",
        help="share of hidden outputs set to 0 at random in training (default: 0)")  # fmt: skip
    add("--batch-norm", choices=("none", "after_relu", "before_relu"), default="none",
        help="batch normalisation of the hidden layers (default: none)")  # fmt: skip
    add("--affine", nargs=0, default=False, help="batch normalisation with scale and shift")
    add("--init", choices=INITIALISERS, default="kaiming", help="initialiser (default: kaiming)")
    add(
        "--dtype",
        choices=("float32", "float64"),
        default="float32",
        help="dtype of weights and arithmetic (default: float32)",
    )


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options for the training."""
    group = parser.add_argument_group("training")
    group.add_argument("--class-weight", choices=("balanced",), help="weigh the rows so that all classes count alike")
    group.add_argument("--epochs", type=int, metavar="N", help="largest number (default: 100; with tabular 256)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="for split, weights and shuffling (default: 0)")
    group.add_argument("--threads", type=int, metavar="N", help="(default: every core that this process may use)")
    add = functools.partial(parser.add_argument_group("training of the recipe plain").add_argument, action=PlainOption)
    add("--optimizer", choices=tuple(RATES), default="sgd", help="update rule (default: sgd)")
    rates = ", ".join(f"{rate} for {name}" for name, rate in RATES.items())
    add("--learning-rate", type=float, metavar="RATE", help=f"(default: {rates})")
    add("--momentum", type=float, default=0.0, metavar="MU", help="momentum of sgd (default: 0)")
    add(
        "--weight-decay",
        type=float,
        default=0.0,
        metavar="LAMBDA",
        help="L2 penalty, or for adamw the decoupled decay (default: 0)",
    )
    add("--clip-norm", type=float, metavar="NORM", help="largest norm of the gradient (default: any)")
    add("--label-smoothing", type=float, default=0.0, metavar="SHARE",
        help="share of each row's target that is spread over all classes (default: 0)")  # fmt: skip
    add("--batch-size", type=int, default=32, metavar="ROWS", help="(default: 32)")
    add("--stop", choices=("accuracy", "cost", "none"),
        help="stop when the accuracy or the cost of the held-out rows no longer gets better, and keep "
        "the best network (default: cost; none when nothing is held out)")  # fmt: skip
    add("--patience", type=int, default=10, metavar="EPOCHS",
        help="epochs to wait for an improvement (default: 10)")  # fmt: skip
    add("--min-delta", type=float, default=0.001, metavar="NUMBER",
        help="smallest change that counts as an improvement (default: 0.001)")  # fmt: skip
    add(
        "--matmul-precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="precision of the operands of matrix products (default: float32)",
    )


def batch_norm(args: argparse.Namespace) -> "BatchNorm | None":
    """Return the batch norm that the options describe."""
    from fastmlp import BatchNorm

    if args.batch_norm == "none":
        if args.affine:
            raise ValueError(
                "--affine: expected together with --batch-norm after_relu or before_relu, got --batch-norm none"
            )
        return None
    return BatchNorm(placement=args.batch_norm, affine=args.affine)


def initialiser(args: argparse.Namespace) -> Any:
    """Return the initialiser that the options describe."""
    from fastmlp import init

    found = getattr(init, args.init)
    return found if args.init.endswith("_half") else found()


def check_counts(args: argparse.Namespace) -> None:
    """Raise unless batch size, epochs, threads and seed are in their ranges."""
    from fastmlp.inputs import checks

    checks.count("--batch-size", args.batch_size)
    checks.count("--epochs", args.epochs)
    checks.threads(args.threads)
    checks.generator("--seed", args.seed)


def optimizer(args: argparse.Namespace) -> "Optimizer":
    """Return the update rule that the options describe."""
    from fastmlp import SGD, Adam, AdamW

    rate = RATES[args.optimizer] if args.learning_rate is None else args.learning_rate
    if args.optimizer == "sgd":
        return SGD(rate, args.weight_decay, args.momentum, clip_norm=args.clip_norm)
    if args.momentum:
        raise ValueError(f"--momentum: expected together with --optimizer sgd, got --optimizer {args.optimizer}")
    return (Adam if args.optimizer == "adam" else AdamW)(rate, args.weight_decay, clip_norm=args.clip_norm)


def stop_rule(args: argparse.Namespace) -> "EarlyStopping | None":
    """Return the rule that ends the training early; its default metric is the cost."""
    from fastmlp import EarlyStopping

    if not 0 <= args.validation < 1:
        raise ValueError(f"--validation: expected a fraction from 0 up to, not including, 1, got {args.validation}")
    if args.validation == 0 and args.stop in ("accuracy", "cost"):
        raise ValueError(f"--stop: {args.stop} is measured on held-out rows, got --validation 0")
    if args.validation == 0 or args.stop == "none":
        return None
    return EarlyStopping(metric=args.stop or "cost", min_delta=args.min_delta, patience=args.patience)


def check_ending(option: str, path: Path | None, endings: Sequence[str]) -> None:
    """Raise unless the name of a file, if one was given, tells one of the formats."""
    if path is not None and path.suffix.lower() not in endings:
        raise ValueError(f"{option}: expected a name that ends in {' or '.join(endings)}, got {path}")


def check_outputs(inputs: list[str], outputs: dict[str, Path | None]) -> None:
    """Raise unless every output file can be written, and none is an input or another output.

    Parameters
    ----------
    inputs : list of str
        Paths of the files that the command reads.
    outputs : dict
        Option (``"--out"``) to path; None where the option was not given.
    """
    taken = {Path(path).resolve(): "an input" for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        if path.is_dir():
            raise IsADirectoryError(f"{option}: expected a file, got the folder {path}")
        if path.exists() and not path.is_file():  # renaming the new file to /dev/null would replace the device
            raise ValueError(f"{option}: expected a regular file, got {path}")
        if path.resolve() in taken:
            raise ValueError(f"{option}: {path} is {taken[path.resolve()]} too; expected another file")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{option}: the folder {path.parent} does not exist")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise type(error)(f"{option}: cannot write in the folder {path.parent} ({error.strerror})") from error
        taken[path.resolve()] = f"the file of {option}"
