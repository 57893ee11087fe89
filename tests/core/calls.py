"""Every call that can be made of the core in a world, and what the core proposes.

The functions of the core are of two kinds. Those that anybody may call at any time say None when they do not apply;
they are called on every slot and every ticket. The others belong to whoever holds the slot (a lease or a duty), and
are called only for a slot that is in the state in which somebody holds it; which row they fire is theirs to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import poolmodel
from core.worlds import Built, options_of
from poolproof import core
from poolproof.core.draft import Draft, free_count
from poolproof.core.lists import walk
from poolproof.core.values import (
    UNBOUNDED,
    Fired,
    Options,
    Record,
    Slot,
    State,
    Step,
    Ticket,
    read,
)
from poolproof.core.world import backlog_of, slot_states

# The order in which the surface asks for the rows of an acquire.
ARRIVAL = ("REFUSE-CLOSED", "REFUSE-EMPTY", "GRANT-FREE", "REFUSE-BUSY", "REFUSE-TIMEOUT", "QUEUE")


class Call(NamedTuple):
    """One call of the core: its name for reading, and the step that it proposes, if any."""

    name: str
    step: Step | None

    def events(self) -> list[poolmodel.Event]:
        """The events of the model that the step is said to be, one after another."""
        assert self.step is not None
        rows = self.step.fired
        bulk = [fired for fired in rows if fired.row == rows[0].row and fired.row in ("EXPIRE", "SHRINK")]
        heads = bulk or rows[:1]
        limit = self.step.state.ledger.limit
        return [
            poolmodel.Event(
                head.row,
                head.slot,
                head.ticket,
                None if head.row != "RESIZE" or limit == UNBOUNDED else int(limit),
            )
            for head in heads
        ]


Limits = tuple[int | None, ...]


def calls(built: Built, config: poolmodel.Config, tickets: tuple[int, ...], limits: Limits) -> Iterator[Call]:
    """Every call in the world *built*; *tickets* may arrive, *limits* may be asked for."""
    for number in tickets:
        if number not in built.tickets:
            yield from arrivals(built, number)
    for ticket in built.tickets.values():
        yield Call("withdraw", core.withdraw(built.state, built.options, ticket, built.now))
    held = holdings(built)
    for slot in built.slots.values():
        yield Call("remove", core.remove(built.state, built.options, slot, built.now))
        if config.check:
            yield Call("inspect", core.inspect(built.state, built.options, slot, built.now))
        for name, call in owned_calls(built, config, slot, held[slot]):
            yield Call(name, call(built.state, built.options, slot, read(slot)))
    yield from pool_calls(built, limits)


# Acquire.


def arrivals(built: Built, number: int) -> Iterator[Call]:
    """The ticket *number* arrives, with a timeout of zero and with a longer one."""
    granted = grant(built, number)
    if granted is not None:
        yield Call("grant_free", granted)
        return
    fit = has_fit_free(built.state, built.options, built.now)
    for patient in (False, True):
        row = core.refusal(built.state, built.options, patient, built.now)
        if row is not None:
            nothing = Step(built.state, (), (), (), (Fired(row, None, number),))
            yield Call("refusal", nothing)
        elif not fit:
            ticket = Ticket(number, "client", None)
            yield Call("enqueue", core.enqueue(built.state, built.options, ticket, built.now))


def grant(built: Built, number: int) -> Step | None:
    """The fast path as a step. It numbers the lease by the state's version, so the version is chosen to suit."""
    state = built.state
    numbered = State(number - 1, state.free, state.back, state.ledger)
    found = core.grant_free(numbered, built.options, built.now, "client")
    if found is None:
        return None
    state, slot, record = State.of(found[0]), found[1], Record._make(found[2])
    return Step(state, ((slot, record),), (), (), (Fired("GRANT-FREE", slot.number, number),))


def has_fit_free(state: State, options: Options, now: float) -> bool:
    draft = Draft(state, options, now)
    return any(draft.fit(slot, read(slot)) for items in (state.free, state.back) for slot in walk(items))


# Slots that somebody holds.

Holding = Callable[[State, Options, Slot, Record], Step]


def holdings(built: Built) -> dict[Slot, str]:
    """The state of each slot as far as somebody holds it; unowned work is nobody's."""
    unowned = set(backlog_of(built.state))
    states = slot_states(built.world())
    return {slot: "unowned" if slot in unowned else name for slot, name in states.items()}


def owned_calls(built: Built, config: poolmodel.Config, slot: Slot, state: str) -> Iterator[tuple[str, Holding]]:
    """What the holder of *slot* may call."""
    now = built.now
    if state == "creating":
        yield "build_ok", partial(core.build_ok, now=now)
        yield "build_failed", partial(core.build_failed, error=OSError("refused"), now=now)
        yield "build_abandoned", partial(core.build_abandoned, now=now)
    elif state == "checked_out":
        yield from lease_calls(built, config, slot)
    elif state == "returning":
        yield "reset_ok", partial(core.reset_ok, now=now, since=now)
        yield "reset_failed", partial(core.reset_failed, now=now)
        yield "orphan", partial(core.orphan, now=now)
    elif state == "discarded":
        yield "destroyed", partial(core.destroyed, now=now)
        yield "orphan", partial(core.orphan, now=now)


def lease_calls(built: Built, config: poolmodel.Config, slot: Slot) -> Iterator[tuple[str, Holding]]:
    now = built.now
    for reset in (False, True):
        if config.reset <= reset <= (config.reset or config.lease_reset):
            yield "release", partial(core.release, now=now, reset=reset)
            yield "abandon", partial(core.abandon, now=now, reset=reset)
    yield "discard", partial(core.discard, now=now)
    yield "detach", partial(core.detach, now=now)
    yield "revoke", partial(core.revoke, now=now)
    if config.check:
        ticket = built.tickets[read(slot).number]
        yield "check_failed", partial(core.check_failed, ticket=ticket, now=now)


# The pool.


def pool_calls(built: Built, limits: Limits) -> Iterator[Call]:
    state, options, now = built.state, built.options, built.now
    yield Call("expire", core.expire(state, options, now))
    for kept in range(free_count(state)):
        few = replace(options, max_free=kept, shrink_to=kept)
        yield Call(f"shrink to {kept}", core.shrink(state, few, now))
    yield Call("shrink idle", core.shrink(state, replace(options, max_idle=1.0), now))
    yield Call("adopt", core.adopt(state, options, now))
    yield Call("retry", core.retry(state, options, now))
    yield Call("refill", core.refill(state, options, now))
    yield Call("add", core.add(state, options, "resource", now + 10, now))
    yield Call("renew", core.renew(state, options, now))
    yield Call("close", core.close(state, options, now))
    for limit in limits:
        wanted = UNBOUNDED if limit is None else limit
        yield Call(f"resize to {wanted}", core.resize(state, options, wanted, now))


def first_state(config: poolmodel.Config) -> State:
    """The state of a pool as it is first, in the parent or in a forked child."""
    limit = UNBOUNDED if config.limit is None else config.limit
    return core.begin(options_of(config), limit)
