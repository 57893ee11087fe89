"""What a pool is: the three machines of ``spec/machines.md`` as immutable values.

A *normal form* keeps equal pools equal: whatever has no meaning in a state is cleared there. A ticket is
bound only to a slot in ``creating``; only a slot that is ``checked_out`` has a holder or is ``fresh``; only
work in ``returning`` or ``discarded`` is ``owned``; a ``discarded`` slot, which will never be granted again,
no longer says whether it is ``unfit``; and a pool that is not open is not backing off. Absent slots, and
tickets that are neither waiting nor granted, are not recorded at all: nothing can depend on them any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Phase = Literal["open", "closing", "closed"]
SlotState = Literal["creating", "free", "checked_out", "returning", "discarded"]


@dataclass(frozen=True, slots=True)
class Config:
    """How a pool was set up; nothing in it ever changes.

    ``limit`` is the limit the pool began with (None: unbounded); RESIZE changes the one in the state.
    ``reset`` says that the pool resets every resource, ``lease_reset`` that a lease may bring a reset of its
    own.
    """

    limit: int | None = 1
    factory: bool = True
    min_size: int = 0
    reset: bool = False
    lease_reset: bool = False
    check: bool = False
    max_waiting: int | None = None
    when_empty: Literal["wait", "raise"] = "wait"
    order: Literal["lifo", "fifo"] = "lifo"


class Slot(NamedTuple):
    """One unit of capacity that is not absent, with its marks."""

    number: int
    state: SlotState
    bound: int | None = None
    holder: int | None = None
    unfit: bool = False
    fresh: bool = False
    owned: bool = False


class State(NamedTuple):
    """A whole pool. ``free`` is the free list, next first; ``queue`` the waiting tickets, longest first."""

    phase: Phase
    limit: int | None
    slots: tuple[Slot, ...] = ()
    free: tuple[int, ...] = ()
    queue: tuple[int, ...] = ()
    backing_off: bool = False


class Event(NamedTuple):
    """A row and the things it is about.

    ``slot`` is the slot that the row moves; for ADD and REFILL, the number of the new one. ``new_slot`` numbers the
    build that the balance may start (None: the smallest unused number). ``limit``
    belongs to RESIZE, where None means unbounded. ``resource`` belongs to ADD: the slot that holds the
    offered object already.
    """

    row: str
    slot: int | None = None
    ticket: int | None = None
    limit: int | None = None
    new_slot: int | None = None
    resource: int | None = None


class Domain(NamedTuple):
    """The numbers that the world outside may draw from: an explorer's few, or those of one recorded event."""

    tickets: tuple[int, ...] = ()
    limits: tuple[int | None, ...] = ()
    new_slot: int | None = None
    resources: tuple[int | None, ...] = (None,)


Guard = Callable[[State, Config, Event], bool]


class Row(NamedTuple):
    """One row of the table: who it may be about, what must be true, what it does before the balance."""

    id: str
    subjects: Callable[[State, Config, Domain], Iterable[Event]]
    guards: Mapping[str, Guard]
    apply: Callable[[State, Config, Event], State]
    inside: bool = False


# Quantities, in the order of the spec.


def live(state: State) -> int:
    return len(state.slots)


def count(state: State, name: SlotState) -> int:
    return sum(slot.state == name for slot in state.slots)


def staying(state: State) -> int:
    return live(state) - count(state, "discarded")


def existing(state: State) -> int:
    return count(state, "free") + count(state, "checked_out") + count(state, "returning")


def waiting(state: State) -> int:
    return len(state.queue)


def below_limit(state: State) -> bool:
    """live < limit, where an unbounded limit is above everything."""
    return state.limit is None or live(state) < state.limit


def short(state: State, config: Config) -> bool:
    building = count(state, "creating")
    return state.phase == "open" and config.factory and building < waiting(state) and below_limit(state)


def meagre(state: State, config: Config) -> bool:
    return staying(state) < config.min_size and below_limit(state)


def surplus(state: State) -> bool:
    return state.limit is not None and staying(state) > state.limit


def would_be_short(state: State, config: Config, ticket: int) -> bool:
    """Whether one more waiting ticket would make the pool short."""
    return short(state._replace(queue=(*state.queue, ticket)), config)


# Looking things up.


def find(state: State, number: int | None) -> Slot:
    return next(slot for slot in state.slots if slot.number == number)


def held_by(state: State, ticket: int) -> Slot | None:
    return next((slot for slot in state.slots if slot.holder == ticket), None)


def is_new(state: State, ticket: int) -> bool:
    return ticket not in state.queue and held_by(state, ticket) is None


def oldest_free(state: State, config: Config) -> int:
    """The slot that became free first: the last to be granted in lifo order, the first in fifo order."""
    return state.free[-1] if config.order == "lifo" else state.free[0]


def unbuilt(state: State) -> int | None:
    """The longest-waiting ticket that no build is bound to."""
    bound = {slot.bound for slot in state.slots}
    return next((ticket for ticket in state.queue if ticket not in bound), None)


def fresh_number(state: State) -> int:
    """The smallest unused number.

    Numbers are never used again in a pool, but no state refers to an absent slot, so an explorer may reuse
    its number without being able to tell: that is what keeps the graph finite.
    """
    used = {slot.number for slot in state.slots}
    return next(number for number in range(1, len(used) + 2) if number not in used)


# Making the next value. Each of these keeps the normal form.


def put(state: State, slot: Slot) -> State:
    """Record *slot*, new or changed. Slots stand in the order of their numbers."""
    others = [other for other in state.slots if other.number != slot.number]
    return state._replace(slots=tuple(sorted([*others, slot])))


def drop(state: State, number: int | None) -> State:
    """The slot becomes absent."""
    return state._replace(slots=tuple(slot for slot in state.slots if slot.number != number))


def mark_unfit(state: State, number: int | None) -> State:
    return put(state, find(state, number)._replace(unfit=True))


def unlist(state: State, number: int | None) -> State:
    return state._replace(free=tuple(other for other in state.free if other != number))


def enter_free(state: State, config: Config, slot: Slot) -> State:
    """*slot* becomes free, at the end of the free list that the pool's order says."""
    free = (slot.number, *state.free) if config.order == "lifo" else (*state.free, slot.number)
    return put(state, slot)._replace(free=free)


def discard(state: State, number: int | None, *, owned: bool) -> State:
    """The slot becomes discarded, wherever it was."""
    assert number is not None
    return put(unlist(state, number), Slot(number, "discarded", owned=owned))


def stop_waiting(state: State, ticket: int | None) -> State:
    """The ticket leaves the queue, and a build that was bound to it is bound to nobody."""
    slots = tuple(slot._replace(bound=None) if slot.bound == ticket else slot for slot in state.slots)
    return state._replace(slots=slots, queue=tuple(other for other in state.queue if other != ticket))


def grant(state: State, number: int | None, ticket: int | None) -> State:
    """The slot leaves the free list and the ticket the queue, if they were there: there is a lease now."""
    slot = find(state, number)
    return put(stop_waiting(unlist(state, number), ticket), slot._replace(state="checked_out", holder=ticket))


def initial(config: Config) -> State:
    """A pool as it is first: nothing has happened to it, and nothing has to be balanced."""
    return State("open", config.limit)
