"""Worlds: a state of the model, and what a history knows besides.

A slot that holds a resource has the resource's number. A build that was called has a number below CALLED, one that
waits to be called a number between CALLED and 0. So the state alone says which resource is where.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import poolmodel
from poolmodel.machine import Fired, NotEnabled
from poolmodel.machine import Outcome as ModelOutcome
from poolmodel.state import Config, Event, Slot, State, put
from poolproof.conformance.history.events import Outcome

CALLED = -1_000


class World(NamedTuple):
    """``fates`` are the outcomes that acquires met with and have not taken note of; ``hoped`` those that they are
    known to end with (without a check, which may give a ticket several slots); ``marks`` say which callbacks run
    (their kind and resource), which tickets passed their check, which were checked and revoked, which have waited with
    nothing to be had, and which leases were revoked."""

    state: State
    fates: frozenset[tuple[int, Outcome]] = frozenset()
    marks: frozenset[tuple[str, int]] = frozenset()
    hoped: frozenset[tuple[int, Outcome]] = frozenset()

    def fate(self, ticket: int) -> Outcome | None:
        return next((outcome for each, outcome in self.fates if each == ticket), None)

    def meets(self, ticket: int | None, outcome: Outcome) -> World:
        """The ticket met with *outcome*."""
        assert ticket is not None
        return self._replace(fates=self.fates | {(ticket, outcome)})

    def hopes(self, ticket: int, outcome: Outcome) -> World:
        return self._replace(hoped=self.hoped | {(ticket, outcome)})

    def forgets(self, ticket: int) -> World:
        """The acquire is over, and so is everything that only it had to know."""
        fates = frozenset(pair for pair in self.fates if pair[0] != ticket)
        hoped = frozenset(pair for pair in self.hoped if pair[0] != ticket)
        return self._replace(fates=fates, hoped=hoped, marks=self.marks - {("waited", ticket)})

    def noticed(self) -> World:
        """Tickets that wait and have no build to begin are marked: there was a moment when they could have nothing."""
        state = self.state
        if not state.queue:
            return self
        ready = {slot.bound for slot in state.slots if uncalled(slot)}
        waited = {("waited", ticket) for ticket in state.queue if ticket not in ready}
        return self if waited <= self.marks else self._replace(marks=self.marks | waited)

    def in_vain(self) -> bool:
        """Whether some acquire cannot end any more as it is known to end."""
        return any(missed(self, ticket, hope) for ticket, hope in self.hoped)

    def marked(self, what: str, number: int) -> World:
        return self._replace(marks=self.marks | {(what, number)})

    def unmarked(self, what: str, number: int) -> World:
        return self._replace(marks=self.marks - {(what, number)})

    def has(self, what: str, number: int) -> bool:
        return (what, number) in self.marks

    def slot(self, number: int | None) -> Slot | None:
        return next((slot for slot in self.state.slots if slot.number == number), None)

    def held(self, ticket: int | None) -> Slot | None:
        return next((slot for slot in self.state.slots if slot.holder == ticket and ticket is not None), None)


# What a try_acquire that returned nothing may have met with.
NOTHING = frozenset(("AcquireTimeout", "PoolBusy"))


def missed(world: World, ticket: int, hope: Outcome) -> bool:
    """Whether the ticket met with something else than *hope*."""
    if hope.kind == "cancelled":
        return False
    if (slot := world.held(ticket)) is not None:
        return hope.kind != "lease" or hope.resource not in (slot.number, None)
    fate = world.fate(ticket)
    return fate is not None and not fits(fate, hope, world, ticket)


def fits(fate: Outcome, outcome: Outcome, world: World, ticket: int) -> bool:
    """Whether an acquire that met with *fate* may end with *outcome*."""
    if outcome.kind == "nothing":
        return fate.kind in NOTHING
    if fate.kind == "CheckFailed" and outcome.kind == "PoolClosed":  # CHECK-TERMINATES leaves it the choice
        return world.state.phase != "open"
    if fate.kind == "lease" and fate != outcome:  # the lease was revoked before its caller had it
        return outcome == Outcome("lease") or outcome.kind in ("LeaseRevoked", "PoolClosed")
    return fate == outcome


class Stepped(NamedTuple):
    """A world after a step, and the rows that fired."""

    world: World
    fired: tuple[Fired, ...]


def beginning(config: Config, given: tuple[int, ...]) -> World:
    return World(State("open", config.limit, tuple(Slot(each, "free") for each in sorted(given)), given))


def stepped(world: World, config: Config, event: Event) -> Stepped | None:
    """The model's step, with whatever it does to tickets that nobody else would remember; None if not enabled."""
    before = world.state
    outcome = model_step(before, config, event)
    if outcome is None:
        return None
    world = world._replace(state=outcome.state)
    if event.row == "CLOSE":
        for ticket in before.queue:
            world = world.meets(ticket, Outcome("PoolClosed"))
    return Stepped(world.noticed(), outcome.fired)


@lru_cache(maxsize=100_000)
def model_step(state: State, config: Config, event: Event) -> ModelOutcome | None:
    """`poolmodel.step`, remembered, with a number for the build that the balance may start."""
    if event.new_slot is None:
        event = event._replace(new_slot=unused(state))
    try:
        return poolmodel.step(state, config, event)
    except NotEnabled:
        return None


def first(world: World, config: Config, *events: Event) -> Stepped | None:
    """The first of *events* that is enabled."""
    return next((found for event in events if (found := stepped(world, config, event)) is not None), None)


def unused(state: State) -> int:
    """A number for a build that waits to be called."""
    numbers = {slot.number for slot in state.slots}
    return next(number for number in range(-1, CALLED, -1) if number not in numbers)


def uncalled(slot: Slot) -> bool:
    return slot.state == "creating" and CALLED < slot.number < 0


def renamed(world: World, number: int, new: int) -> World:
    """A build gets another number. It stands in no list, so only the slot itself changes."""
    slots = [slot for slot in world.state.slots if slot.number != number]
    renamed = next(slot for slot in world.state.slots if slot.number == number)._replace(number=new)
    return world._replace(state=put(world.state._replace(slots=tuple(slots)), renamed))
