"""There are no circular imports, including imports for types and inside functions."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent


def _name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree, known):
    """The modules of the package that a module names in its imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def _graph(paths):
    trees = {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    return {name: set(_imported(tree, trees)) - {name} for name, tree in trees.items()}


def _circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_circle():
    graph = _graph(PACKAGE.rglob("*.py"))
    assert len(graph) > 100
    assert _circle(graph) is None


def test_a_circle_is_found():
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) is not None
