"""The rows of both tables of ``spec/transitions.md``, one function each, in table order.

A function does what its row says and nothing more; the balance follows in ``machine.step``. Its decorator
says whom the row may be about (the *from* and *event* columns, in ``subjects``) and names its guards.
"""

from __future__ import annotations

from collections.abc import Callable

from poolmodel.guards import GUARDS
from poolmodel.state import (
    Config,
    Event,
    Row,
    Slot,
    State,
    discard,
    drop,
    enter_free,
    find,
    grant,
    initial,
    mark_unfit,
    oldest_free,
    put,
    stop_waiting,
    surplus,
    unlist,
)
from poolmodel.subjects import (
    Named,
    any_build,
    any_pool,
    bound_build,
    checked_out,
    checked_out_with_check,
    checked_out_with_reset,
    end_takes_work,
    free_with_check,
    may_be_free_again,
    new_limit,
    new_slot_with_factory,
    new_ticket,
    new_ticket_and_next_free,
    new_ticket_of_a_bounded_queue,
    new_ticket_of_a_pool_that_raises,
    next_build,
    next_free_and_waiting,
    offered,
    oldest,
    pool_in,
    slot_in,
    unbound_build,
    waiting_ticket,
)

Apply = Callable[[State, Config, Event], State]

ROWS: dict[str, Row] = {}


class Meaningless(Exception):
    """The row makes no sense on this subject; reached only when a needed guard has been dropped."""


def row(name: str, subjects: Named, *guards: str, inside: bool = False) -> Callable[[Apply], Apply]:
    """Enter the decorated function into the table."""

    def register(apply: Apply) -> Apply:
        ROWS[name] = Row(name, subjects(name), {guard: GUARDS[guard] for guard in guards}, apply, inside)
        return apply

    return register


# Acquire


@row("GRANT-FREE", new_ticket_and_next_free, "open", "nobody-waits", "fit")
def grant_free(state: State, config: Config, event: Event) -> State:
    """The next free slot goes to a newcomer at once.  [GRANT-FREE]"""
    return grant(state, event.slot, event.ticket)


@row("QUEUE", new_ticket, "open", "none-fit-free", "room-to-wait", "not-empty")
def queue(state: State, config: Config, event: Event) -> State:
    """The newcomer waits, behind everybody else.  [QUEUE]"""
    assert event.ticket is not None
    return state._replace(queue=(*state.queue, event.ticket))


@row("REFUSE-CLOSED", new_ticket, "not-open")
def refuse_closed(state: State, config: Config, event: Event) -> State:
    """Nothing was recorded of the newcomer, so nothing is left.  [REFUSE-CLOSED]"""
    return state


@row("REFUSE-EMPTY", new_ticket_of_a_pool_that_raises, "open", "nothing-to-come")
def refuse_empty(state: State, config: Config, event: Event) -> State:
    """Waiting would be hopeless.  [REFUSE-EMPTY]"""
    return state


@row("REFUSE-BUSY", new_ticket_of_a_bounded_queue, "open", "none-fit-free", "no-room-to-wait", "not-empty")
def refuse_busy(state: State, config: Config, event: Event) -> State:
    """Enough tickets wait.  [REFUSE-BUSY]"""
    return state


@row("REFUSE-TIMEOUT", new_ticket, "open", "none-fit-free", "cannot-build", "not-empty", "room-to-wait")
def refuse_timeout(state: State, config: Config, event: Event) -> State:
    """The newcomer would have had to wait.  [REFUSE-TIMEOUT]"""
    return state


@row("WITHDRAW", waiting_ticket)
def withdraw(state: State, config: Config, event: Event) -> State:
    """A build that was under way for it goes on, bound to nobody.  [WITHDRAW]"""
    return stop_waiting(state, event.ticket)


# Builds


@row("BUILD-OK", slot_in("creating"), "open", "fit", "no-surplus")
def build_ok(state: State, config: Config, event: Event) -> State:
    """The new slot goes through the free list to whoever is next, not to whoever asked for it.  [BUILD-OK]"""
    # Fresh until the balance has either granted it in this very step or left it free.
    return enter_free(state, config, find(state, event.slot)._replace(state="free", bound=None, fresh=True))


@row("BUILD-LATE", slot_in("creating"), "late")
def build_late(state: State, config: Config, event: Event) -> State:
    """Nobody may have it any more.  [BUILD-LATE]"""
    return discard(state, event.slot, owned=True)


@row("BUILD-FAILED", bound_build)
def build_failed(state: State, config: Config, event: Event) -> State:
    """The error goes to the ticket that asked for the build, and ends it.  [BUILD-FAILED]"""
    return stop_waiting(drop(state, event.slot), event.ticket)


@row("BUILD-LOST", unbound_build)
def build_lost(state: State, config: Config, event: Event) -> State:
    """Nobody is there to be told: builds for min_size pause.  [BUILD-LOST]"""
    return drop(state, event.slot)._replace(backing_off=state.phase == "open")


@row("BUILD-ABANDONED", any_build)
def build_abandoned(state: State, config: Config, event: Event) -> State:
    """It was never tried, so nothing is known against trying again, for the same ticket too.  [BUILD-ABANDONED]"""
    return drop(state, event.slot)


# The end of a lease


@row("RELEASE", checked_out, "open", "fit", "no-surplus", "no-reset")
def release(state: State, config: Config, event: Event) -> State:
    """The slot is free at once.  [RELEASE]"""
    slot = find(state, event.slot)
    return enter_free(state, config, Slot(slot.number, "free", unfit=slot.unfit))


@row("RELEASE-RESET", checked_out_with_reset, "open", "fit", "no-surplus")
def release_reset(state: State, config: Config, event: Event) -> State:
    """Whoever releases owes the reset.  [RELEASE-RESET]"""
    slot = find(state, event.slot)
    return put(state, Slot(slot.number, "returning", unfit=slot.unfit, owned=True))


@row("DISCARD", checked_out)
def discard_lease(state: State, config: Config, event: Event) -> State:
    """Whoever ends the lease owes the destroy.  [DISCARD]"""
    return discard(state, event.slot, owned=True)


@row("ABANDON", end_takes_work)
def abandon(state: State, config: Config, event: Event) -> State:
    """A collector runs no user code, so the work that is due joins the backlog.  [ABANDON]"""
    slot = find(state, event.slot)
    if (config.reset or config.lease_reset) and may_be_free_again(state, slot):
        return put(state, Slot(slot.number, "returning"))
    return discard(state, event.slot, owned=False)


@row("DETACH", checked_out)
def detach(state: State, config: Config, event: Event) -> State:
    """The resource is the holder's for good; its place in the pool is empty.  [DETACH]"""
    return drop(state, event.slot)


@row("REVOKE", checked_out)
def revoke(state: State, config: Config, event: Event) -> State:
    """The lease ends without its holder; whoever revokes owes the destroy.  [REVOKE]"""
    return discard(state, event.slot, owned=True)


@row("CHECK-FAILED", checked_out_with_check, "open", "not-fresh")
def check_failed(state: State, config: Config, event: Event) -> State:
    """The ticket lost the resource and keeps its turn: it waits again, before all others.  [CHECK-FAILED]"""
    assert event.ticket is not None
    return discard(state, event.slot, owned=True)._replace(queue=(event.ticket, *state.queue))


@row("CHECK-REFUSED", checked_out_with_check, "fresh-or-not-open")
def check_refused(state: State, config: Config, event: Event) -> State:
    """What was built a moment ago fails: trying again would only go round in a circle.  [CHECK-REFUSED]"""
    return discard(state, event.slot, owned=True)


# Out of service


@row("RESET-OK", slot_in("returning"), "owned", "open", "fit", "no-surplus")
def reset_ok(state: State, config: Config, event: Event) -> State:
    """Back in service.  [RESET-OK]"""
    slot = find(state, event.slot)
    return enter_free(state, config, Slot(slot.number, "free", unfit=slot.unfit))


@row("RESET-FAILED", slot_in("returning"), "owned")
def reset_failed(state: State, config: Config, event: Event) -> State:
    """Its owner goes on to destroy it.  [RESET-FAILED]"""
    return discard(state, event.slot, owned=True)


@row("INSPECT", free_with_check)
def inspect(state: State, config: Config, event: Event) -> State:
    """A check is a use: the slot leaves the free list first.  [INSPECT]"""
    slot = find(state, event.slot)
    return put(unlist(state, slot.number), slot._replace(state="returning", owned=True))


@row("EXPIRE", slot_in("free"), "unfit")
def expire(state: State, config: Config, event: Event) -> State:
    """It will never be granted again.  [EXPIRE]"""
    return discard(state, event.slot, owned=False)


@row("SHRINK", oldest, "above-min-size")
def shrink(state: State, config: Config, event: Event) -> State:
    """What has been idle longest leaves first.  [SHRINK]"""
    return discard(state, event.slot, owned=False)


@row("ADOPT", slot_in("returning", "discarded"), "unowned")
def adopt(state: State, config: Config, event: Event) -> State:
    """Whoever passes by owes the work from here on.  [ADOPT]"""
    return put(state, find(state, event.slot)._replace(owned=True))


@row("ORPHAN", slot_in("returning", "discarded"), "owned")
def orphan(state: State, config: Config, event: Event) -> State:
    """Nobody knows how far the work had come: only a destroy is safe.  [ORPHAN]"""
    return discard(state, event.slot, owned=False)


@row("DESTROYED", slot_in("discarded"), "owned")
def destroyed(state: State, config: Config, event: Event) -> State:
    """Only now is there room for another.  [DESTROYED]"""
    return drop(state, event.slot)


# Resources that come, leave and age


@row("ADD", offered, "open", "room", "not-pooled")
def add(state: State, config: Config, event: Event) -> State:
    """A resource that the pool did not build joins it.  [ADD]"""
    if any(slot.number == event.resource for slot in state.slots):
        raise Meaningless("two slots would hold one object")
    assert event.slot is not None
    return enter_free(state, config, Slot(event.slot, "free"))


@row("REMOVE-FREE", slot_in("free"))
def remove_free(state: State, config: Config, event: Event) -> State:
    """Nobody uses it: it leaves at once.  [REMOVE-FREE]"""
    return discard(state, event.slot, owned=False)


@row("RETIRE", slot_in("checked_out", "returning"))
def retire(state: State, config: Config, event: Event) -> State:
    """Somebody uses it: it leaves when that use is over.  [RETIRE]"""
    return mark_unfit(state, event.slot)


@row("AGE", slot_in("creating", "free", "checked_out", "returning"))
def age(state: State, config: Config, event: Event) -> State:
    """Time passes at any moment, whatever the pool does.  [AGE]"""
    return mark_unfit(state, event.slot)


# The pool


@row("RESIZE", new_limit, "open", "climbs")
def resize(state: State, config: Config, event: Event) -> State:
    """Free slots above a smaller limit leave at once, all others when they can.  [RESIZE]"""
    state = state._replace(limit=event.limit)
    while surplus(state) and state.free:
        state = discard(state, oldest_free(state, config), owned=False)
    return state


@row("RENEW", any_pool, "open")
def renew(state: State, config: Config, event: Event) -> State:
    """Whatever is there is of an older generation from here on, builds under way included.  [RENEW]"""
    for slot in state.slots:
        if slot.state == "free":
            state = discard(state, slot.number, owned=False)
        elif slot.state != "discarded":
            state = mark_unfit(state, slot.number)
    return state


@row("REFILL", new_slot_with_factory, "open", "not-backing-off", "meagre")
def refill(state: State, config: Config, event: Event) -> State:
    """A build for min_size belongs to nobody who waits.  [REFILL]"""
    assert event.slot is not None
    return put(state, Slot(event.slot, "creating"))


@row("RETRY", any_pool, "backing-off")
def retry(state: State, config: Config, event: Event) -> State:
    """min_size is never given up.  [RETRY]"""
    return state._replace(backing_off=False)


@row("CLOSE", any_pool, "open")
def close(state: State, config: Config, event: Event) -> State:
    """Every waiting ticket is refused, and every free slot leaves.  [CLOSE]"""
    for ticket in state.queue:
        state = stop_waiting(state, ticket)
    for number in state.free:
        state = discard(state, number, owned=False)
    return state._replace(phase="closing", backing_off=False)


@row("FORK", any_pool)
def fork(state: State, config: Config, event: Event) -> State:
    """The child sees the pool as it was first; what the parent had is neither used nor destroyed.  [FORK]"""
    return initial(config)


# Inside the balance


@row("HAND-OFF", next_free_and_waiting, "fit", "longest-waiting", inside=True)
def hand_off(state: State, config: Config, event: Event) -> State:
    """A slot goes to a waiting ticket before anybody else can see it free.  [HAND-OFF]"""
    return grant(state, event.slot, event.ticket)


@row("BUILD-START", next_build, "short", inside=True)
def build_start(state: State, config: Config, event: Event) -> State:
    """The slot counts from here on, before create is called.  [BUILD-START]"""
    if event.slot is None or any(slot.number == event.slot for slot in state.slots):
        raise Meaningless(f"slot {event.slot} is in use")
    return put(state, Slot(event.slot, "creating", bound=event.ticket))


@row("CLOSED", pool_in("closing"), "nothing-live", inside=True)
def closed(state: State, config: Config, event: Event) -> State:
    """Nothing is left that could happen.  [CLOSED]"""
    return state._replace(phase="closed")
