"""A table that records what it is asked and what it does, for all tests of the model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from poolmodel import ROWS, Config, Event, Row, State
from poolmodel.explore import Exploration
from poolmodel.state import Guard


@dataclass
class Record:
    """Which values each guard took, and how each row moved which machine."""

    guards: dict[tuple[str, str], set[bool]] = field(default_factory=lambda: defaultdict(set))
    moves: dict[str, set[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(set))

    def rows(self) -> dict[str, Row]:
        return {name: self._recorded(row) for name, row in ROWS.items()}

    def _recorded(self, row: Row) -> Row:
        def apply(state: State, config: Config, event: Event) -> State:
            after = row.apply(state, config, event)
            self.moves[row.id].update(moves(state, event, after))
            return after

        guards = {name: self._watched(row.id, name, guard) for name, guard in row.guards.items()}
        return row._replace(guards=guards, apply=apply)

    def _watched(self, row: str, name: str, guard: Guard) -> Guard:
        values = self.guards[row, name]

        def watched(state: State, config: Config, event: Event) -> bool:
            value = guard(state, config, event)
            values.add(value)
            return value

        return watched


def moves(before: State, event: Event, after: State) -> set[tuple[str, str, str]]:
    """How a row, without its balance, moved the pool, the slots and the tickets."""
    found: set[tuple[str, str, str]] = {("pool", before.phase, after.phase)}
    old = {slot.number: slot.state for slot in before.slots}
    new = {slot.number: slot.state for slot in after.slots}
    for number in old.keys() | new.keys():
        source, target = old.get(number, "absent"), new.get(number, "absent")
        if source != target or number == event.slot:
            found.add(("slot", source, target))
    for ticket in {event.ticket, *before.queue} - {None}:
        source, target = place(before, ticket, "new"), place(after, ticket, "ended")
        if source != target or ticket == event.ticket:
            found.add(("ticket", source, target))
    return found


def place(state: State, ticket: int | None, elsewhere: str) -> str:
    if ticket in state.queue:
        return "waiting"
    return "granted" if any(slot.holder == ticket for slot in state.slots) else elsewhere


@dataclass
class Explored:
    """All scopes, explored, and what was recorded on the way."""

    scopes: dict[str, Exploration]
    record: Record
