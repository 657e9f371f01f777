"""The claims of the guide's page on security: loading executes nothing, and fastmlp opens no connection."""

import ast
import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT
from processes import answer

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
PAGE = PAGES["security.md"]
UNPICKLERS = {"cloudpickle", "dill", "marshal", "pickle", "shelve"}
NETWORK = {"asyncio", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib", "urllib3", "xmlrpc"}
EXECUTING = ("ctypes.", "exec", "import", "marshal.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "pickle.")
EXECUTING += ("socket.", "subprocess.", "urllib.")


def trees():
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """The top-level names of the packages that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def called(tree):
    """The calls of a module, as their source text."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_only_compiled_kernels_are_unpickled():
    assert [name for name, tree in trees() if UNPICKLERS & set(imported(tree))] == ["compilation/store.py"]
    executing = {"eval", "exec", "compile", "joblib.load", "np.load", "pandas.read_pickle", "torch.load"}
    assert [(name, executing & called(tree)) for name, tree in trees() if executing & called(tree)] == []


def test_no_module_imports_the_network():
    assert [name for name, tree in trees() if NETWORK & set(imported(tree))] == []


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return answer("load_under_audit", tmp_path_factory.mktemp("files"))


def test_loading_executes_nothing(events):
    assert "open" in events["loading"]
    # the event "compile" alone is a header that is parsed; running it would be an event "exec"
    assert [event for event in events["loading"] if event.startswith(EXECUTING)] == []
    assert [event for event in events["control"] if event.startswith(EXECUTING)] == ["pickle.find_class"]


def test_nothing_reaches_for_the_network(events):
    assert events["network"] == []


def test_tests_that_the_page_names_exist():
    files = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE)))
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in files)
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 8
    assert {name for name in named if f"def {name}(" not in text} == set()
