"""The reference: every public name documents its parameters, and README's command builds pages with all names."""

import importlib
import inspect
import re
import shlex
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from pages import GUIDE, PAGES

import fastmlp
import fastmlp.guide as fastmlp_guide

ROOT = Path(__file__).parents[1]
MODULES = [
    "fastmlp",
    "fastmlp.dask",
    "fastmlp.exchange.methods",
    "fastmlp.init",
    "fastmlp.kernels",
    "fastmlp.loggers",
    "fastmlp.losses",
    "fastmlp.mpi",
    "fastmlp.network.parts",
    "fastmlp.predictions",
    "fastmlp.schedules",
    "fastmlp.sklearn",
    "fastmlp.streaming.methods",
]

SECTIONS = {"Attributes", "Examples", "Notes", "Parameters", "Raises", "Returns", "Yields"}


def public_names(module):
    """Return the public functions (before compilation) and classes of a module, by name."""
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
    found = {name: unjitted(getattr(module, name)) for name in names}
    return {name: value for name, value in found.items() if inspect.isclass(value) or inspect.isroutine(value)}


def unjitted(value):
    return getattr(value, "py_func", value)


def methods(cls):
    """Yield the public methods of a class that no base class has, with their names."""
    for name, value in vars(cls).items():
        function = getattr(value, "__func__", value)
        inherited = any(hasattr(base, name) for base in cls.__mro__[1:])
        if inspect.isfunction(function) and not name.startswith("_") and not inherited:
            yield name, function


def documented_objects():
    for module_name in MODULES:
        for name, value in public_names(importlib.import_module(module_name)).items():
            yield pytest.param(value, id=f"{module_name}.{name}")
            if inspect.isclass(value):
                for method, function in methods(value):
                    yield pytest.param(function, id=f"{module_name}.{name}.{method}")


def names_in(section):
    return {name.lstrip("*") for entry in section for name in entry.name.split(", ")}


def mismatches(value):
    """Return the parameters that the docstring lacks, and those that only the docstring has."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpydoc warns of unknown and repeated sections
        doc = ClassDoc(value, func_doc=FunctionDoc) if inspect.isclass(value) else FunctionDoc(value)
    described = names_in(doc["Parameters"])
    # the signature of a Protocol is (*args, **kwargs)
    parameters = {} if getattr(value, "_is_protocol", False) else inspect.signature(value).parameters
    wanted = {name for name in parameters if name not in ("self", "cls")}
    return wanted - described - names_in(doc["Attributes"]), described - wanted


@pytest.mark.parametrize("value", list(documented_objects()))
def test_every_parameter_is_documented(value):
    assert re.match(r"\S.*[.:]$", inspect.getdoc(value).partition("\n\n")[0], flags=re.DOTALL)
    assert mismatches(value) == (set(), set())


@pytest.mark.parametrize("source", sorted((ROOT / "fastmlp").rglob("*.py")), ids=lambda path: path.stem)
def test_sections_of_docstrings_are_numpydocs(source):
    sections = re.findall(r"^ *(.+)\n *-{4,}$", source.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(sections) <= SECTIONS


def test_an_undocumented_parameter_is_found():
    def function(known, unknown):
        """Do it.

        Parameters
        ----------
        known : int
        other : int
        """

    assert mismatches(function) == ({"unknown"}, {"other"})


class Docstrings(HTMLParser):
    """The texts of the docstrings on a page, without the source code, by the id of the section."""

    def __init__(self, page):
        super().__init__()
        self.texts, self._section, self._open = {}, "", []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "section":
            self._section = attributes.get("id", "")
        if tag == "div":
            self._open.append(attributes.get("class", ""))

    def handle_endtag(self, tag):
        if tag == "div":
            self._open.pop()

    def handle_data(self, data):
        if "docstring" in self._open:
            self.texts[self._section] = self.texts.get(self._section, "") + data


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The folder of the reference, which the guide's command has built."""
    tool = [sys.executable, str(ROOT / ".ci" / "readme_command.py"), "reference"]
    command = subprocess.run(tool, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    python, *arguments = shlex.split(command)
    assert python == ".venv-dev/bin/python"
    folder = tmp_path_factory.mktemp("reference")
    arguments[arguments.index("-o") + 1] = str(folder)
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def page_of(reference, module_name):
    page = reference.joinpath(*module_name.split(".")).with_suffix(".html")
    return Docstrings(page.read_text(encoding="utf-8")).texts


def words(text):
    """Return the words of a text, without marks of Markdown and dashes under a heading."""
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("module_name", MODULES)
def test_every_public_name_is_in_the_reference(reference, module_name):
    module, texts = importlib.import_module(module_name), page_of(reference, module_name)
    for name, value in public_names(module).items():
        text = words(texts[name])
        documented = words(inspect.getdoc(value))
        missing = set(documented) - set(text)
        assert missing == set(), name
        assert len(text) >= len(documented), name


def test_every_method_of_a_network_is_in_the_reference_or_a_link_to_it(reference):
    page = (reference / "fastmlp.html").read_text(encoding="utf-8")
    names = [name for name in dir(fastmlp.MLP) if not name.startswith("_")]
    assert {"predict", "save", "to_onnx", "predict_to_parquet", "weights"} <= set(names)
    assert [name for name in names if f'id="MLP.{name}"' not in page] == []


def test_pages_of_the_modules_in_all_are_there(reference):
    modules = [name for name in fastmlp.__all__ if inspect.ismodule(getattr(fastmlp, name))]
    assert {"datasets", "init", "kernels", "losses", "schedules"} <= set(modules)
    for name in modules:
        assert page_of(reference, f"fastmlp.{name}")


@pytest.mark.parametrize("source", GUIDE, ids=lambda source: source.stem)
def test_pages_of_the_guide_are_in_the_reference_from_title_to_last_line(reference, source):
    module_name = f"fastmlp.guide.{source.stem}"
    html = (reference / "fastmlp" / "guide" / source.stem).with_suffix(".html").read_text(encoding="utf-8")
    markdown = source.read_text(encoding="utf-8")
    assert html.count("<table>") == len(re.findall(r"^\|[: -]*-[-: |]*\|$", markdown, flags=re.MULTILINE))
    text = words("".join(page_of(reference, module_name).values()))
    assert set(words(re.sub(r"<!--.*?-->|```\w+|\]\([^)]*\)", "", markdown))) <= set(text)
    assert f"`{module_name}`" in (fastmlp_guide.__doc__ or "")
    assert f"(fastmlp/guide/{source.name})" in PAGES["README.md"]


def test_names_in_docstrings_are_links(reference):
    page = (reference / "fastmlp.html").read_text(encoding="utf-8")
    for target in ("fastmlp/losses.html", "fastmlp/sklearn.html", "fastmlp/guide.html", "#History"):
        assert f'href="{target}"' in page
