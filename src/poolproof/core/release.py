"""The end of a lease, in all its ways.

Spec: transitions.md, rows RELEASE to CHECK-REFUSED. Every function here requires that *record* stands in the slot's
register (the caller holds the slot); the commit makes sure of it, because the state it compares changes with every
register. What is left of a lease afterwards is a record that stands nowhere (LEASE-ONCE).
"""

from __future__ import annotations

from poolproof.core.draft import Draft
from poolproof.core.lists import length, normal, push
from poolproof.core.values import (
    ABSENT,
    DISCARDED,
    FREE,
    FRESH,
    OPEN,
    REFUSED,
    RETURNING,
    REVOKED,
    WAITING,
    Options,
    PlainRecord,
    PlainState,
    Record,
    Reset,
    Retired,
    Slot,
    State,
    Step,
    Ticket,
    TicketRecord,
)


def release_quiet(
    state: PlainState, options: Options, slot: Slot, record: PlainRecord, now: float
) -> tuple[PlainState, PlainRecord] | None:
    """Free the slot when nothing else needs looking after; None if `release` has to do it.  [RELEASE]

    Ensures:  the same as `release`.
    Cost:     O(1); the whole of an uncontended release.   Clauses: LEASE-ONCE, NEVER-STALE.
    """
    version, free, back, ledger = state
    # By position, because a field of a named tuple takes 28 ns to read: quiet, generation.
    if not ledger[0] or slot.generation != ledger[1]:
        return None
    if options.plain:
        free = (slot, free, free[2] + 1 if free else 1)
    elif now >= slot.expires or record[1] >= options.max_uses or length(free) + length(back) >= options.max_free:
        return None
    elif options.fifo:
        free, back = normal(free, push(slot, back))
    else:
        free = push(slot, free)
    return (version + 1, free, back, ledger), (FREE, record[1], now, None, 0, None)


def release(state: State, options: Options, slot: Slot, record: Record, now: float, reset: bool) -> Step:
    """The lease ended normally: the slot is free again, after its reset if there is one, or it is discarded
    because it must not be used again.  [RELEASE] [RELEASE-RESET] [DISCARD]

    Cost: O(1).   Clauses: LEASE-ONCE, WAIT-FIFO, RESET-BEFORE-REUSE, NEVER-STALE.
    """
    draft = Draft(state, options, now)
    if not may_stay(draft, slot, record):
        draft.discard(slot, record)
        draft.fire("DISCARD", slot, record.number)
    elif reset:
        draft.returning += 1
        draft.effects.append(Reset(slot, draft.move_slot(slot, RETURNING, record)))
        draft.fire("RELEASE-RESET", slot, record.number)
    else:
        draft.put_free(slot, record.uses, now)
        draft.fire("RELEASE", slot, record.number)
    return draft.finish()


def discard(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """The holder says that the resource is not to be used again.  [DISCARD]

    Cost: O(1).   Clauses: NEVER-STALE, FAILURE-PROGRESS.
    """
    draft = Draft(state, options, now)
    draft.discard(slot, record)
    draft.fire("DISCARD", slot, record.number)
    return draft.finish()


def abandon(state: State, options: Options, slot: Slot, record: Record, now: float, reset: bool) -> Step:
    """The lease was collected without having been ended. Nobody is there to do work, so what the end of the lease
    takes is left to the backlog, and a waiter is woken to find it.  [ABANDON] [RELEASE]

    Cost: O(1).   Clauses: LEASE-ABANDONED, GC-SAFE.
    """
    draft = Draft(state, options, now)
    if not may_stay(draft, slot, record):
        draft.move_slot(slot, DISCARDED, record)
        draft.discarded += 1
    elif reset:
        draft.move_slot(slot, RETURNING, record)
        draft.returning += 1
    else:
        draft.put_free(slot, record.uses, now)
        draft.fire("RELEASE", slot, record.number)
        return draft.finish()
    draft.forsake(slot)
    draft.fire("ABANDON", slot, record.number)
    return draft.finish()


def detach(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """The holder keeps the resource for good; its capacity is free at once.  [DETACH]

    Cost: O(1).   Clauses: CONSERVATION, FAILURE-PROGRESS.
    """
    draft = Draft(state, options, now)
    draft.live -= 1
    draft.detached += 1
    draft.move_slot(slot, ABSENT, record)
    draft.fire("DETACH", slot, record.number)
    return draft.finish()


def revoke(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """The pool takes the slot from its holder, who learns it when ending the lease.  [REVOKE]

    Cost: O(1).   Clauses: LEASE-REVOKED, CLOSE-TERMINATES.
    """
    draft = Draft(state, options, now)
    draft.discard(slot, record, REVOKED)
    draft.fire("REVOKE", slot, record.number)
    return draft.finish()


def check_failed(state: State, options: Options, slot: Slot, record: Record, ticket: Ticket, now: float) -> Step:
    """The check of a slot just granted failed: the slot goes, the ticket keeps its turn.  [CHECK-FAILED]
    [CHECK-REFUSED]

    A resource that fails right after it was built ends the acquire instead: trying again could go on for ever.
    Cost: O(1).   Clauses: CHECK-KEEPS-TURN, CHECK-TERMINATES.
    """
    draft = Draft(state, options, now)
    draft.discard(slot, record)
    if draft.phase == OPEN and not is_fresh(record):
        draft.moves[ticket] = TicketRecord(WAITING)
        draft.queue = push(ticket, draft.queue)
        draft.waiting += 1
        draft.fire("CHECK-FAILED", slot, ticket.number)
    else:
        draft.moves[ticket] = TicketRecord(REFUSED)
        draft.fire("CHECK-REFUSED", slot, ticket.number)
    return draft.finish()


def may_stay(draft: Draft, slot: Slot, record: Record) -> bool:
    """Whether the slot may be granted again one day: the guards open, fit and no-surplus."""
    return draft.phase == OPEN and draft.staying <= draft.limit and draft.fit(slot, record)


def is_fresh(record: Record) -> bool:
    mark = record.mark
    return mark.fresh if isinstance(mark, Retired) else mark == FRESH
