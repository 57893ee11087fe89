"""The fast paths are the slow ones, and the core is the model, confirmed for all numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from core.actions import FREE, LEASE
from core.claims import ENCODED, OTHERWISE, Bounds, agreements
from core.shapes import Numbers
from core.symbolic import CONFIRMED, REFUTED, Contract, Verdict, generate, verdict
from core.wrong import no_build
from poolproof.core.draft import Draft

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


def disagreements(path: Path, triples: Iterable[tuple[str, str, int]]) -> dict[str, Verdict]:
    contracts = [
        Contract(
            f"{state}_{call}_{place}",
            f"model_before({state!r}, {place}, $n)",
            f"model_agrees({state!r}, {call!r}, {place}, $n)",
        )
        for state, call, place in triples
    ]
    module = generate(path / "agreements.py", IMPORTS, Bounds, contracts)
    said = {each.name: verdict(getattr(module, each.name)) for each in contracts}
    return {name: each for name, each in said.items() if each.state != CONFIRMED}


@pytest.mark.clause("WAIT-FIFO", "WORK-CONSERVING", "CAPACITY")
def test_the_core_is_the_model_for_every_bound(tmp_path: Path) -> None:
    assert {} == disagreements(tmp_path, agreements(ENCODED))


@pytest.mark.exhaustive
def test_the_core_is_the_model_for_every_bound_and_encoding(tmp_path: Path) -> None:
    assert {} == disagreements(tmp_path, agreements(*OTHERWISE))


def test_a_wrong_core_is_not_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draft, "build_start", no_build)
    found = disagreements(tmp_path, [("discarded", "destroyed", 0), ("checked_out", "detach", 1)])
    assert [REFUTED, REFUTED] == [each.state for each in found.values()]
