"""Callbacks that log records: to a file of JSON lines, to TensorBoard, to MLflow."""

import json
import sys

import numpy as np
import pytest

from fastmlp import MLP, SGD, loggers, train

OPTIONS = {"optimizer": SGD(0.1), "batch_size": 32, "progress": False}


def _numbers(record):
    return {name: value for name, value in record.items() if name != "epoch" and value is not None}


def test_jsonl_has_every_record_while_the_training_runs(blobs, tmp_path):
    path, lines = tmp_path / "run.jsonl", []
    look = lambda net, record: lines.append(len(path.read_text().splitlines()))  # noqa: E731
    history = train(MLP([5, 4, 3]), *blobs, epochs=3, callbacks=[loggers.jsonl_logger(path), look], **OPTIONS)
    assert lines == [1, 2, 3]
    assert [json.loads(line) for line in path.read_text().splitlines()] == history.records


def test_jsonl_goes_on_where_an_earlier_training_ended(blobs, tmp_path):
    path = str(tmp_path / "run.jsonl")
    net = MLP([5, 4, 3])
    for _ in range(2):
        train(net, *blobs, epochs=2, callbacks=[loggers.jsonl_logger(path)], **OPTIONS)
    with open(path) as file:
        assert [json.loads(line)["epoch"] for line in file] == [1, 2, 1, 2]


def test_jsonl_into_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        loggers.jsonl_logger(tmp_path / "absent" / "run.jsonl")


@pytest.mark.parametrize("validation", [0.2, None])
def test_tensorboard_reads_every_number(validation, blobs, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = loggers.tensorboard_logger(tmp_path / "runs" / "first")
    seen = []

    def look(net, record):
        events = accumulator.EventAccumulator(str(tmp_path / "runs" / "first"))
        events.Reload()
        seen.append({name: events.Tensors(name) for name in events.Tags()["tensors"]})

    history = train(MLP([5, 4, 3]), *blobs, validation=validation, epochs=3, callbacks=[log, look], **OPTIONS)
    assert [len(events["cost"]) for events in seen] == [1, 2, 3]
    assert seen[-1].keys() == _numbers(history.records[0]).keys()
    for name, events in seen[-1].items():
        values = [np.float32(record[name]) for record in history.records]
        assert [(event.step, *event.tensor_proto.float_val) for event in events] == list(enumerate(values, 1))


def test_mlflow_keeps_every_number(blobs, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run() as run:
        history = train(MLP([5, 4, 3]), *blobs, epochs=3, callbacks=[loggers.mlflow_logger()], **OPTIONS)
    for name in _numbers(history.records[0]):
        metrics = mlflow.MlflowClient().get_metric_history(run.info.run_id, name)
        found = sorted((metric.step, metric.value) for metric in metrics)
        assert found == [(record["epoch"], record[name]) for record in history.records]


@pytest.mark.parametrize("package", ["tensorboard", "mlflow"])
def test_without_the_package_the_error_names_the_extra(package, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    make = {"tensorboard": lambda: loggers.tensorboard_logger(tmp_path), "mlflow": loggers.mlflow_logger}[package]
    with pytest.raises(ImportError, match=rf"{package} is not installed: pip install 'fastmlp\[{package}\]'"):
        make()
