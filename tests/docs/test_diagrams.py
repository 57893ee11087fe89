"""The pictures are the table: drawn from it, and up to date. Graphviz itself is not needed here."""

from __future__ import annotations

import html

import pytest

import diagrams
from specification import rows, states

STALE = "stale; run: python docs/tools/diagrams.py"


@pytest.mark.parametrize("machine", diagrams.LAYOUTS)
def test_committed_source_is_drawn_from_the_table(machine: str) -> None:
    committed = (diagrams.IMAGES / f"{machine}.dot").read_text(encoding="utf-8")
    assert diagrams.dot(machine) == committed, STALE


@pytest.mark.parametrize("machine", diagrams.LAYOUTS)
def test_committed_picture_is_drawn_from_the_committed_source(machine: str) -> None:
    source = (diagrams.IMAGES / f"{machine}.dot").read_text(encoding="utf-8")
    picture = (diagrams.IMAGES / f"{machine}.svg").read_text(encoding="utf-8")
    assert diagrams.digest(source) in picture, STALE


@pytest.mark.parametrize("machine", diagrams.LAYOUTS)
def test_picture_shows_every_state_and_every_row(machine: str) -> None:
    picture = html.unescape((diagrams.IMAGES / f"{machine}.svg").read_text(encoding="utf-8"))
    moved = {edge.row for row in rows() for edge in row.edges if edge.machine == machine}
    missing = [name for name in (*states()[machine], *sorted(moved)) if f">{name}</text>" not in picture]
    assert missing == []


def test_every_machine_has_its_picture() -> None:
    assert set(diagrams.LAYOUTS) == set(states())


def test_every_state_has_its_colour() -> None:
    assert {machine: set(layout.colours) for machine, layout in diagrams.LAYOUTS.items()} == {
        machine: set(names) for machine, names in states().items()
    }
