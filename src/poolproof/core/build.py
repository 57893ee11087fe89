"""Builds: what becomes of a slot whose resource is being created.

Spec: transitions.md, rows BUILD-OK to BUILD-ABANDONED. BUILD-START is in the balance.
"""

from __future__ import annotations

from poolproof.core.draft import Draft
from poolproof.core.values import (
    ABSENT,
    OPEN,
    REFUSED,
    WAITING,
    Options,
    Record,
    Slot,
    State,
    Step,
    Ticket,
    TicketRecord,
)


def bound_ticket(slot: Slot, record: Record) -> Ticket | None:
    """The ticket that the build of *slot* is bound to, as long as it waits."""
    ticket = record.who
    if isinstance(ticket, Ticket) and ticket.record.state == WAITING and ticket.record.build is slot:
        return ticket
    return None


def build_ok(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """Create returned: the new slot goes to whoever has waited longest, or is free.  [BUILD-OK] [BUILD-LATE]

    It is discarded if the pool has closed, shrunk or renewed itself meanwhile.
    Requires: *record* stands in the slot's register; the resource is in the cell.
    Cost:     O(1).   Clauses: WORK-CONSERVING, CLOSE-FINAL, CAPACITY, NEVER-STALE.
    """
    draft = Draft(state, options, now)
    ticket = bound_ticket(slot, record)
    if ticket is not None and draft.phase == OPEN:
        draft.moves[ticket] = ticket.record._replace(build=None)
    draft.creating -= 1
    draft.created += 1
    if draft.phase == OPEN and draft.fit(slot, record) and draft.staying <= draft.limit:
        draft.put_free(slot, 0, now)
        draft.just_built = slot
        draft.failures = 0
        draft.fire("BUILD-OK", slot)
    else:
        draft.discard(slot, record)
        draft.fire("BUILD-LATE", slot)
    return draft.finish()


def build_failed(state: State, options: Options, slot: Slot, record: Record, error: BaseException, now: float) -> Step:
    """Create raised: the ticket that asked gets that very exception, and the next may build.  [BUILD-FAILED]
    [BUILD-LOST]

    A build that no waiting ticket had asked for makes the pool back off, with a delay that doubles.
    Cost: O(1).   Clauses: FAILURE-PROGRESS, MIN-SIZE.
    """
    draft = Draft(state, options, now)
    ticket = bound_ticket(slot, record) if draft.phase == OPEN else None
    leave_creating(draft, slot, record)
    if ticket is not None:
        draft.leave_queue(ticket, TicketRecord(REFUSED, None, None, None, error))
        draft.wakes.append(ticket)
        draft.fire("BUILD-FAILED", slot, ticket.number)
    else:
        delay = min(options.retry_delay * 2.0 ** min(draft.failures, 60), options.retry_delay_max)
        draft.backing_off = draft.phase == OPEN
        draft.retry_at = now + delay
        draft.failures += 1
        draft.fire("BUILD-LOST", slot)
    return draft.finish()


def build_abandoned(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """Create was never called, and its ticket needs it no more: the next ticket may build.  [BUILD-ABANDONED]

    Cost: O(1).   Clauses: CREATE-DEMAND, WORK-CONSERVING.
    """
    draft = Draft(state, options, now)
    ticket = bound_ticket(slot, record)
    if ticket is not None and draft.phase == OPEN:
        draft.moves[ticket] = ticket.record._replace(build=None)
    leave_creating(draft, slot, record)
    draft.fire("BUILD-ABANDONED", slot)
    return draft.finish()


def leave_creating(draft: Draft, slot: Slot, record: Record) -> None:
    """creating → absent."""
    draft.creating -= 1
    draft.live -= 1
    draft.move_slot(slot, ABSENT, record)
