"""Test vectors: states, events and what must come of them, as JSON lines that any language can read.

A vector is one event in one state. It says either what the step leads to and which rows it fires, or why no row allows
it. ``model/vectors/README.md`` describes the form.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from poolmodel.configurations import SCOPES
from poolmodel.explore import Scope, first_node, steps
from poolmodel.invariants import LEASE_ENDS
from poolmodel.machine import Fired, NotEnabled, Outcome, step, subjects
from poolmodel.state import Config, Event, Slot, State, held_by

# Rows about one slot, other than the end of a lease; asked of every slot, wherever it is.
SLOT_ROWS = (
    "BUILD-OK",
    "BUILD-LATE",
    "BUILD-FAILED",
    "BUILD-LOST",
    "BUILD-ABANDONED",
    "RESET-OK",
    "RESET-FAILED",
    "INSPECT",
    "EXPIRE",
    "SHRINK",
    "ADOPT",
    "ORPHAN",
    "DESTROYED",
    "REMOVE-FREE",
    "RETIRE",
)
# Beyond this many, slots in one state and tickets that wait make no vector new.
MANY = 2
# Of each scope, the committed vectors look at so many states.
FIRST = 400


@dataclass(frozen=True)
class Vector:
    """One event in one state. Without an *outcome* the event is refused, and *refused* names the guards that are
    false; it names none if the slot or the ticket is not where the row starts."""

    id: str
    config: Config
    state: State
    event: Event
    outcome: Outcome | None
    refused: tuple[str, ...] = ()


def covering() -> Iterator[Vector]:
    """The first vector of every kind, scope by scope, simplest states first."""
    seen: set[Hashable] = set()
    for scope in SCOPES.values():
        for vector in vectors(scope, FIRST):
            if (kind := kind_of(vector)) not in seen:
                seen.add(kind)
                yield vector


def vectors(scope: Scope, most: int | None = None) -> Iterator[Vector]:
    """Every vector of the states of *scope*, or of the first *most* of them, in the order in which they are reached."""
    for place, state in enumerate(islice(reached(scope), most)):
        for number, event in enumerate(asked(scope, state)):
            yield answer(f"{scope.name}/{place}/{number}", scope.config, state, event)


def reached(scope: Scope) -> Iterator[State]:
    """Every state of *scope* once, breadth first."""
    first, domain = first_node(scope), scope.domain()
    nodes, states, frontier = {first}, {first.state}, deque([first])
    yield first.state
    while frontier:
        for each in steps(scope, frontier.popleft(), domain):
            if each.node not in nodes:
                nodes.add(each.node)
                frontier.append(each.node)
                if each.node.state not in states:
                    states.add(each.node.state)
                    yield each.node.state


def asked(scope: Scope, state: State) -> Iterator[Event]:
    """Every event that *scope* lets happen, and every mistake that names a slot or a lease."""
    met = [each for each in subjects(state, scope.config, scope.domain()) if each.row in scope.rows]
    yield from met
    named = {(event.row, event.slot) for event in met}
    for row in SLOT_ROWS:
        for slot in state.slots:
            if row in scope.rows and (row, slot.number) not in named:
                yield Event(row, slot=slot.number)
    for row in sorted(LEASE_ENDS & scope.rows):
        for ticket in scope.domain().tickets:
            if held_by(state, ticket) is None:
                yield Event(row, ticket=ticket)


def answer(name: str, config: Config, state: State, event: Event) -> Vector:
    """The vector that says what comes of *event*."""
    try:
        return Vector(name, config, state, event, step(state, config, event))
    except NotEnabled as error:
        return Vector(name, config, state, event, None, error.false)


def kind_of(vector: Vector) -> Hashable:
    """What a vector is an example of: two of one kind show the same."""
    state, event, config = vector.state, vector.event, vector.config
    about = next((slot.state for slot in state.slots if slot.number == event.slot), None)
    if vector.outcome is None:
        return event.row, vector.refused, about
    crowd = min(MANY, len(state.queue)), min(MANY, len(state.free))
    fired = tuple(each.row for each in vector.outcome.fired)
    return event.row, fired, about, crowd, state.phase, config.order


# JSON


def encode(vector: Vector) -> str:
    """One line, without the end of line; always the same for the same vector."""
    value: dict[str, Any] = {
        "id": vector.id,
        "config": asdict(vector.config),
        "state": state_to_json(vector.state),
        "event": event_to_json(vector.event),
    }
    if vector.outcome is None:
        value["refused"] = list(vector.refused)
    else:
        value["after"] = state_to_json(vector.outcome.state)
        value["fired"] = [list(each) for each in vector.outcome.fired]
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def decode(line: str) -> Vector:
    """The vector that *line* says."""
    value = json.loads(line)
    outcome = None
    if "refused" not in value:
        fired = tuple(Fired(*each) for each in value["fired"])
        outcome = Outcome(state_from_json(value["after"]), fired)
    return Vector(
        value["id"],
        Config(**value["config"]),
        state_from_json(value["state"]),
        Event(**value["event"]),
        outcome,
        tuple(value.get("refused", ())),
    )


def lines(chosen: Iterable[Vector]) -> Iterator[str]:
    """The lines of a file of vectors."""
    return (f"{encode(vector)}\n" for vector in chosen)


def state_to_json(state: State) -> dict[str, Any]:
    return {**state._asdict(), "slots": [slot_to_json(slot) for slot in state.slots]}


def slot_to_json(slot: Slot) -> dict[str, Any]:
    """Only what is so: no ticket and no mark that the slot does not have."""
    return {name: each for name, each in slot._asdict().items() if each is not None and each is not False}


def state_from_json(value: dict[str, Any]) -> State:
    slots = tuple(Slot(**slot) for slot in value["slots"])
    return State(**{**value, "slots": slots, "free": tuple(value["free"]), "queue": tuple(value["queue"])})


def event_to_json(event: Event) -> dict[str, Any]:
    """What the event names; RESIZE always names its limit, where null is none."""
    value = {name: each for name, each in event._asdict().items() if each is not None}
    return {**value, "limit": event.limit} if event.row == "RESIZE" else value
