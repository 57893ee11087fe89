"""Contracts of the core's functions, confirmed by symbolic execution for all numbers.

Lengths of lists are bounded, as the ids of the tests say; limits, counts, times, uses and generations are not.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from core.actions import CONTRACTS, IMPOSSIBLE_SHAPES, longer, ordinary
from core.shapes import Numbers, Shape
from core.symbolic import CONFIRMED, IMPOSSIBLE, REFUTED, Contract, Verdict, generate, verdict
from core.wrong import WRONG
from source import ROOT

pytestmark = [pytest.mark.crosshair]

IMPORTS = """\
from core.actions import CONTRACTS
from core.contracts import holds_after, holds_before
from core.shapes import Numbers, Shape
from core.wrong import WRONG"""
UNCONFIRMED = Path(__file__).with_name("unconfirmed.md")
PAGE = ROOT / "docs" / "explanation" / "core-checks.md"


def verdicts(path: Path, table: str, name: str, shapes: Sequence[Shape]) -> dict[Shape, Verdict]:
    """What CrossHair says of the contract *name* of *table* for each of *shapes*."""
    action = f"{table}[{name!r}][0]"
    contracts = [
        Contract(f"contract_{place}", f"holds_before({action}, {shape!r}, $n)", f"holds_after({action}, {shape!r}, $n)")
        for place, shape in enumerate(shapes)
    ]
    module = generate(path / f"contracts_{zlib.crc32(name.encode())}.py", IMPORTS, Numbers, contracts)
    return {shape: verdict(getattr(module, each.name)) for shape, each in zip(shapes, contracts, strict=True)}


def listed(name: str) -> set[str]:
    """The shapes for which unconfirmed.md says that the contract *name* is not confirmed."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", UNCONFIRMED.read_text(encoding="utf-8"), re.MULTILINE)
    return {shape for contract, shape in rows if contract == name}


def lists(shape: Shape) -> str:
    return f"free {shape.free}+{shape.back}, queue {shape.queue or '-'}"


def unconfirmed(found: dict[Shape, Verdict]) -> dict[str, Verdict]:
    return {lists(shape): said for shape, said in found.items() if said.state != CONFIRMED}


def expected(name: str, shapes: Iterable[Shape]) -> set[str]:
    return listed(name) & {lists(shape) for shape in shapes}


@pytest.mark.clause("WORK-CONSERVING", "WAIT-FIFO", "CAPACITY", "CONSERVATION", "EXCLUSIVE", "COUNTS-RECOUNT")
@pytest.mark.parametrize("name", CONTRACTS)
def test_contract_is_confirmed(name: str, tmp_path: Path) -> None:
    shapes = ordinary(name)
    found = unconfirmed(verdicts(tmp_path, "CONTRACTS", name, shapes))
    assert expected(name, shapes) == set(found), found


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CONTRACTS)
def test_contract_is_confirmed_for_longer_lists(name: str, tmp_path: Path) -> None:
    shapes = longer(name)
    found = unconfirmed(verdicts(tmp_path, "CONTRACTS", name, shapes))
    assert expected(name, shapes) == set(found), found


def test_impossible_shapes_meet_no_precondition(tmp_path: Path) -> None:
    found = verdicts(tmp_path, "CONTRACTS", "close", IMPOSSIBLE_SHAPES)
    assert dict.fromkeys(IMPOSSIBLE_SHAPES, IMPOSSIBLE) == {shape: said.state for shape, said in found.items()}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_core_is_refuted(name: str, tmp_path: Path) -> None:
    shape = WRONG[name][1]
    assert REFUTED == verdicts(tmp_path, "WRONG", name, [shape])[shape].state


def test_the_page_counts_the_contracts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    some, all_ = (sum(len(shapes(name)) for name in CONTRACTS) for shapes in (ordinary, longer))
    assert f"{some} contracts: lists up to" in text
    assert f"{all_} with `-m exhaustive`" in text
