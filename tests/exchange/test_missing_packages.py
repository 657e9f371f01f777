"""The error for a missing library says how to install it."""

import sys

import pytest

from fastmlp import MLP

CALLS = {
    "to_onnx": ("onnx", lambda folder: MLP([2, 2]).to_onnx(folder / "net.onnx")),
    "to_torch": ("torch", lambda folder: MLP([2, 2]).to_torch()),
    "from_torch": ("torch", lambda folder: MLP.from_torch(None)),
}


@pytest.mark.parametrize("name", list(CALLS))
def test_the_error_names_the_extra(name, monkeypatch, tmp_path):
    package, call = CALLS[name]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{package} is not installed: pip install 'fastmlp\[{package}\]'"):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []
