"""Read ``spec/`` as data: rows, guards, states, clauses.

The prose in ``spec/`` is normative; whatever is generated from it or compared with it comes through here, so
that nothing is typed twice. The reader is strict: a line that it does not understand raises, naming file and
line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

SPEC = Path(__file__).resolve().parents[2] / "spec"

ID = r"[A-Z]{2,}(?:-[A-Z]{2,})*"
GUARD_KINDS = ("needed", "implied", "policy")
LEVELS = ("must", "should", "may")
EFFECTS = ("Build", "Check", "Destroy", "Reset", "Wake")
NOTHING = "–"

_ROW_HEADER = ("id", "machine", "from", "event", "guard", "to", "effects", "clauses")
_GUARD = re.compile(rf"([a-z]+(?:-[a-z]+)*) \(({'|'.join(GUARD_KINDS)})\)")
_CLAUSE = re.compile(rf"### ({ID})  \(({'|'.join(LEVELS)})\)")
_LABELS = ("Intent", "Assumes", "Rows")
_LABEL = re.compile(rf"({'|'.join(_LABELS)}): (.+)")
_NEAR_CLAUSE = re.compile(rf"#+ +{ID}\b(?! [a-z])|#.*\((?:{'|'.join(LEVELS)})\)")
_SWEEP = re.compile(r"(?:all other )?(\w+) (slot|ticket)s (\w+)(?:, \w+)?")


class Malformed(Exception):
    """A line of the specification that cannot be read."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(f"{path.name}:{line}: {why}")


@dataclass(frozen=True)
class Edge:
    """One way in which a row moves one machine."""

    row: str
    machine: str
    source: str
    target: str


@dataclass(frozen=True)
class Row:
    """One row of the transition tables; *from_* and *to* are verbatim, *edges* is what they mean."""

    id: str
    machines: tuple[str, ...]
    from_: str
    event: str
    guards: tuple[tuple[str, str], ...]
    to: str
    effects: tuple[str, ...]
    clauses: tuple[str, ...]
    inner: bool
    edges: tuple[Edge, ...]
    line: int


@dataclass(frozen=True)
class Clause:
    """One normative statement; *assumes* and *rows* are the ids that it names."""

    id: str
    level: str
    text: str
    intent: str
    assumes: tuple[str, ...]
    rows: tuple[str, ...]
    chapter: str
    line: int


@dataclass(frozen=True)
class _Table:
    path: Path
    section: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@cache
def rows(spec: Path = SPEC) -> tuple[Row, ...]:
    """Return the rows of both tables, in the order of the specification."""
    path = spec / "transitions.md"
    found = [
        _row(path, line, cells, inner=table.section == "Rows inside the balance", spec=spec)
        for table in _tables(path)
        if table.header == _ROW_HEADER
        for line, cells in table.rows
    ]
    _refuse_twins(path, [(row.line, row.id) for row in found])
    return tuple(found)


@cache
def guards(spec: Path = SPEC) -> dict[str, str]:
    """Return each guard's meaning by its name."""
    path = spec / "transitions.md"
    cells = [row for table in _tables(path) if table.header == ("guard", "true when") for row in table.rows]
    _refuse_twins(path, [(line, name) for line, (name, _) in cells])
    return {name: meaning for _, (name, meaning) in cells}


@cache
def states(spec: Path = SPEC) -> dict[str, tuple[str, ...]]:
    """Return the states of each machine, in the order of the specification; the first is the initial one."""
    return {
        table.section.lower(): tuple(cells[0] for _, cells in table.rows)
        for table in _tables(spec / "machines.md")
        if table.header[:2] == ("state", "meaning")
    }


@cache
def clauses(spec: Path = SPEC) -> tuple[Clause, ...]:
    """Return the clauses of all chapters."""
    found: list[Clause] = []
    for path in sorted(spec.glob("*.md")):
        chapter = tuple(_clauses_in(path))
        _refuse_twins(path, [(clause.line, clause.id) for clause in chapter])
        found += chapter
    return tuple(found)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a Markdown file that are not inside a fence."""
    fenced = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line.rstrip()


def _refuse_twins(path: Path, names: list[tuple[int, str]]) -> None:
    seen: dict[str, int] = {}
    for line, name in names:
        if name in seen:
            raise Malformed(path, line, f"{name} stands already in line {seen[name]}")
        seen[name] = line


# Tables


def _tables(path: Path) -> Iterator[_Table]:
    section = ""
    block: list[tuple[int, str]] = []
    for number, line in [*prose(path), (0, "")]:
        if line.startswith("|"):
            block.append((number, line))
            continue
        if block:
            yield _table(path, section, block)
            block = []
        if line.startswith("## "):
            section = line.removeprefix("## ")


def _table(path: Path, section: str, block: list[tuple[int, str]]) -> _Table:
    split = [(number, _cells(path, number, line)) for number, line in block]
    header = split[0][1]
    if len(split) < 2 or set("".join(split[1][1])) != {"-"}:
        raise Malformed(path, split[0][0], "a table begins with its header and a line of dashes")
    for number, cells in split:
        if len(cells) != len(header):
            raise Malformed(path, number, f"{len(cells)} cells under a header of {len(header)}")
        if not all(cells):
            raise Malformed(path, number, f"empty cell; write {NOTHING} for nothing")
    return _Table(path, section, header, tuple(split[2:]))


def _cells(path: Path, number: int, line: str) -> tuple[str, ...]:
    if not (line.startswith("|") and line.endswith("|") and len(line) > 2):
        raise Malformed(path, number, "a table line begins and ends with |")
    return tuple(cell.strip() for cell in line[1:-1].split("|"))


def _row(path: Path, line: int, cells: tuple[str, ...], *, inner: bool, spec: Path) -> Row:
    name, machine, source, event, guard, target, effects, ids = cells
    machines = tuple(machine.split(" + "))
    if not re.fullmatch(ID, name):
        raise Malformed(path, line, f"{name!r} is no row id")
    if unknown := [one for one in machines if one not in states(spec)]:
        raise Malformed(path, line, f"no such machine: {unknown}")
    pairs = tuple(_guard(path, line, one) for one in _list(guard, "; "))
    words = _list(effects, ", ")
    if wrong := [word for one in words for word in one.split(" or ") if word not in EFFECTS]:
        raise Malformed(path, line, f"no such effect: {wrong}")
    if wrong := [one for one in _list(ids, ", ") if not re.fullmatch(ID, one)]:
        raise Malformed(path, line, f"no clause id: {wrong}")
    try:
        edges = tuple(_edges(name, machines, source, target, states(spec)))
    except ValueError as error:
        raise Malformed(path, line, str(error)) from None
    return Row(name, machines, source, event, pairs, target, words, _list(ids, ", "), inner, edges, line)


def _list(cell: str, separator: str) -> tuple[str, ...]:
    return () if cell == NOTHING else tuple(cell.split(separator))


def _guard(path: Path, line: int, text: str) -> tuple[str, str]:
    if not (match := _GUARD.fullmatch(text)):
        raise Malformed(path, line, f"{text!r} is no guard; write: name ({' | '.join(GUARD_KINDS)})")
    return match[1], match[2]


# From and to


def _edges(
    name: str, machines: tuple[str, ...], source: str, target: str, known: dict[str, tuple[str, ...]]
) -> Iterator[Edge]:
    target, *sweeps = target.split("; ")
    sources, targets = source.split(" + "), target.split(" + ")
    if not len(machines) == len(sources) == len(targets):
        raise ValueError(f"{len(machines)} machines, {len(sources)} from and {len(targets)} to")
    for machine, begin, end in zip(machines, sources, targets, strict=True):
        for state in _states_in(begin, known[machine]):
            for after in _states_in(end, known[machine], here=state):
                yield Edge(name, machine, state, after)
    for sweep in sweeps:
        yield from _swept(name, sweep, known)


def _states_in(text: str, known: tuple[str, ...], here: str = "") -> tuple[str, ...]:
    """Read ``a or b, in words``, ``any``, ``any but a and b``, ``=`` (it stays), ``as it was first``."""
    head = re.split(r" ?, ", text)[0]
    if head == "=" and here:
        return (here,)
    if head == "as it was first" and here:
        return known[:1]
    if head == "any":
        return known
    excluded = head.removeprefix("any but ")
    named = tuple(excluded.split(" and " if excluded != head else " or "))
    if wrong := [one for one in named if one not in known]:
        raise ValueError(f"no such state: {wrong}")
    return tuple(one for one in known if one not in named) if excluded != head else named


def _swept(name: str, text: str, known: dict[str, tuple[str, ...]]) -> Iterator[Edge]:
    """Read ``free slots discarded, unowned``: a move of the other machines. Other words stay words."""
    if not (match := _SWEEP.fullmatch(text)):
        return
    source, machine, target = match.groups()
    if (source in known[machine]) != (target in known[machine]):
        raise ValueError(f"{text!r}: one of {source!r} and {target!r} is no state of a {machine}")
    if source in known[machine]:
        yield Edge(name, machine, source, target)


# Clauses


def _clauses_in(path: Path) -> Iterator[Clause]:
    lines = list(prose(path))
    heads = [index for index, (_, line) in enumerate(lines) if line.startswith("#")]
    for begin, end in pairwise([*heads, len(lines)]):
        number, heading = lines[begin]
        if match := _CLAUSE.fullmatch(heading):
            yield _clause(path, match[1], match[2], number, lines[begin + 1 : end])
        elif _NEAR_CLAUSE.match(heading):
            raise Malformed(
                path, number, f"{heading!r} is no clause; write: ### WORD-ID  ({' | '.join(LEVELS)})"
            )


def _clause(path: Path, name: str, level: str, number: int, body: list[tuple[int, str]]) -> Clause:
    text: list[str] = []
    said: dict[str, str] = {}
    label = ""
    for line, content in body:
        if not content.startswith(">"):
            if content and label:
                raise Malformed(path, line, f"{name}: text after the quote")
            text.append(content)
        elif match := _LABEL.fullmatch(content.removeprefix("> ")):
            label = match[1]
            if label in said:
                raise Malformed(path, line, f"{name}: a second {label}")
            said[label] = match[2]
        elif label and re.match(r"> (?!\w+: )\S", content):
            said[label] += " " + content.removeprefix("> ")
        else:
            raise Malformed(path, line, f"{name}: {content!r} begins with none of Intent:, Assumes:, Rows:")
    if not "".join(text) or tuple(said) != _LABELS:
        raise Malformed(path, number, f"{name}: a clause is a text, then {', '.join(_LABELS)}")
    words = "\n".join(text).strip()
    assumes = _ids(path, name, number, said["Assumes"], "nothing")
    named = _ids(path, name, number, said["Rows"], "none")
    return Clause(name, level, words, said["Intent"], assumes, named, path.name, number)


def _ids(path: Path, name: str, number: int, text: str, nothing: str) -> tuple[str, ...]:
    if text == f"{nothing}.":
        return ()
    listed = tuple(text.removesuffix(".").split(", "))
    if not text.endswith(".") or any(not re.fullmatch(ID, one) for one in listed):
        raise Malformed(path, number, f"{name}: {text!r} is no list of ids; write: A, B.  or: {nothing}.")
    return listed
