"""The vectors for other languages are what the model says, all of it, and read back as they were written."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from poolmodel import Slot, State
from poolmodel.__main__ import main
from poolmodel.configurations import SCOPES
from poolmodel.explore import first_node, steps
from poolmodel.state import Config
from poolmodel.vectors import Vector, answer, covering, decode, encode, kind_of, lines, vectors
from source import ROOT
from specification import rows

FILE = ROOT / "model" / "vectors" / "covering.jsonl"
README = ROOT / "model" / "vectors" / "README.md"
REFRESH = "run: python -m poolmodel vectors --out model/vectors/covering.jsonl"
MOST_BYTES = 300_000


@cache
def committed() -> tuple[Vector, ...]:
    return tuple(decode(line) for line in FILE.read_text(encoding="ascii").splitlines())


def test_the_committed_file_is_what_the_model_says() -> None:
    said = "".join(lines(covering()))
    assert said == FILE.read_text(encoding="ascii"), REFRESH
    assert len(said) < MOST_BYTES


def test_every_vector_reads_back_as_it_was_written() -> None:
    text = FILE.read_text(encoding="ascii").splitlines()
    assert text == [encode(vector) for vector in committed()]
    assert len({vector.id for vector in committed()}) == len(text) == len({kind_of(each) for each in committed()})


@pytest.mark.clause("INVALID-UNCHANGED")
def test_every_vector_replays() -> None:
    assert [] == [vector.id for vector in committed() if vector != replayed(vector)]


def replayed(vector: Vector) -> Vector:
    """What the model says of the event today."""
    return answer(vector.id, vector.config, vector.state, vector.event)


def test_a_wrong_vector_does_not_replay() -> None:
    line = next(encode(each) for each in committed() if each.event.row == "RELEASE" and each.outcome is not None)
    value = json.loads(line)
    value["after"]["backing_off"] = not value["after"]["backing_off"]
    wrong = decode(json.dumps(value))
    assert wrong != replayed(wrong)
    del value["after"], value["fired"]
    refused = decode(json.dumps({**value, "refused": ["open"]}))
    assert refused != replayed(refused)


def test_the_committed_vectors_fire_every_row_and_refuse_by_every_guard_that_can() -> None:
    fired = {each.row for vector in committed() if vector.outcome for each in vector.outcome.fired}
    assert {row.id for row in rows()} == fired
    refused = {(vector.event.row, name) for vector in committed() for name in vector.refused}
    asked = {(row.id, name): kind for row in rows() if not row.inner for name, kind in row.guards}
    assert {each for each, kind in asked.items() if kind != "implied"} == refused


@pytest.mark.parametrize("name", ["given", "empty-raises"])
def test_the_vectors_of_a_scope_are_its_edges(name: str) -> None:
    scope = SCOPES[name]
    said = {(each.state, each.event, each.outcome.state) for each in vectors(scope) if each.outcome is not None}
    first = first_node(scope)
    seen, frontier, edges = {first}, [first], set()
    for node in frontier:
        for each in steps(scope, node, scope.domain()):
            edges.add((each.edge.before, each.edge.event, each.edge.after))
            if each.node not in seen:
                seen.add(each.node)
                frontier.append(each.node)
    assert edges == said


def test_the_page_names_everything_that_a_vector_says() -> None:
    text = README.read_text(encoding="utf-8")
    keys = {key for line in FILE.read_text(encoding="ascii").splitlines() for key in json.loads(line)}
    names = keys | {each.name for each in fields(Config)} | set(State._fields) | set(Slot._fields)
    names |= {key for vector in committed() for key in json.loads(encode(vector))["event"]}
    assert [] == sorted(name for name in names if f"`{name}`" not in text)
    assert re.findall(r"\]\((.*?)\)", text) == ["../../spec/transitions.md", "../../spec/machines.md"]


def test_the_command_writes_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vectors", "--config", "empty-raises", "--out", str(tmp_path / "vectors.jsonl")]) == 0
    assert main(["vectors", "--config", "empty-raises"]) == 0
    said = (tmp_path / "vectors.jsonl").read_text(encoding="ascii")
    assert said == capsys.readouterr().out == "".join(lines(vectors(SCOPES["empty-raises"])))
    assert all(vector == replayed(vector) for vector in map(decode, said.splitlines()[::50]))
