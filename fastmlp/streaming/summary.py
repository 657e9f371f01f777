"""The one pass over the files of a stream: rows, classes, categories, means; kept in a JSON file if asked."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.inputs.moments import joined
from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.classes import MOST_CLASSES, labels_in
from fastmlp.streaming.columns import CATEGORY, MOST_CATEGORIES, Column, text_of, values_of
from fastmlp.streaming.files import Chunk, File, errors_named, len_of
from fastmlp.system.files import replaced_whole

FORMAT = "fastmlp-stream-1"


@dataclass
class Moments:
    """Of a column: what a pass finds of its numbers, each a list of one for each number in a row.

    Attributes
    ----------
    rows : int
        Seen so far.
    mean, spread : list of float
        Mean, and the sum of the squares of the differences from it.
    lowest, highest : list of float
        Extremes.
    """

    rows: int = 0
    mean: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    lowest: list[float] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)

    def add(self, values: np.ndarray) -> None:
        """Take a chunk of values ``(n, width)``."""
        n, mean = len(values), values.mean(axis=0, dtype=np.float64)
        spread = ((values - mean) ** 2).sum(axis=0)
        lowest, highest = values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64)
        if self.rows:
            mean, spread = joined((self.rows, n), (np.array(self.mean), mean), (np.array(self.spread), spread))
            lowest, highest = np.minimum(lowest, self.lowest), np.maximum(highest, self.highest)
        self.rows += n
        self.mean, self.spread = mean.tolist(), spread.tolist()
        self.lowest, self.highest = lowest.tolist(), highest.tolist()

    def deviation(self) -> np.ndarray:
        """Return the standard deviations, 0 of what is the same in all rows."""
        constant = np.array(self.lowest) == np.array(self.highest)  # rounding leaves 1e-17 in a column of 0.1
        return np.where(constant, 0.0, np.sqrt(np.array(self.spread) / max(1, self.rows)))


@dataclass
class Summary:
    """What a pass found.

    Attributes
    ----------
    rows : list of list of int
        Of each part of each file.
    classes : dict or None
        How often each label occurs, sorted by the labels; None where the targets are no labels.
    categories : dict
        The categories of each column of categories, sorted.
    moments : dict
        Of each other column.
    """

    rows: list[list[int]]
    classes: dict[Any, int] | None = None
    categories: dict[str, list[str]] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)


def summarise(files: Sequence[File], columns: Sequence[Column], label: Column | None, size: int) -> Summary:
    """Read all files once, `size` rows at a time.

    Parameters
    ----------
    files : sequence of File
        Of the stream.
    columns : sequence of Column
        Whose categories or means are wanted.
    label : Column or None
        Whose different values are wanted.
    size : int
        Rows that are in memory at a time.

    Raises
    ------
    StreamError
        A file cannot be read, a value is missing, or a column has too many categories or classes.
    """
    found = Summary([], moments={column.name: Moments() for column in columns if column.kind != CATEGORY})
    texts: dict[str, set[str]] = {column.name: set() for column in columns if column.kind == CATEGORY}
    labels: Counter[Any] = Counter()
    names = list(dict.fromkeys([column.name for column in (*columns, *([label] if label else []))]))
    for file in files:
        parts = len(file.rows) if file.rows is not None else 1
        counts = [0] * parts
        for part in range(parts):
            where = file.where(part)
            for chunk in file.read(part, names or list(file.columns())[:1], size):
                counts[part] += len_of(chunk)
                with errors_named(where):
                    _add(found, texts, chunk, columns, where)
                    if label is not None:
                        for name, count in zip(*labels_in(chunk[label.name], label, where), strict=True):
                            labels[name] += int(count)
                        _refuse_many(label.name, len(labels), MOST_CLASSES, "classes", where)
        found.rows.append(counts)
        file.rows = counts
    found.categories = {name: sorted(values) for name, values in texts.items()}
    found.classes = None if label is None else dict(sorted(labels.items()))
    return found


def _add(found: Summary, texts: dict[str, set[str]], chunk: Chunk, columns: Sequence[Column], where: str) -> None:
    for column in columns:
        array = chunk[column.name]
        if column.kind == CATEGORY:
            if not array.null_count:  # an error of who trains on them, not of who counts
                values, numbers = text_of(array)
                used = np.unique(numbers.to_numpy(zero_copy_only=False))
                texts[column.name].update(values.take(used).to_pylist())
            _refuse_many(column.name, len(texts[column.name]), MOST_CATEGORIES, "categories", where)
        elif len(array):
            values = values_of(array, column, where)
            found.moments[column.name].add(values.reshape(len(values), -1))


def _refuse_many(name: str, found: int, most: int, what: str, where: str) -> None:
    if found > most:
        raise StreamError(
            f"{where}: column {name!r} has more than {most:,} {what}, expected fewer: is it a name of rows?"
        )


def fingerprint(files: Sequence[File], columns: Sequence[Column], label: Column | None) -> dict[str, Any]:
    """Return what a kept summary belongs to: files, as they are now, and columns."""
    shown = [[file.path.name, *(number for stamp in file.stamps for number in stamp)] for file in files]
    return {
        "format": FORMAT,
        "files": shown,
        "columns": [[column.name, column.kind, column.width] for column in columns],
        "target": None if label is None else label.name,
    }


def keep(summary: Summary, path: str | os.PathLike[str], mark: dict[str, Any]) -> None:
    """Write a summary to a file, with the mark of what it belongs to.

    Raises
    ------
    OSError
        The file cannot be written; an earlier one stands as it was.
    """
    document = mark | asdict(summary)
    document["classes"] = None if summary.classes is None else [[key, n] for key, n in summary.classes.items()]
    with replaced_whole(path) as temporary:
        temporary.write_text(json.dumps(document), encoding="utf-8")


def kept(path: str | os.PathLike[str], mark: dict[str, Any]) -> Summary | None:
    """Return the summary in a file; None where there is none, or one of other files or columns.

    Raises
    ------
    StreamError
        The file is none that `keep` wrote.
    """
    if not Path(path).exists():
        return None
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(document["format"])
        if {name: document[name] for name in mark} != json.loads(json.dumps(mark)):
            return None
        classes = None if document["classes"] is None else {key: int(n) for key, n in document["classes"]}
        moments = {name: Moments(**values) for name, values in document["moments"].items()}
        return Summary(document["rows"], classes, document["categories"], moments)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StreamError(f"summary: {path} is no summary of a stream that fastmlp wrote ({error!r})") from error
