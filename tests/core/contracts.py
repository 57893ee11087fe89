"""What each function of the core promises, as one formula over a shape and numbers.

A contract takes a sound world, performs one function of the core, commits its step and says: the world is sound
again; the first row is the one that the table's guards name; every count has moved by exactly what the rows that
fired say; the tickets that wait are those that waited, in their order; the effects are those of the rows, each held
by the record that stands in the register; at most three registers have moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core.shapes import Numbers, Scene, Shape, both, counted, state_of
from poolproof.core.lists import length, queue_items
from poolproof.core.values import (
    CHECKED_OUT,
    GRANTED,
    OPEN,
    RETURNING,
    WAITING,
    Fired,
    Retired,
    Slot,
    State,
    Step,
    Ticket,
    read,
)
from poolproof.core.world import backlog_of


class Action(NamedTuple):
    """One function of the core as it is used, and the row that it must begin with: None if it must do nothing."""

    perform: Callable[[Scene], Step | None]
    row: Callable[[Scene], str | None]
    allowed: Callable[[Scene], Any] = lambda scene: True


# The guards of the table.


def is_open(scene: Scene) -> bool:
    return scene.state.ledger.phase == OPEN


def no_surplus(scene: Scene) -> Any:
    ledger = scene.state.ledger
    return ledger.live - ledger.discarded <= ledger.limit


def fit(scene: Scene) -> Any:
    numbers, subject = scene.numbers, scene.subject
    assert subject is not None
    return both(
        [
            numbers.age == numbers.generation,
            numbers.now < numbers.expires,
            read(subject).uses < numbers.most_uses,
            not isinstance(read(subject).mark, Retired),
        ]
    )


def may_stay(scene: Scene) -> bool:
    return bool(is_open(scene) and no_surplus(scene) & fit(scene))


def is_bound(scene: Scene) -> bool:
    return is_open(scene) and scene.shape.mark.startswith("bound")


def some_unfit(scene: Scene) -> bool:
    return bool(any(scene.now >= slot.expires for slot in free_slots(scene)))


def none_fit_free(scene: Scene) -> Any:
    return both(scene.now >= slot.expires for slot in free_slots(scene))


def would_be_short(scene: Scene) -> Any:
    ledger = scene.state.ledger
    return scene.options.factory & (ledger.creating < ledger.waiting + 1) & (ledger.live < ledger.limit)


def meagre(scene: Scene) -> Any:
    ledger = scene.state.ledger
    return (ledger.live - ledger.discarded < scene.options.min_size) & (ledger.live < ledger.limit)


def free_slots(scene: Scene) -> list[Slot]:
    return queue_items(scene.state.free, scene.state.back)


def waiting_tickets(scene: Scene) -> list[Ticket]:
    queue = queue_items(scene.state.ledger.queue, scene.state.ledger.tail)
    return [ticket for ticket in queue if ticket.record.state == WAITING]


# What the rows do.

# By how much each row changes live, creating, returning, discarded, free, waiting.
DELTAS: dict[str, tuple[int, int, int, int, int, int]] = {
    "GRANT-FREE": (0, 0, 0, 0, -1, 0),
    "QUEUE": (0, 0, 0, 0, 0, 1),
    "REFUSE-CLOSED": (0, 0, 0, 0, 0, 0),
    "REFUSE-EMPTY": (0, 0, 0, 0, 0, 0),
    "REFUSE-BUSY": (0, 0, 0, 0, 0, 0),
    "REFUSE-TIMEOUT": (0, 0, 0, 0, 0, 0),
    "WITHDRAW": (0, 0, 0, 0, 0, -1),
    "BUILD-OK": (0, -1, 0, 0, 1, 0),
    "BUILD-LATE": (0, -1, 0, 1, 0, 0),
    "BUILD-FAILED": (-1, -1, 0, 0, 0, -1),
    "BUILD-LOST": (-1, -1, 0, 0, 0, 0),
    "BUILD-ABANDONED": (-1, -1, 0, 0, 0, 0),
    "RELEASE": (0, 0, 0, 0, 1, 0),
    "RELEASE-RESET": (0, 0, 1, 0, 0, 0),
    "DISCARD": (0, 0, 0, 1, 0, 0),
    "DETACH": (-1, 0, 0, 0, 0, 0),
    "REVOKE": (0, 0, 0, 1, 0, 0),
    "CHECK-FAILED": (0, 0, 0, 1, 0, 1),
    "CHECK-REFUSED": (0, 0, 0, 1, 0, 0),
    "RESET-OK": (0, 0, -1, 0, 1, 0),
    "RESET-FAILED": (0, 0, -1, 1, 0, 0),
    "INSPECT": (0, 0, 1, 0, -1, 0),
    "EXPIRE": (0, 0, 0, 1, -1, 0),
    "SHRINK": (0, 0, 0, 1, -1, 0),
    "ADOPT": (0, 0, 0, 0, 0, 0),
    "DESTROYED": (-1, 0, 0, -1, 0, 0),
    "ADD": (1, 0, 0, 0, 1, 0),
    "REMOVE-FREE": (0, 0, 0, 1, -1, 0),
    "RETIRE": (0, 0, 0, 0, 0, 0),
    "REFILL": (1, 1, 0, 0, 0, 0),
    "RETRY": (0, 0, 0, 0, 0, 0),
    "HAND-OFF": (0, 0, 0, 0, -1, -1),
    "BUILD-START": (1, 1, 0, 0, 0, 0),
    "CLOSED": (0, 0, 0, 0, 0, 0),
}
EFFECTS = {
    "BUILD-LATE": "Destroy",
    "RELEASE-RESET": "Reset",
    "DISCARD": "Destroy",
    "REVOKE": "Destroy",
    "CHECK-FAILED": "Destroy",
    "CHECK-REFUSED": "Destroy",
    "RESET-FAILED": "Destroy",
    "INSPECT": "Check",
    "REFILL": "Build",
}


def delta(scene: Scene, fired: Fired, start: State, was: str | None) -> tuple[int, int, int, int, int, int]:
    """What *fired* must have changed; *was* is the state that the subject had."""
    free = length(start.free) + length(start.back)
    if fired.row in ("RENEW", "CLOSE"):
        return (0, 0, 0, free, -free, -start.ledger.waiting if fired.row == "CLOSE" else 0)
    if fired.row == "RESIZE":
        gone = free - length(scene.state.free) - length(scene.state.back)
        return (0, 0, 0, gone, -gone, 0)
    if fired.row == "ORPHAN":
        return (0, 0, -1, 1, 0, 0) if was == RETURNING else (0, 0, 0, 0, 0, 0)
    if fired.row == "ABANDON":
        assert scene.subject is not None
        back = state_of(scene.subject, backlog_of(scene.state)) == RETURNING
        return (0, 0, 1, 0, 0, 0) if back else (0, 0, 0, 1, 0, 0)
    return DELTAS[fired.row]


def quantities(state: State) -> tuple[Any, ...]:
    ledger = state.ledger
    free = length(state.free) + length(state.back)
    return (ledger.live, ledger.creating, ledger.returning, ledger.discarded, free, ledger.waiting)


def effects_are_due(step: Step) -> bool:
    """The effects are those of the rows that fired, each held by the record that now stands in the register."""
    due = [(EFFECTS[each.row], each.slot) for each in step.fired if each.row in EFFECTS]
    mine = [(type(effect).__name__, effect.slot.number) for effect in step.effects]
    if step.fired and step.fired[0].row == "ADOPT":
        due = [("Reset" if mine[0][0] == "Reset" else "Destroy", step.fired[0].slot)]
    return mine == due and all(effect.slot.record is effect.record for effect in step.effects)


def order_is_kept(scene: Scene, step: Step, waited: list[Ticket], outcomes: list[tuple[Ticket, Any]]) -> bool:
    """Those who wait are those who waited, and who has waited longest was served; every other outcome stands."""
    rows = [each.row for each in step.fired]
    if rows[:1] == ["CHECK-FAILED"] and scene.lease is not None:
        waited = [scene.lease, *waited]
    elif rows[:1] == ["QUEUE"]:
        waited = [*waited, scene.tickets[-1]]
    if not is_open(scene):
        return not waiting_tickets(scene)
    left = [ticket for ticket in waited if ticket.record.state in (WAITING, GRANTED)]
    granted = rows.count("HAND-OFF")
    return (
        waiting_tickets(scene) == left[granted:]
        and all(ticket.record.state == GRANTED for ticket in left[:granted])
        and all(holds(ticket) for ticket in left[:granted])
        and len(left) + rows.count("WITHDRAW") + rows.count("BUILD-FAILED") == len(waited)
        and all(ticket.record is record for ticket, record in outcomes)
    )


def holds(ticket: Ticket) -> bool:
    slot, hold = ticket.record.slot, ticket.record.hold
    return slot is not None and slot.record is hold and read(slot).state == CHECKED_OUT


# The contract.

# The scene that the precondition of this path has built: its postcondition goes on with it.
_SCENES: list[Scene] = []


def holds_before(action: Action, shape: Shape, numbers: Numbers) -> bool:
    """The precondition: numbers are counts, and the world is sound."""
    if not counted(numbers):
        return False
    _SCENES[:] = [Scene(shape, numbers)]
    return bool(_SCENES[0].sound() & action.allowed(_SCENES[0]))


def holds_after(action: Action, shape: Shape, numbers: Numbers) -> bool:
    """The postcondition of *action*."""
    scene = _SCENES.pop() if _SCENES else Scene(shape, numbers)
    start, waited = scene.state, waiting_tickets(scene)
    was = read(scene.subject).state if scene.subject is not None else None
    done = [(ticket, ticket.record) for ticket in scene.tickets if ticket.record.state != WAITING]
    row = action.row(scene)
    step = action.perform(scene)
    if step is None or row is None:
        return step is None and row is None
    if step.fired[0].row != row or len(step.moves) > 3:
        return False
    scene.commit(step)
    changes = [delta(scene, fired, start, was) for fired in step.fired]
    sums = [sum(change[place] for change in changes) for place in range(6)]
    if not (effects_are_due(step) and order_is_kept(scene, step, waited, done)):
        return False
    counts = zip(quantities(start), sums, quantities(scene.state), strict=True)
    return bool(both([scene.sound(), *(old + change == new for old, change, new in counts)]))
