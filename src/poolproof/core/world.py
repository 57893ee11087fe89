"""The whole: one immutable picture of a pool's state and all registers, and what must be true of it."""

from __future__ import annotations

from typing import NamedTuple

from poolproof.core.draft import checked_out_count, free_count
from poolproof.core.lists import queue_items, walk
from poolproof.core.values import (
    CHECKED_OUT,
    CLOSED,
    CREATING,
    DISCARDED,
    FREE,
    OPEN,
    REFUSED,
    RETURNING,
    WAITING,
    Options,
    Record,
    Slot,
    SlotState,
    State,
    Ticket,
    TicketRecord,
    TicketState,
    read,
)


class World(NamedTuple):
    """A state, the registers of slots, and those of all tickets in the queue, as one consistent value."""

    state: State
    slots: tuple[tuple[Slot, Record], ...]
    tickets: tuple[tuple[Ticket, TicketRecord], ...]


def world_of(state: State, slots: list[Slot]) -> World:
    """The world made of *state* and what the registers of *slots* and of its queue hold now.

    Consistent if the state is still the pool's value afterwards: every commit replaces it.   Cost: O(slots).
    """
    queue = queue_items(state.ledger.queue, state.ledger.tail)
    return World(state, tuple((slot, read(slot)) for slot in slots), tuple((ticket, ticket.record) for ticket in queue))


def backlog_of(state: State) -> list[Slot]:
    """The slots with unowned work, next first."""
    return [slot for items in walk(state.ledger.backlog) for slot in walk(items)]


def slot_states(world: World) -> dict[Slot, SlotState]:
    """The state of every live slot. Lists decide before registers: a bulk step moves lists only."""
    free = set(queue_items(world.state.free, world.state.back))
    backlog = set(backlog_of(world.state))
    states: dict[Slot, SlotState] = {}
    for slot, record in world.slots:
        if slot in free:
            states[slot] = FREE
        elif slot in backlog:
            states[slot] = RETURNING if record.state == RETURNING else DISCARDED
        else:
            states[slot] = record.state
    return states


def ticket_state(state: State, record: TicketRecord) -> TicketState:
    """The state of a ticket: one that waits in a pool that is not open is refused."""
    return REFUSED if record.state == WAITING and state.ledger.phase != OPEN else record.state


def broken(world: World, options: Options) -> list[str]:
    """The clauses that this world breaks; empty for every world that steps can reach.   Cost: O(slots + tickets)."""
    state, ledger = world.state, world.state.ledger
    states = slot_states(world)
    count = list(states.values()).count
    waiting = sum(record.state == WAITING for _, record in world.tickets)
    free = queue_items(state.free, state.back)
    backlog = backlog_of(state)
    rules = {
        "EXCLUSIVE": len(set(free + backlog)) == len(free) + len(backlog)
        and all(slot in states for slot in free + backlog)
        and all(record.state == FREE for slot, record in world.slots if states[slot] == FREE),
        "COUNTS-RECOUNT": (len(states), count(CREATING), count(RETURNING), count(DISCARDED))
        == (ledger.live, ledger.creating, ledger.returning, ledger.discarded)
        and (count(FREE), count(CHECKED_OUT)) == (free_count(state), checked_out_count(state))
        and (waiting, len(world.tickets) - waiting) == (ledger.waiting, ledger.tombs),
        "CONSERVATION": ledger.created + ledger.added
        == ledger.live - ledger.creating + ledger.detached + ledger.destroyed,
        "WAIT-FIFO": not world.tickets or world.tickets[0][1].state == WAITING,
        "WORK-CONSERVING": not ledger.waiting
        or (not free and (not options.factory or ledger.creating >= ledger.waiting or ledger.live >= ledger.limit)),
        "CLOSE-FINAL": ledger.phase == OPEN
        or (not free and not world.tickets and (ledger.phase == CLOSED) == (ledger.live == 0)),
        "NEVER-STALE": all(slot.generation == ledger.generation for slot in free),
    }
    return [clause for clause, holds in rules.items() if not holds]
