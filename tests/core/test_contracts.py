"""Contracts of the core's functions, confirmed by symbolic execution for all numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.actions import CONTRACTS
from core.shapes import Numbers, Shape
from core.symbolic import CONFIRMED, Contract, Verdict, generate, verdict

pytestmark = [pytest.mark.crosshair]

IMPORTS = "\n".join(
    [
        "from core.actions import CONTRACTS",
        "from core.contracts import holds_after, holds_before",
        "from core.shapes import Numbers, Shape",
    ]
)


def verdicts(path: Path, name: str, shapes: Sequence[Shape]) -> dict[Shape, Verdict]:
    """What CrossHair says of the contract *name* for each of *shapes*."""
    contracts = [
        Contract(
            f"contract_{place}",
            f"holds_before(CONTRACTS[{name!r}][0], {shape!r}, $n)",
            f"holds_after(CONTRACTS[{name!r}][0], {shape!r}, $n)",
        )
        for place, shape in enumerate(shapes)
    ]
    module = generate(path / f"contracts_{abs(hash(name))}.py", IMPORTS, Numbers, contracts)
    return {shape: verdict(getattr(module, each.name)) for shape, each in zip(shapes, contracts, strict=True)}


@pytest.mark.parametrize("name", CONTRACTS)
def test_contract_is_confirmed(name: str, tmp_path: Path) -> None:
    found = verdicts(tmp_path, name, CONTRACTS[name][1])
    assert {} == {shape: said for shape, said in found.items() if said.state != CONFIRMED}
