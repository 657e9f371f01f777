"""The door to data larger than memory: `fastmlp.datasets.stream`."""

import os
from collections.abc import Sequence
from typing import Any

from fastmlp.inputs import checks
from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.columns import Columns
from fastmlp.streaming.rows import Room
from fastmlp.streaming.sources import columns_of, default_columns, files_of, target_names, weight_names
from fastmlp.streaming.stream import Stream


def stream(
    source: Any,
    *,
    target: Any = None,
    sample_weight: str | None = None,
    columns: Sequence[str] | None = None,
    rows_in_memory: int = 1 << 17,
    class_names: Sequence[Any] | None = None,
    side_by_side: int = 8,
    summary: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Stream:
    """Return rows that `fastmlp.train` and the methods of `MLP` read block by block, for data larger than memory.

    Parameters
    ----------
    source : path-like, list of path-like, pyarrow.dataset.Dataset or numpy.ndarray
        A file, a folder (with all folders in it) or a glob such as ``"folder/*.parquet"``: Parquet, Arrow or Feather,
        CSV as Arrow reads it, or one ``.npy`` file of shape ``(n, n_inputs)``. An array, such as a ``numpy.memmap``, is
        read part by part.
    target : str, list of str, path-like or numpy.ndarray, optional
        The column of the labels or numbers to predict, or several columns of numbers; beside an ``.npy`` file or an
        array, the second file or array.
    sample_weight : str, optional
        The column of the weights of the rows, numbers of at least 0, in a table. `train`, `MLP.cost` and
        `MLP.accuracy` weigh the rows by them.
    columns : sequence of str, optional
        The columns of the data, in this order; default: all but those of target and weights. They hold numbers,
        booleans, lists of numbers of a fixed size, or categories (dictionary-coded or strings). A category becomes one
        input for each value that occurs, 1 where a row has it; only the rows of a mini-batch are ever spread out.
    rows_in_memory : int
        So many rows are in memory at a time, at most: in two blocks, one that the engine trains on and one that is
        filled meanwhile, and a chunk that is being decoded. Training needs room for three mini-batches.
    class_names : sequence, optional
        The labels in the order of their indices; default: the names that the network has, else the labels that occur,
        sorted. Whole numbers that are all indices of the network's outputs stand for these, as they do in arrays.
    side_by_side : int
        From so many row groups an epoch reads in turns. More of them mix the rows better where the files are sorted;
        each is held in memory as it is in the file, packed, beside the rows above.
    summary : path-like, optional
        A JSON file that keeps what one pass over the files finds (numbers of rows, classes, categories, means and
        extremes), and is read instead as long as the files are the same.
    cache : path-like, optional
        A folder that keeps the rows as the engine takes them, in ``.npy`` files: the first training or evaluation
        decodes and writes them, all that follow read them as long as the files are the same. It takes as much of the
        disk as the rows would of the memory. Nothing in it is removed but by you.

    Returns
    -------
    Stream
        Its length is the number of rows; `class_names`, `feature_names` and `n_inputs` say what a network needs.

    Raises
    ------
    ValueError, TypeError
        A file is damaged, empty or of an unknown format, files differ in their columns, or an argument is wrong.
    OSError
        A file does not exist.
    ImportError
        A table is asked for and the ``tables`` extra is not installed.

    Notes
    -----
    An epoch visits every row once. It goes through the row groups (record batches, CSV files, 1 MB of an array) in a
    random order, `side_by_side` of them in turns, and shuffles the rows within each block. The order comes from the
    seed of `fastmlp.train`. With `comm`, the shards of all processes together have `rows_in_memory` rows.
    """
    room = Room(checks.count("rows_in_memory", rows_in_memory), checks.count("side_by_side", side_by_side))
    files = files_of(source, target)
    if not files:
        raise StreamError("source: the dataset has no files")
    targets = target_names(files, target)
    beside = targets + weight_names(files, sample_weight, targets, cache)
    names = default_columns(files, beside) if columns is None else list(columns)
    if columns is not None and (isinstance(columns, str) or not all(isinstance(name, str) for name in names)):
        raise TypeError(f"columns must be a sequence of names, got {columns!r}")
    if len(set(names)) < len(names) or not names or set(names) & set(beside):
        raise ValueError(
            f"columns: got {names!r}, expected different names, at least one, without the target and weights: {beside}"
        )
    if class_names is not None and (isinstance(class_names, str) or len(set(class_names)) < len(class_names)):
        raise ValueError(f"class_names: got {class_names!r}, expected different labels")
    if cache is not None and not all(file.stamps for file in files):
        raise ValueError(f"cache: expected files of this machine, got {files[0].path}, whose changes nobody would see")
    given = Columns(*(columns_of(files, some) for some in (names, targets, beside[len(targets) :])))
    return Stream(files, given, room, class_names=class_names, summary=summary, cache=cache)
