"""Changes from outside: resources added and removed, the limit moved, everything renewed, the pool closed.

Spec: transitions.md, rows ADD to FORK.
"""

from __future__ import annotations

from typing import Any

from poolproof.core.draft import Draft
from poolproof.core.lists import queue_items, walk
from poolproof.core.release import is_fresh
from poolproof.core.upkeep import drop, oldest_first
from poolproof.core.values import (
    ABSENT,
    CHECKED_OUT,
    CLOSING,
    EMPTY_LEDGER,
    FREE,
    OPEN,
    RETURNING,
    WAITING,
    Options,
    Record,
    Retired,
    Slot,
    State,
    Step,
    Ticket,
    read,
)


def begin(options: Options, limit: float, generation: int = 0) -> State:
    """The state without slots and tickets: of a new pool, and again in the child after a fork.  [FORK]

    There *generation* tells the slots of the parent, which may still be held, from those of the child.
    Cost: O(1).   Clauses: FORK-SAFE.
    """
    return State(0, (), (), EMPTY_LEDGER._replace(limit=limit, generation=generation, quiet=not options.reset))


def add(state: State, options: Options, resource: Any, expires: float, now: float) -> Step | None:
    """Take in a resource from outside; None if the pool is not open or has no room.  [ADD]

    Requires: no live slot holds this very object (the driver's registry knows).
    Cost:     O(1).   Clauses: CAPACITY, IDENTITY-ONLY.
    """
    if state.ledger.phase != OPEN or state.ledger.live >= state.ledger.limit:
        return None
    draft = Draft(state, options, now)
    draft.made += 1
    draft.added += 1
    draft.live += 1
    # The register says absent until this step is committed, so the registry can know the slot before that.
    slot = Slot(draft.made, draft.generation, Record(ABSENT, 0, now, None, 0, None))
    slot.resource, slot.expires = resource, expires
    draft.put_free(slot, 0, now)
    draft.fire("ADD", slot)
    return draft.finish()


def remove(state: State, options: Options, slot: Slot, now: float) -> Step | None:
    """The resource is to leave: at once if it is free, else when its holder is done; None if it is leaving
    already.  [REMOVE-FREE] [RETIRE]

    Cost: O(free slots) if free, else O(1).   Clauses: REMOVE-LEAVES.
    """
    draft = Draft(state, options, now)
    old = read(slot)
    if old.state == FREE:
        return drop(draft, "REMOVE-FREE", [s for s in queue_items(state.free, state.back) if s is slot])
    if old.state not in (CHECKED_OUT, RETURNING) or isinstance(old.mark, Retired):
        return None
    mark = Retired(slot.record, is_fresh(old))
    draft.moves[slot] = Record(old.state, old.uses, old.since, old.who, old.number, mark)
    draft.fire("RETIRE", slot, old.number if old.state == CHECKED_OUT else None)
    return draft.finish()


def resize(state: State, options: Options, limit: float, now: float) -> Step | None:
    """Move the limit towards *limit*; None if it is there or the pool is not open.  [RESIZE]

    Upwards it climbs: at most so far that one build is enough to serve the waiting tickets, so that no step leaves
    a ticket waiting beside capacity that nobody fills; call it again until the limit is reached. Downwards the
    oldest free slots that are surplus go at once.
    Cost: O(1) upwards, O(free slots) downwards.   Clauses: RESIZE-BOTH-WAYS, WORK-CONSERVING, CAPACITY.
    """
    ledger = state.ledger
    if ledger.phase != OPEN or ledger.limit == limit:
        return None
    draft = Draft(state, options, now)
    climbing = limit > ledger.limit and options.factory and ledger.creating + 1 < ledger.waiting
    draft.limit = max(ledger.limit, min(limit, ledger.live + 1)) if climbing else limit
    draft.fire("RESIZE")
    surplus = draft.staying - draft.limit
    slots = oldest_first(state, options)[: int(max(0, surplus))] if surplus > 0 else []
    return drop(draft, None, slots) or draft.finish()


def renew(state: State, options: Options, now: float) -> Step | None:
    """Replace every resource: the free ones go now, the others when their holders are done; None if the pool is
    not open.  [RENEW]

    Cost: O(1).   Clauses: RENEW-ALL, NEVER-STALE.
    """
    if state.ledger.phase != OPEN:
        return None
    draft = Draft(state, options, now)
    draft.generation += 1
    draft.forsake_all_free()
    draft.fire("RENEW")
    return draft.finish()


def close(state: State, options: Options, now: float) -> Step | None:
    """Grant nothing any more: every waiting ticket is refused, every free slot discarded; None if it is done.
    [CLOSE]

    The registers of the tickets do not move: a waiting ticket of a pool that is not open *is* refused, which keeps
    this one commit however many wait.
    Cost: O(1), and O(waiting tickets) to wake them.   Clauses: CLOSE-REFUSES, CLOSE-FINAL.
    """
    if state.ledger.phase != OPEN:
        return None
    draft = Draft(state, options, now)
    draft.phase = CLOSING
    draft.backing_off = False
    queued = (ticket for items in (draft.queue, draft.tail) for ticket in walk(items))
    draft.wakes.extend(ticket for ticket in queued if ticket.record.state == WAITING)
    draft.queue = draft.tail = ()
    draft.waiting = draft.tombs = 0
    draft.forsake_all_free()
    draft.fire("CLOSE")
    return draft.finish()


def await_closed(state: State, options: Options, closer: Ticket, now: float) -> Step | None:
    """Have *closer* woken when the pool is closed; None if it is closed already or still open.

    No row: it moves nothing that the spec knows of.   Cost: O(closers).
    """
    if state.ledger.phase != CLOSING:
        return None
    draft = Draft(state, options, now)
    draft.closers = (*draft.closers, closer)
    return draft.finish()


def leave_closers(state: State, options: Options, closer: Ticket, now: float) -> Step | None:
    """*closer* waits no longer; None if it is not registered.   No row.   Cost: O(closers)."""
    if closer not in state.ledger.closers:
        return None
    draft = Draft(state, options, now)
    draft.closers = tuple(other for other in draft.closers if other is not closer)
    return draft.finish()
