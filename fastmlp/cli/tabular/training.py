"""``fastmlp train`` by the recipe for tables: trains, saves, and reports what the model is worth."""

import argparse
import time
from typing import Any

from fastmlp.cli import ending, options, output
from fastmlp.cli.recipes import CLASSIFICATION
from fastmlp.cli.tabular import columns, text
from fastmlp.history import History
from fastmlp.inputs import checks
from fastmlp.system import extras, warning
from fastmlp.system.version import VERSION

INTERRUPTED = "Training interrupted"
SAID = ("column ", "columns ", INTERRUPTED, "the cost became")  # warnings of a fit that this module gives itself


def run(args: argparse.Namespace) -> int:
    """Check everything, train, save and report."""
    check(args)

    from fastmlp.cli.tabular import reading
    from fastmlp.tables import frames
    from fastmlp.tables.encoder import Encoder

    pandas, data = extras.require("pandas", extra="tables"), reading.read(args)
    model = estimator(args, data.target.task)
    table = frames.read(data.X)  # raises where a value is none to learn from, with its row in the file
    made = columns.described(Encoder.learned(table.take(data.trained)))  # warns of what is odd in a column
    found: dict[str, Any] = {
        "data": data.source, "recipe": "tabular", "target": data.target.name, "task": data.target.task,
        "different": data.target.different, "rows": len(data.X), "rows_tested": len(data.tested), "columns": made,
    }  # fmt: skip
    if not (args.quiet or args.json):
        output.say(text.before(found, every=args.columns))
    started = time.perf_counter()
    with warning.collected() as said:
        model.fit(data.training[0], pandas.Series(data.training[1], name=data.target.name))
    found["seconds"] = time.perf_counter() - started
    messages = [message for message, _ in said]
    for message in messages:
        if not message.startswith(SAID):
            warning.warn(message)
    return finish(args, data, model, found, interrupted=any(INTERRUPTED in message for message in messages))


def check(args: argparse.Namespace) -> None:
    """Raise unless the options are in their ranges, and the libraries are there."""
    options.check_ending("--report", args.report, (".html", ".htm"))
    if args.epochs is not None:
        checks.count("--epochs", args.epochs)
    checks.count("--networks", args.networks)
    checks.threads(args.threads)
    checks.generator("--seed", args.seed)
    for option in ("validation", "test"):
        fraction = getattr(args, option)
        if not 0 <= fraction < 1:
            raise ValueError(f"--{option}: expected a fraction from 0 up to, not including, 1, got {fraction}")
    try:
        extras.require("sklearn", extra="sklearn")
    except ImportError as error:
        raise ImportError(f"{error}; or --recipe plain, which needs it not") from error
    if args.report is not None:
        for library in ("matplotlib", "jinja2"):
            extras.require(library, extra="experiments")


def estimator(args: argparse.Namespace, task: str) -> Any:
    """Return the estimator that the options describe."""
    from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor

    settings: dict[str, Any] = {
        "n_ens": args.networks, "validation_fraction": args.validation, "random_state": args.seed,
        "threads": args.threads, "progress": False if args.quiet else None,
    }  # fmt: skip
    if args.epochs is not None:
        settings["max_epochs"] = args.epochs
    if task == CLASSIFICATION:
        return TabularMLPClassifier(class_weight=args.class_weight, **settings)
    if args.class_weight is not None:
        raise ValueError(f"--class-weight: expected with classes only, got the task {task}")
    return TabularMLPRegressor(**settings)


def finish(args: argparse.Namespace, data: Any, model: Any, found: dict[str, Any], *, interrupted: bool) -> int:
    """Save the model, then find out what it is worth and say it."""
    from fastmlp.reports.scores import compare

    history = model.histories_[0]
    if ending.is_without_epochs(history, interrupted=interrupted):
        return 130
    model.save(args.out)
    ending.write_history(history, args.history)
    scores = compare(model, data.training, data.test) if len(data.tested) else None
    found |= trained(model, history) | {"model": args.out, "history": args.history, "report": args.report}
    if scores is not None:
        found |= {"scores": scores.models, "per_class": scores.classes}
    if args.report is not None:
        found["importances"] = write_page(args, data, model, scores, found)
    ending.say(args, found, text.after)
    if interrupted:
        output.complain(f"fastmlp: interrupted: the best parameters so far are in {args.out}")
        return 130
    return 0


def trained(model: Any, history: History) -> dict[str, Any]:
    """Return how the training went; of several networks the first."""
    return {
        "fastmlp": VERSION,
        "networks": len(model.networks_),
        "widths": list(model.networks_[0].widths),
        "classes": model.classes_.tolist() if hasattr(model, "classes_") else None,
        "epochs": history.epochs,
        "steps": history.steps,
        **ending.figures_of(history),
    }


def write_page(args: argparse.Namespace, data: Any, model: Any, scores: Any, found: dict[str, Any]) -> Any:
    """Write the page, whole or not at all; return the importance of the columns."""
    from fastmlp.reports import page
    from fastmlp.reports.importance import importances
    from fastmlp.system.files import replaced_whole

    matter = importances(model, *data.test, seed=args.seed) if scores is not None else []
    html = page.render(found, model, scores, data.test[1], matter)
    with replaced_whole(args.report) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return [one._asdict() for one in matter]
