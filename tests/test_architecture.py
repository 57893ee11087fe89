"""The house keeps its shape: who may import whom, how long things are, which words are used.

Each rule is a function from modules to complaints, so that the rule itself is tested on code that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from source import ROOT, Module, docstring_lines, modules, shipped

TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "spec", "src", "tests", "model", "docs"}

# Derivation runs spec → model → core → drivers → facades; each layer names the layers that it may import.
LAYERS = {
    "model": {"model"},
    "core": {"core"},
    "runtime": {"core", "runtime"},
    "driver": {"core", "runtime", "driver"},
    "public": {"core", "runtime", "driver", "public"},
    "compat": {"driver", "runtime", "public", "compat"},
    # It looks into the pool that it checks.
    "conformance": {"core", "public", "runtime", "driver", "conformance", "model"},
    "command": {"public", "runtime", "driver", "compat", "conformance", "model", "command"},
}
PACKAGES = {
    "poolproof.core": "core",
    "poolproof.runtime": "runtime",
    "poolproof.compat": "compat",
    "poolproof.conformance": "conformance",
    "poolproof.replay": "conformance",
    "poolproof.demo": "command",
    "poolproof.__main__": "command",
}
IMPURE = {"threading", "_thread", "asyncio", "time", "random", "logging"}
FILE_LINES, FUNCTION_LINES = 400, 40
FORBIDDEN_WORDS = re.compile(
    r"(?<![a-z])(borrow(?:s|ed|er|ers|ing)?|check_?ins?|fair(?:y|ies)|requite[sd]?)(?![a-z])", re.IGNORECASE
)


def layer(module: str) -> str | None:
    """Return the layer of a module of ours; None for any other."""
    if module.split(".")[0] == "poolmodel":
        return "model"
    if module.split(".")[0] != "poolproof":
        return None
    package = ".".join(module.split(".")[:2])
    return PACKAGES.get(package, "public" if package == "poolproof" else "driver")


def imports_point_back(module: Module) -> Iterator[str]:
    """A layer imports only the layers that it may use, and nothing private of theirs."""
    own = layer(module.name)
    for found in module.imports():
        # `from poolproof import core` takes the package, not a name of the front door.
        submodule = f"{found.module}.{found.name}"
        target = submodule if found.module == "poolproof" and _is_module(submodule) else found.module
        other = layer(target)
        if own is None or other is None:
            continue
        if other not in LAYERS[own]:
            yield f"{module.at(found.line)}: {own} imports {target}, which is {other}"
        if other != own and any(re.match("_(?!_)", part) for part in (*target.split("."), found.name)):
            yield f"{module.at(found.line)}: {own} imports {target} {found.name}, which is private to {other}"


def core_is_pure(module: Module) -> Iterator[str]:
    """The core knows no thread, loop, clock, chance or log."""
    if layer(module.name) == "core":
        for found in module.imports():
            if found.module.split(".")[0] in IMPURE:
                yield f"{module.at(found.line)}: core imports {found.module}"


def registers_are_only_committed(module: Module) -> Iterator[str]:
    """The commit alone replaces a register's record: the core creates registers, and never writes one."""
    if layer(module.name) == "core":
        born = {node for each in module.functions() if each.name == "__init__" for node in ast.walk(each)}
        for node in ast.walk(module.tree):
            if node not in born and _writes_record(node):
                yield f"{module.at(getattr(node, 'lineno', 0))}: core assigns to .record"


def nothing_is_long(module: Module) -> Iterator[str]:
    """A file is one sitting, a function one screen. Of a function its body counts, without the docstring: a long
    list of keyword arguments is a table, not code."""
    length = len(module.text.splitlines())
    if length > FILE_LINES:
        yield f"{module.at(1)}: {length} lines, more than {FILE_LINES}"
    for each in module.functions():
        first = each.body[0].lineno
        length = (each.end_lineno or first) - first + 1 - docstring_lines(each)
        if length > FUNCTION_LINES:
            yield f"{module.at(each.lineno)}: {each.name} has {length} lines, more than {FUNCTION_LINES}"


def nobody_sleeps(module: Module) -> Iterator[str]:
    """Sleeping is no synchronization."""
    clocks = {
        alias.asname or alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "time"
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            if any(alias.name == "sleep" for alias in node.names):
                yield f"{module.at(node.lineno)}: takes sleep from time"
        elif isinstance(node, ast.Attribute) and node.attr == "sleep" and _is_name(node.value, clocks):
            yield f"{module.at(node.lineno)}: time.sleep"


def words_are_ours(path: Path) -> Iterator[str]:
    """One word has one meaning; these are other libraries' words for things that have a name here."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for match in FORBIDDEN_WORDS.finditer(line):
            yield f"{path}:{number}: {match[0]!r}"


Rule = Callable[[Module], Iterator[str]]
RULES: list[Rule] = [
    imports_point_back,
    core_is_pure,
    registers_are_only_committed,
    nothing_is_long,
    nobody_sleeps,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_shipped_modules_keep_the_rule(rule: Rule) -> None:
    assert shipped(), "nothing below src and model"
    _assert_none([complaint for module in shipped() for complaint in rule(module)])


def test_no_test_sleeps() -> None:
    found = [complaint for module in modules(ROOT / "tests") for complaint in nobody_sleeps(module)]
    _assert_none(found)


def test_top_level_is_the_agreed_shape() -> None:
    here = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {"missing": set(), "surplus": set()} == {"missing": TOP_LEVEL - here, "surplus": here - TOP_LEVEL}


def test_vocabulary() -> None:
    roots = (ROOT / "src", ROOT / "model", ROOT / "spec")
    texts = [
        path for root in roots for path in sorted(root.rglob("*")) if path.suffix in {".py", ".md", ".pml"}
    ]
    _assert_none([complaint for path in texts for complaint in words_are_ours(path)])


@pytest.mark.parametrize("package", ["src/poolproof", "model/poolmodel"])
def test_both_packages_publish_their_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


# The rules, shown to bite


@pytest.mark.parametrize(
    ("rule", "name", "code"),
    [
        (imports_point_back, "poolmodel.table", "import poolproof"),
        (imports_point_back, "poolmodel.table", "from poolproof.core import state"),
        (imports_point_back, "poolproof.core.rows", "from poolproof import core, pool"),
        (imports_point_back, "poolproof.core.rows", "from poolproof.runtime import threads"),
        (imports_point_back, "poolproof.core.rows", "def late():\n    import poolmodel"),
        (imports_point_back, "poolproof.runtime.threads", "from poolproof.pool import Pool"),
        (imports_point_back, "poolproof.pool", "from poolproof import Pool"),
        (imports_point_back, "poolproof.pool", "from . import compat"),
        (imports_point_back, "poolproof.pool", "from poolproof.core.state import _private"),
        (imports_point_back, "poolproof.conformance.machine", "from poolproof import compat"),
        (core_is_pure, "poolproof.core.rows", "from time import monotonic"),
        (core_is_pure, "poolproof.core.rows", "import logging.handlers"),
        (registers_are_only_committed, "poolproof.core.rows", "slot.record = record"),
        (registers_are_only_committed, "poolproof.core.rows", "atom.value, slot.record = 1, 2"),
        (registers_are_only_committed, "poolproof.core.rows", "slot.record: int = 1"),
        (registers_are_only_committed, "poolproof.core.rows", "setattr(slot, 'record', 1)"),
        (registers_are_only_committed, "poolproof.core.rows", "object.__setattr__(slot, 'record', 1)"),
        (registers_are_only_committed, "poolproof.core.rows", "del slot.record"),
        (nothing_is_long, "poolproof.pool", "x = 1\n" * 401),
        (nothing_is_long, "poolproof.pool", "def f():\n" + "    x = 1\n" * 41),
        (nobody_sleeps, "poolproof.pool", "import time as clock\nclock.sleep(1)"),
        (nobody_sleeps, "poolproof.pool", "from time import sleep as rest"),
    ],
)
def test_rule_finds_a_breach(rule: Rule, name: str, code: str, tmp_path: Path) -> None:
    assert list(rule(_module(tmp_path, name, code)))


@pytest.mark.parametrize(
    ("rule", "name", "code"),
    [
        (
            imports_point_back,
            "poolproof.core.rows",
            "from poolproof.core.state import State\nimport dataclasses",
        ),
        (imports_point_back, "poolproof.conformance.machine", "import poolmodel\nfrom poolproof import Pool"),
        (core_is_pure, "poolproof.pool", "import time"),
        (registers_are_only_committed, "poolproof.pool", "slot.record = 1"),
        (
            registers_are_only_committed,
            "poolproof.core.state",
            "class S:\n    def __init__(self):\n        self.record = 1",
        ),
        (nothing_is_long, "poolproof.pool", 'def f():\n    """Say.\n' + "\n" * 60 + '    """\n'),
        (nobody_sleeps, "poolproof.pool", "from time import monotonic\nasyncio.sleep(0)"),
    ],
)
def test_rule_allows_what_it_should(rule: Rule, name: str, code: str, tmp_path: Path) -> None:
    assert list(rule(_module(tmp_path, name, code))) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("Borrowed, then check-in: no; checkin_lock", 2), ("requite the fairy", 2), ("checking is unfair", 0)],
)
def test_vocabulary_finds_words_not_parts(text: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "text.md").write_text(text, encoding="utf-8")
    assert len(list(words_are_ours(tmp_path / "text.md"))) == count


def _module(folder: Path, name: str, code: str) -> Module:
    path = folder / "module.py"
    path.write_text(code, encoding="utf-8")
    return Module(path, name)


def _assert_none(complaints: list[str]) -> None:
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def _is_module(name: str) -> bool:
    place = ROOT.joinpath("src", *name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file() or name in PACKAGES


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _writes_record(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "record" and isinstance(node.ctx, ast.Store | ast.Del)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        return called in {"setattr", "__setattr__", "delattr", "__delattr__"} and "record" in names
    return False
