"""One indivisible step: a row, then the balance.

``step`` is also an oracle for recorded runs: it takes whatever numbers the record has for slots and tickets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from poolmodel.rows import ROWS
from poolmodel.state import Config, Domain, Event, Row, State

Rows = Mapping[str, Row]


class Fired(NamedTuple):
    """One thing that happened within a step."""

    row: str
    slot: int | None
    ticket: int | None


class Outcome(NamedTuple):
    """The state after a step, and what happened in it: the row of the event, then those of the balance."""

    state: State
    fired: tuple[Fired, ...]


class NotEnabled(Exception):
    """No row allows this event here: nothing has changed."""

    def __init__(self, event: Event, false: tuple[str, ...]) -> None:
        why = f"needs {', '.join(false)}" if false else "its subject is not where the row starts"
        super().__init__(f"{event.row} is not enabled: {why}; asked for {event}")
        self.event = event
        self.false = false


def false_guards(state: State, config: Config, event: Event, rows: Rows = ROWS) -> tuple[str, ...]:
    return tuple(name for name, guard in rows[event.row].guards.items() if not guard(state, config, event))


def subjects(state: State, config: Config, domain: Domain, rows: Rows = ROWS) -> Iterator[Event]:
    """Every event from outside whose *from* column is met, whether or not its guards are."""
    for row in rows.values():
        if not row.inside:
            yield from row.subjects(state, config, domain)


def enabled(state: State, config: Config, domain: Domain, rows: Rows = ROWS) -> Iterator[Event]:
    """Every event from outside that may happen next, drawn from *domain*."""
    for row in rows.values():
        if row.inside:
            continue
        for event in row.subjects(state, config, domain):
            if all(guard(state, config, event) for guard in row.guards.values()):
                yield event


def perform(state: State, config: Config, event: Event, rows: Rows = ROWS) -> Outcome:
    """Carry out an event that ``enabled`` has offered."""
    moved = rows[event.row].apply(state, config, event)
    after, more = balance(moved, config, event, rows)
    return Outcome(after, (Fired(event.row, event.slot, event.ticket), *more))


def step(state: State, config: Config, event: Event, rows: Rows = ROWS) -> Outcome:
    """Carry out *event*, or raise NotEnabled naming the guards that are false.

    What the event leaves out is filled in where the row leaves no choice: the ticket of a lease that is named
    by its slot, the slot of a lease that is named by its ticket, the slot that is next to be granted.
    """
    if rows[event.row].inside:
        raise NotEnabled(event, ())
    false: tuple[str, ...] = ()
    own = Domain(
        tickets=() if event.ticket is None else (event.ticket,),
        limits=(event.limit,),
        new_slot=event.slot,
        resources=(event.resource,),
    )
    for subject in rows[event.row].subjects(state, config, own):
        if event.slot not in (None, subject.slot) or event.ticket not in (None, subject.ticket):
            continue
        false = false_guards(state, config, subject, rows)
        if not false:
            return perform(state, config, subject._replace(new_slot=event.new_slot), rows)
    raise NotEnabled(event, false)


def balance(state: State, config: Config, event: Event, rows: Rows = ROWS) -> tuple[State, list[Fired]]:
    """The end of every step: hand off, then start at most one build, then see whether closing is over."""
    fired: list[Fired] = []

    def happens(row: str) -> bool:
        nonlocal state
        if not rows[row].inside and row != "EXPIRE":
            return False
        for subject in rows[row].subjects(state, config, Domain(new_slot=event.new_slot)):
            if row == "EXPIRE" and subject.slot != state.free[0]:
                continue
            if not false_guards(state, config, subject, rows):
                state = rows[row].apply(state, config, subject)
                fired.append(Fired(row, subject.slot, subject.ticket))
                return True
        return False

    while state.queue and state.free and (happens("HAND-OFF") or happens("EXPIRE")):
        pass
    happens("BUILD-START")
    happens("CLOSED")
    # A slot that is free at the end of a step did not go straight from its build to a ticket.
    if any(slot.fresh and slot.state == "free" for slot in state.slots):
        slots = tuple(slot._replace(fresh=False) if slot.state == "free" else slot for slot in state.slots)
        state = state._replace(slots=slots)
    return state, fired
