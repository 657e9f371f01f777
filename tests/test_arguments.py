"""No function takes more than 8 arguments, except public ones, whose users name the few that they need."""

import ast
from pathlib import Path

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
MOST = 8
PUBLIC = {
    "kernels/relu_batchnorm.py: batchnorm_relu_backward",
    "many.py: train_many",
    "mlp.py: MLP",
    "plots.py: heat_map",
    "sklearn/classifier.py: MLPClassifier",
    "sklearn/regressor.py: MLPRegressor",
    "sklearn/tabular/classifier.py: TabularMLPClassifier",
    "sklearn/tabular/regressor.py: TabularMLPRegressor",
    "streaming/opening.py: stream",
    "train.py: train",
}


def _counts(tree):
    """The names and numbers of arguments of functions, without `self`; a constructor has the name of its class."""
    methods = {
        function: klass
        for klass in ast.walk(tree)
        if isinstance(klass, ast.ClassDef)
        for function in klass.body
        if isinstance(function, ast.FunctionDef)
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            given = function.args
            names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            is_constructor = function.name == "__init__" and function in methods
            name = methods[function].name if is_constructor else function.name
            yield name, len(names) - (function in methods and names[:1] in (["self"], ["cls"]))


def test_few_arguments():
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name, count in _counts(ast.parse(path.read_text(encoding="utf-8")))
        if count > MOST
    }
    assert sorted(found - PUBLIC) == [], "group what belongs together in a NamedTuple or a frozen dataclass"
    assert sorted(PUBLIC - found) == [], "lines for functions that have few arguments now, or are gone"


def test_arguments_are_counted():
    tree = ast.parse("def f(a, /, b, *c, d, **e): ...\nclass C:\n    def __init__(self, a): ...\n    def g(self): ...")
    assert sorted(_counts(tree)) == [("C", 1), ("f", 3), ("g", 0)]
