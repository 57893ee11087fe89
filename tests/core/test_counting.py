"""The counting abstraction is confirmed for any number of slots and tickets."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.counting import GUARDS, Counts
from core.symbolic import CONFIRMED, REFUTED, Contract, generate, verdict

pytestmark = [pytest.mark.crosshair]

IMPORTS = "from core.counting import Counts, climbs, enabled, keeps, leaps, sound"


@pytest.mark.clause("WORK-CONSERVING", "CAPACITY", "COUNTS-RECOUNT")
def test_every_row_keeps_the_counts_sound(tmp_path: Path) -> None:
    rows = {f"row_{place}": row for place, row in enumerate(GUARDS)}
    contracts = [Contract(name, f"enabled({row!r}, $n)", f"keeps({row!r}, $n)") for name, row in rows.items()]
    module = generate(tmp_path / "counting_rows.py", IMPORTS, Counts, contracts)
    said = {row: verdict(getattr(module, name)) for name, row in rows.items()}
    assert dict.fromkeys(GUARDS, CONFIRMED) == {row: each.state for row, each in said.items()}, said


@pytest.mark.clause("RESIZE-BOTH-WAYS", "WORK-CONSERVING")
@pytest.mark.parametrize(("step", "state"), [("climbs", CONFIRMED), ("leaps", REFUTED)])
def test_a_limit_climbs_and_does_not_leap(tmp_path: Path, step: str, state: str) -> None:
    contract = Contract(f"limit_{step}", "sound($n)", f"{step}($n)")
    module = generate(tmp_path / f"counting_{step}.py", IMPORTS, Counts, [contract])
    assert state == verdict(getattr(module, f"limit_{step}")).state
