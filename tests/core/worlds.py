"""Worlds of the core built from states of the model, and the way back.

``gamma`` builds what the core works on, a state and cells, from a state of the model; a `Variant` chooses among the
many ways to encode it. ``alpha`` forgets the encoding. ``after`` is the world that a step leads to, without writing
anything; ``commit`` writes it, as the runtime's commit would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import poolmodel
from poolproof.core import values
from poolproof.core.draft import Draft
from poolproof.core.lists import from_iterable, push, queue_items, reverse
from poolproof.core.release import is_fresh
from poolproof.core.values import (
    CHECKED_OUT,
    CREATING,
    DISCARDED,
    EMPTY_LEDGER,
    FREE,
    FRESH,
    GRANTED,
    OPEN,
    RETURNING,
    UNBOUNDED,
    WAITING,
    WITHDRAWN,
    Build,
    Options,
    Record,
    Retired,
    Slot,
    Step,
    Ticket,
    TicketRecord,
    read,
)
from poolproof.core.world import World, backlog_of, slot_states

NOW = 100.0
MAX_USES = 9
ELSEWHERE = 10_000  # numbers of tickets that the model has forgotten


class Variant(NamedTuple):
    """One way to encode a state of the model.

    ``split``: queues stand in their two-list form, the free list too if it is fifo. ``tombs``: withdrawn tickets
    stand between the waiting ones, and builds that nobody waits for remember who once did. ``lazy``: registers have
    not followed a bulk step: slots of the backlog say free, refused tickets say waiting. ``turn``: how far the
    backlog is rotated. ``unfit``: why an unfit slot is unfit, where the state of the slot allows that reason.
    """

    split: bool = False
    tombs: bool = False
    lazy: bool = False
    turn: int = 0
    unfit: Literal["expired", "renewed", "worn", "retired"] = "expired"


PLAIN = Variant()
VARIANTS = (
    PLAIN,
    Variant(split=True, tombs=True, lazy=True, turn=1, unfit="retired"),
    Variant(split=True, turn=2, unfit="renewed"),
    Variant(tombs=True, lazy=True, turn=3, unfit="worn"),
)


@dataclass(slots=True)
class Built:
    """A concrete world with its cells by number."""

    state: values.State
    options: Options
    slots: dict[int, Slot]
    tickets: dict[int, Ticket]
    now: float = NOW

    def world(self) -> World:
        queue = queue_items(self.state.ledger.queue, self.state.ledger.tail)
        return World(
            self.state,
            tuple((slot, read(slot)) for slot in self.slots.values()),
            tuple((ticket, ticket.record) for ticket in queue),
        )


def options_of(config: poolmodel.Config) -> Options:
    """What the core is told of *config*. Times and uses are the core's own; `gamma` keeps clear of their bounds."""
    return Options(
        factory=config.factory,
        reset=config.reset,
        fifo=config.order == "fifo",
        raise_when_empty=config.when_empty == "raise",
        min_size=config.min_size,
        max_waiting=UNBOUNDED if config.max_waiting is None else config.max_waiting,
        max_uses=MAX_USES,
    )


# From the model to the core.


def gamma(state: poolmodel.State, config: poolmodel.Config, variant: Variant = PLAIN) -> Built:
    """A world that *state* stands for."""
    options = options_of(config)
    slots = {slot.number: _slot(slot, variant) for slot in state.slots}
    tickets = _waiting(state, slots)
    others = _forgotten(state, slots, variant)
    for slot in state.slots:
        if slot.holder is not None:
            ticket = tickets[slot.holder] = Ticket(slot.holder, "client", None)
            stale = next((t.record.build for t in others if variant.tombs), None)
            cell = slots[slot.number]
            ticket.record = TicketRecord(GRANTED, stale, cell, _hold(read(cell)))
    ledger = _ledger(state, config, slots)._replace(**_queue(state, tickets, variant))
    ledger = ledger._replace(backlog=_backlog(state, slots, variant))
    ledger = ledger._replace(quiet=_quiet(ledger, options))
    free = [slots[number] for number in state.free]
    cut = 1 if variant.split and options.fifo else len(free)
    front, back = from_iterable(free[:cut]), reverse(from_iterable(free[cut:]))
    return Built(values.State(1, front, back, ledger), options, slots, tickets)


def _slot(slot: poolmodel.Slot, variant: Variant) -> Slot:
    """The cell of *slot* and its register, as far as it knows no ticket."""
    reason = variant.unfit if slot.unfit else None
    if reason == "renewed" and slot.state == "free":
        reason = "expired"  # a renewal takes every free slot out
    if reason in ("worn", "retired") and slot.state in ("creating", "free"):
        reason = "expired"  # these come from use, and from being removed during use
    state: values.SlotState = slot.state
    if slot.state == "discarded" and not slot.owned and variant.lazy:
        state = FREE
    mark: values.Mark = FRESH if slot.fresh else None
    uses = MAX_USES if reason == "worn" else 0
    number = slot.holder or 0
    record = Record(state, uses, NOW - 10, "client", number, mark)
    if reason == "retired":
        record = Record(state, uses, NOW - 10, "client", number, Retired(record, slot.fresh))
    cell = Slot(slot.number, 0 if reason == "renewed" else 1, record)
    cell.expires = NOW if reason == "expired" else NOW + 10
    return cell


def _hold(record: Record) -> values.PlainRecord:
    """The record that the holder knows."""
    return record.mark.origin if isinstance(record.mark, Retired) else record


def _waiting(state: poolmodel.State, slots: dict[int, Slot]) -> dict[int, Ticket]:
    """The waiting tickets, each with the build that is bound to it."""
    tickets = {}
    for number in state.queue:
        ticket = tickets[number] = Ticket(number, "client", None)
        build = next((slots[slot.number] for slot in state.slots if slot.bound == number), None)
        ticket.record = TicketRecord(WAITING, build)
        if build is not None:
            build.record = Record(CREATING, 0, NOW - 10, ticket, number, None)
    return tickets


def _forgotten(state: poolmodel.State, slots: dict[int, Slot], variant: Variant) -> list[Ticket]:
    """The tickets that asked for a build and do not wait any more."""
    found: list[Ticket] = []
    for slot in state.slots:
        if slot.state != "creating" or slot.bound is not None or not (variant.tombs or variant.lazy):
            continue
        ticket = Ticket(ELSEWHERE + slot.number, "client", None)
        lazy = variant.lazy and state.phase != "open"
        ticket.record = TicketRecord(WAITING if lazy else WITHDRAWN, slots[slot.number])
        slots[slot.number].record = Record(CREATING, 0, NOW - 10, ticket, ticket.number, None)
        found.append(ticket)
    return found


def _ledger(state: poolmodel.State, config: poolmodel.Config, slots: dict[int, Slot]) -> values.Ledger:
    count = [slot.state for slot in state.slots].count
    return EMPTY_LEDGER._replace(
        phase=state.phase,
        limit=UNBOUNDED if state.limit is None else state.limit,
        generation=1,
        live=len(slots),
        creating=count("creating"),
        returning=count("returning"),
        discarded=count("discarded"),
        backing_off=state.backing_off,
        retry_at=NOW,
        failures=3 if state.backing_off else 0,
        made=poolmodel.fresh_number(state) - 1,
        created=len(slots) - count("creating"),
    )


def _queue(state: poolmodel.State, tickets: dict[int, Ticket], variant: Variant) -> dict[str, Any]:
    """The queue, with a withdrawn ticket behind the first two living ones if *variant* says so."""
    queue, tombs = [], 0
    for place, number in enumerate(state.queue):
        queue.append(tickets[number])
        if variant.tombs and place < 2:
            tomb = Ticket(ELSEWHERE * (place + 2), "client", None)
            tomb.record = TicketRecord(WITHDRAWN)
            queue.append(tomb)
            tombs += 1
    cut = 1 if variant.split else len(queue)
    front, tail = from_iterable(queue[:cut]), reverse(from_iterable(queue[cut:]))
    return {"queue": front, "tail": tail, "waiting": len(state.queue), "tombs": tombs}


def _backlog(state: poolmodel.State, slots: dict[int, Slot], variant: Variant) -> Any:
    """The unowned work, as a list of lists: of one each, or all in the first."""
    unowned = [
        slots[slot.number] for slot in state.slots if slot.state in ("returning", "discarded") and not slot.owned
    ]
    turn = variant.turn % len(unowned) if unowned else 0
    unowned = unowned[turn:] + unowned[:turn]
    if variant.lazy:
        return push(from_iterable(unowned), ()) if unowned else ()
    return from_iterable(push(slot, ()) for slot in unowned)


def _quiet(ledger: values.Ledger, options: Options) -> bool:
    return (
        ledger.phase == OPEN
        and not ledger.waiting
        and not ledger.backlog
        and ledger.live - ledger.discarded <= ledger.limit
        and not options.reset
    )


# From the core to the model.


def alpha(world: World, options: Options, now: float) -> poolmodel.State:
    """The state of the model that *world* stands for."""
    ledger = world.state.ledger
    limit: Any = ledger.limit  # unbounded is the one limit that is no int
    states = slot_states(world)
    backlog = set(backlog_of(world.state))
    bound = {
        record.build: ticket.number for ticket, record in world.tickets if record.state == WAITING and record.build
    }
    draft = Draft(world.state, options, now)
    slots = []
    for cell, record in world.slots:
        name = states[cell]
        assert name != "absent"
        taken = name == CHECKED_OUT
        worked = name in (RETURNING, DISCARDED)
        slots.append(
            poolmodel.Slot(
                cell.number,
                name,
                bound.get(cell) if name == CREATING else None,
                record.number if taken else None,
                name != DISCARDED and not draft.fit(cell, record),
                taken and is_fresh(record),
                worked and cell not in backlog,
            )
        )
    return poolmodel.State(
        ledger.phase,
        None if isinstance(limit, float) else limit,
        tuple(sorted(slots)),
        tuple(slot.number for slot in queue_items(world.state.free, world.state.back)),
        tuple(ticket.number for ticket, record in world.tickets if record.state == WAITING),
        ledger.backing_off,
    )


# Steps.


def after(world: World, step: Step) -> World:
    """The world that *step* leads to from *world*. No register is written."""
    moves = dict(step.moves)
    registers = {slot: moves.get(slot, record) for slot, record in world.slots}
    for slot in born(step):
        registers.setdefault(slot, moves.get(slot, read(slot)))
    queue = queue_items(step.state.ledger.queue, step.state.ledger.tail)
    return World(
        step.state,
        tuple((slot, record) for slot, record in registers.items() if record.state != "absent"),
        tuple((ticket, moves.get(ticket, ticket.record)) for ticket in queue),
    )


def born(step: Step) -> list[Slot]:
    """Every slot that *step* names anywhere, hence also those that it makes."""
    named = [cell for cell, _ in step.moves if isinstance(cell, Slot)]
    named += [effect.slot for effect in step.effects if isinstance(effect, Build)]
    return named + [record.build for _, record in step.moves if isinstance(record, TicketRecord) and record.build]


def commit(built: Built, step: Step) -> None:
    """Make *step* true: registers and state, as the runtime's commit does."""
    for slot, _ in after(built.world(), step).slots:
        built.slots.setdefault(slot.number, slot)
    for cell, record in step.moves:
        cell.record = record
        if isinstance(cell, Ticket):
            built.tickets[cell.number] = cell
    built.slots = {number: slot for number, slot in built.slots.items() if read(slot).state != "absent"}
    built.state = step.state
