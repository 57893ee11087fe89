"""What is recorded of the families is of the families as they are, and complete."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolproof.conformance import families
from poolproof.conformance.__main__ import main
from poolproof.conformance.families import FAMILIES, Family
from poolproof.conformance.programs import Program

RESULTS = Path(__file__).with_name("results.json")


def stale(recorded: dict[str, Any]) -> list[str]:
    """What is recorded of no family, or of one with other programs or bounds."""
    known = {name: family.fingerprint for name, family in FAMILIES.items()}
    return [name for name, told in recorded.items() if told["fingerprint"] != known.get(name)]


def unfinished(recorded: dict[str, Any]) -> list[str]:
    """What was not run to its end, or was not right."""
    return [name for name, told in recorded.items() if told["verdicts"] != {"ok": told["programs"]}]


def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_every_result_is_of_a_family_as_it_is() -> None:
    assert stale(recorded()) == []


def test_every_result_is_complete() -> None:
    assert unfinished(recorded()) == []


def test_what_the_page_speaks_of_is_recorded() -> None:
    assert {"pairs", "triples", "rounds", "some-three-rounds", "three-rounds", "strikes"} <= recorded().keys()


def test_result_of_other_programs_or_bounds_is_stale() -> None:
    family = FAMILIES["rounds"]
    others = (
        replace(family, programs=family.programs[1:]), replace(family, bound=1), replace(family, grain="commits")
    )  # fmt: skip
    for other in others:
        assert stale({"rounds": {"fingerprint": other.fingerprint}}) == ["rounds"]
    assert stale({"rounds": {"fingerprint": family.fingerprint}}) == []
    assert stale({"nothing": {"fingerprint": family.fingerprint}}) == ["nothing"]


def test_limit_is_recorded_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program.parse("size=1: acquire release | acquire release")
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"pairs": {"verdicts": {"ok": 153}, "programs": 153}}), encoding="utf-8")
    monkeypatch.setitem(families.FAMILIES, "rounds", Family("cut short", (program,), most=3))
    assert main(["family", "rounds", "--record", str(path)]) == 2
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["rounds"]["runs"] == 3
    assert found["rounds"]["limits"] == [str(program)]
    assert unfinished(found) == ["rounds"]
