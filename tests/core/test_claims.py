"""The fast paths are the slow ones, and the core is the model, confirmed for all numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.actions import FREE, LEASE
from core.claims import AGREEMENTS, Bounds
from core.shapes import Numbers
from core.symbolic import CONFIRMED, Contract, Verdict, generate, verdict

pytestmark = [pytest.mark.crosshair]

IMPORTS = """\
from core.claims import Bounds, model_agrees, model_before
from core.claims import fast_grant_is_enqueue, fast_release_is_release, sound_before
from core.shapes import Numbers, Shape"""


@pytest.mark.clause("WAIT-FIFO", "NEVER-STALE")
def test_the_fast_grant_is_enqueue_and_hand_off(tmp_path: Path) -> None:
    contracts = [
        Contract(f"grant_{place}", f"sound_before({shape!r}, $n)", f"fast_grant_is_enqueue({shape!r}, $n)")
        for place, shape in enumerate(FREE)
    ]
    module = generate(tmp_path / "fast_grants.py", IMPORTS, Numbers, contracts)
    said = [verdict(getattr(module, each.name)) for each in contracts]
    assert [CONFIRMED] * len(said) == [each.state for each in said], said


@pytest.mark.clause("LEASE-ONCE", "NEVER-STALE")
@pytest.mark.parametrize("plain", [False, True])
def test_the_fast_release_is_release(tmp_path: Path, plain: bool) -> None:
    shapes = [shape for shape in LEASE if shape.mark != "retired" and len(shape.queue) < 2]
    shapes = [shape for shape in shapes if not (plain and shape.fifo)]
    contracts = [
        Contract(
            f"release_{place}",
            f"sound_before({shape!r}, $n)",
            f"fast_release_is_release({shape!r}, $n, {plain})",
        )
        for place, shape in enumerate(shapes)
    ]
    module = generate(tmp_path / f"fast_releases_{plain}.py", IMPORTS, Numbers, contracts)
    said = [verdict(getattr(module, each.name)) for each in contracts]
    assert [CONFIRMED] * len(said) == [each.state for each in said], said


def agreements(path: Path, pairs: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], Verdict]:
    contracts = [
        Contract(f"row_{place}", f"model_before({state!r}, $n)", f"model_agrees({state!r}, {call!r}, $n)")
        for place, (state, call) in enumerate(pairs)
    ]
    module = generate(path / f"agreements_{len(pairs)}.py", IMPORTS, Bounds, contracts)
    said = [verdict(getattr(module, each.name)) for each in contracts]
    return {pair: each for pair, each in zip(pairs, said, strict=True) if each.state != CONFIRMED}


@pytest.mark.clause("WAIT-FIFO", "WORK-CONSERVING", "CAPACITY")
def test_the_core_is_the_model_for_every_bound(tmp_path: Path) -> None:
    assert {} == agreements(tmp_path, AGREEMENTS)
