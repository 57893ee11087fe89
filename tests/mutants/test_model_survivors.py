"""What generated mutants of the model survived until these tests were written; each says which."""

from __future__ import annotations

import pytest

from poolmodel import Config, Event, State, step
from poolmodel.machine import NotEnabled, subjects
from poolmodel.rows import ROWS, Meaningless
from poolmodel.state import Domain, Slot

FIFO = Config(limit=3, order="fifo")
TOO_OLD = State("open", 3, (Slot(1, "free", unfit=True), Slot(2, "free", unfit=True)), free=(2, 1))


def test_subjects_are_met_whatever_the_guards_say() -> None:
    """machine.subjects: ``yield from row.subjects(...)``."""
    rows = {event.row for event in subjects(TOO_OLD, FIFO, Domain(tickets=(1,)))}
    assert {"QUEUE", "REFUSE-CLOSED", "GRANT-FREE"} <= rows


def test_what_the_balance_does_is_no_event() -> None:
    """machine.step: although nothing else would stand in its way."""
    with pytest.raises(NotEnabled):
        step(State("closing", 1), Config(), Event("CLOSED"))


def test_one_step_clears_away_everything_unfit_the_next_first() -> None:
    """machine.balance: it goes on as long as something happens, and at the front of the free list."""
    outcome = step(TOO_OLD, FIFO, Event("QUEUE", ticket=7))
    assert [("EXPIRE", 2), ("EXPIRE", 1)] == [(each.row, each.slot) for each in outcome.fired if each.row == "EXPIRE"]
    assert () == outcome.state.free


@pytest.mark.parametrize("number", [None, 1])
def test_a_build_needs_a_number_of_its_own(number: int | None) -> None:
    """rows.build_start: neither none at all nor one that is in use."""
    event = Event("BUILD-START", slot=number, ticket=7)
    with pytest.raises(Meaningless):
        ROWS["BUILD-START"].apply(TOO_OLD._replace(queue=(7,)), FIFO, event)
