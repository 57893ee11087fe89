"""Specification, model, core and tests name the same things: a clause id is the thread through all four."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from source import ROOT, Function, Module, modules, shipped
from specification import ID, SPEC, clauses, guards, prose, rows

NAMED = re.compile(rf"\[({ID}(?:, {ID})*)\]")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TESTS = (ROOT / "tests", ROOT / "src" / "poolproof" / "conformance")


def test_row_and_clause_ids_are_unique_across_the_specification() -> None:
    twins = {row.id for row in rows()} & {clause.id for clause in clauses()}
    ids = [clause.id for clause in clauses()]
    _assert_none("used twice", [*twins, *(one for one in set(ids) if ids.count(one) > 1)])


def test_guards_used_are_the_guards_defined() -> None:
    used = {name for row in rows() for name, _ in row.guards}
    _assert_none("used, not defined", used - set(guards()))
    _assert_none("defined, not used", set(guards()) - used)


def test_every_clause_that_a_row_names_exists() -> None:
    known = {clause.id for clause in clauses()}
    _assert_none(
        "named in transitions.md, without a clause",
        [f"{one} (by {row.id})" for row in rows() for one in row.clauses if one not in known],
    )


def test_every_row_that_a_clause_names_exists() -> None:
    known = {row.id for row in rows()}
    _assert_none(
        "named by a clause, not in the table",
        [
            f"{one} (by {clause.id}, {clause.chapter})"
            for clause in clauses()
            for one in clause.rows
            if one not in known
        ],
    )


def test_every_assumption_that_a_clause_names_is_stated() -> None:
    chapters = [line for path in SPEC.glob("*.md") for _, line in prose(path)]
    stated = {match[1] for line in chapters if (match := re.match(rf"(?:#+ |\| |- )\**({ID})\b", line))}
    _assert_none(
        "assumed by a clause, stated nowhere",
        {
            f"{one} (by {clause.id}, {clause.chapter})"
            for clause in clauses()
            for one in clause.assumes
            if one not in stated
        },
    )


def test_every_must_is_shown_by_a_test() -> None:
    musts = {clause.id: clause.chapter for clause in clauses() if clause.level == "must"}
    assert musts, "the specification has no clause yet"
    shown = {name for _, name in _all_marks()}
    _assert_none(
        "must, and no test is marked with it", [f"{one} ({musts[one]})" for one in musts.keys() - shown]
    )


def test_every_mark_names_a_clause() -> None:
    known = {clause.id for clause in clauses()}
    _assert_none(
        "marked, without a clause", [f"{name} ({at})" for at, name in _all_marks() if name not in known]
    )


@pytest.mark.parametrize("package", ["src/poolproof/core", "model/poolmodel"])
def test_every_row_is_named_in_a_docstring(package: str) -> None:
    named = {
        one
        for module in modules(ROOT / package)
        for text in module.docstrings()
        for match in NAMED.finditer(text)
        for one in match[1].split(", ")
    }
    _assert_none(f"rows without a docstring in {package}", {row.id for row in rows()} - named)


def test_every_name_in_brackets_exists() -> None:
    known = {row.id for row in rows()} | {clause.id for clause in clauses()}
    _assert_none(
        "in brackets, but neither a row nor a clause",
        [
            f"{one} ({module.at(line)})"
            for module in shipped()
            for line, text in module.strings()
            for match in NAMED.finditer(text)
            for one in match[1].split(", ")
            if one not in known
        ],
    )


def test_links_between_the_chapters_resolve() -> None:
    assert list(SPEC.glob("*.md"))
    _assert_none("dead links", [one for path in sorted(SPEC.glob("*.md")) for one in dead_links(path)])


def dead_links(path: Path) -> Iterator[str]:
    """Yield the relative links of a Markdown file that lead nowhere."""
    for number, line in prose(path):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = (path.parent / name) if name else path
            if not other.exists() or (anchor and anchor not in _anchors(other)):
                yield f"{path.name}:{number}: {target}"


def marks(module: Module) -> Iterator[tuple[str, str]]:
    """Yield place and clause id of every clause mark; a mark that shows nothing raises."""
    placed = {
        id(mark)
        for node in ast.walk(module.tree)
        if isinstance(node, Function | ast.ClassDef) and node.name.lower().startswith("test")
        for mark in node.decorator_list
    }
    listed = {id(node) for each in module.tree.body if _assigns_tests(each) for node in ast.walk(each)}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.clause")):
            continue
        if not (id(node) in placed | listed or _inside_param(module.tree, node)):
            raise AssertionError(f"{module.at(node.lineno)}: this mark is on no test")
        if not node.args or node.keywords:
            raise AssertionError(f"{module.at(node.lineno)}: a clause mark names ids")
        for argument in node.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise AssertionError(f"{module.at(node.lineno)}: a clause mark names literal ids")
            yield module.at(node.lineno), argument.value


def _all_marks() -> list[tuple[str, str]]:
    return [mark for root in TESTS for module in modules(root) for mark in marks(module)]


def _assigns_tests(node: ast.stmt) -> bool:
    """``pytestmark = …`` of a module, and ``TestPool.pytestmark = …`` of a state machine."""
    return isinstance(node, ast.Assign) and any(
        ast.unparse(one).endswith("pytestmark") for one in node.targets
    )


def _inside_param(tree: ast.Module, mark: ast.Call) -> bool:
    return any(
        mark in ast.walk(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("pytest.param")
    )


def _anchors(path: Path) -> set[str]:
    """The anchors of the headings, as Git forges make them."""
    found = set()
    for _, line in prose(path):
        if match := re.match(r"#+ +(.+)", line):
            plain = re.sub(r"[^\w\- ]", "", match[1].lower())
            found.add(plain.replace(" ", "-"))
    return found


def _assert_none(what: str, names: set[str] | list[str]) -> None:
    if names:
        pytest.fail(f"{what}:\n" + "\n".join(sorted(names)), pytrace=False)


# The collector itself


def _read(folder: Path, code: str) -> list[str]:
    path = folder / "test_module.py"
    path.write_text("import pytest\n" + code, encoding="utf-8")
    return [name for _, name in marks(Module(path, "test_module"))]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('@pytest.mark.clause("A-B", "C-D")\ndef test_it(): ...', ["A-B", "C-D"]),
        ('pytestmark = [pytest.mark.stateful, pytest.mark.clause("A-B")]\ndef test_it(): ...', ["A-B"]),
        ('@pytest.mark.clause("A-B")\nclass TestIt: ...', ["A-B"]),
        ('CASES = [pytest.param(1, marks=pytest.mark.clause("A-B"))]', ["A-B"]),
        ('class M: ...\nTestM = M\nTestM.pytestmark = [pytest.mark.clause("A-B")]', ["A-B"]),
    ],
)
def test_marks_are_found(code: str, found: list[str], tmp_path: Path) -> None:
    assert _read(tmp_path, code) == found


@pytest.mark.parametrize(
    "code",
    [
        '@pytest.mark.clause("A-B")\ndef helper(): ...',
        "@pytest.mark.clause(NAME)\ndef test_it(): ...",
        "@pytest.mark.clause()\ndef test_it(): ...",
        'unused = pytest.mark.clause("A-B")',
    ],
)
def test_mark_that_shows_nothing_is_refused(code: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"test_module\.py:\d+: "):
        _read(tmp_path, code)


def test_dead_links_are_found(tmp_path: Path) -> None:
    text = (
        "# One Word\n[a](#one-word) [b](other.md) [c](#two) [d](page.md#one-word) [e](https://example.org)\n"
    )
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert list(dead_links(tmp_path / "page.md")) == ["page.md:2: other.md", "page.md:2: #two"]
