"""Acquire: a slot at once, a place in the queue, or a refusal; and giving up the place.

Spec: transitions.md, rows GRANT-FREE to WITHDRAW.
"""

from __future__ import annotations

from poolproof.core.draft import Draft
from poolproof.core.lists import normal, push, walk
from poolproof.core.values import (
    CHECKED_OUT,
    OPEN,
    WAITING,
    WITHDRAWN,
    Options,
    PlainRecord,
    PlainState,
    Slot,
    State,
    Step,
    Ticket,
    TicketRecord,
    read,
)


def grant_free(
    state: PlainState, options: Options, now: float, who: object
) -> tuple[PlainState, Slot, PlainRecord] | None:
    """Grant the next free slot at once; None if there is none, or it needs looking after first.  [GRANT-FREE]

    Ensures:  the slot leaves the free list; the caller who commits this holds it by the returned record.
    Cost:     O(1); the whole of an uncontended acquire.   Clauses: NEVER-STALE, WAIT-FIFO.
    """
    version, free, back, ledger = state
    if not free:
        return None
    slot, rest, _ = free
    record = slot.record
    # Whoever may find a free slot finds it in an open pool and with nobody waiting (CLOSE-FINAL, WORK-CONSERVING);
    # and free slots are neither worn, retired nor of an older generation (NEVER-STALE). Only age needs a look.
    if options.ages and (now >= slot.expires or now - record[2] > options.max_idle):
        return None
    if back and not rest:
        rest, back = normal(rest, back)
    version += 1
    return (version, rest, back, ledger), slot, (CHECKED_OUT, record[1] + 1, now, who, version, None)


def refusal(state: State, options: Options, patient: bool, now: float) -> str | None:
    """The row that refuses an acquire, or None: then it is granted a free slot, or else `enqueue` is allowed.
    *patient* means a timeout above 0.

    [REFUSE-CLOSED] [REFUSE-EMPTY] [REFUSE-BUSY] [REFUSE-TIMEOUT]
    Cost: O(1), or O(unfit free slots).   Clauses: CLOSE-REFUSES, EMPTY-RAISES, WAIT-BOUND, WAIT-DEADLINE.
    """
    ledger = state.ledger
    if ledger.phase != OPEN:
        return "REFUSE-CLOSED"
    if options.raise_when_empty and not options.factory and ledger.live == ledger.discarded:
        return "REFUSE-EMPTY"
    if any_fit_free(state, options, now):
        return None
    if options.factory and ledger.creating <= ledger.waiting and ledger.live < ledger.limit:
        return None  # one more ticket would make the pool short, and build for itself
    if ledger.waiting >= options.max_waiting:
        return "REFUSE-BUSY"
    return None if patient else "REFUSE-TIMEOUT"


def any_fit_free(state: State, options: Options, now: float) -> bool:
    draft = Draft(state, options, now) if state.free else None
    slots = (slot for items in (state.free, state.back) for slot in walk(items))
    return draft is not None and any(draft.fit(slot, read(slot)) for slot in slots)


def enqueue(state: State, options: Options, ticket: Ticket, now: float) -> Step:
    """Put *ticket* at the end of the queue; the balance may grant it a slot or start a build at once.  [QUEUE]

    Requires: `refusal` says None, and no free slot is fit.
    Ensures:  the ticket waits, or is granted a free slot; a build is on its way if one is short.
    Cost:     O(1) in the long run.   Clauses: WAIT-FIFO, WORK-CONSERVING.
    """
    draft = Draft(state, options, now)
    draft.moves[ticket] = TicketRecord(WAITING)
    draft.queue, draft.tail = normal(draft.queue, push(ticket, draft.tail))
    draft.waiting += 1
    draft.fire("QUEUE", None, ticket.number)
    return draft.finish()


def withdraw(state: State, options: Options, ticket: Ticket, now: float) -> Step | None:
    """*ticket* gives up; None if it is no longer waiting, and then its outcome stands.  [WITHDRAW]

    Ensures:  one ticket fewer; a build bound to it is its former owner's to abandon.
    Cost:     O(1) in the long run.   Clauses: ONE-OUTCOME, WITHDRAW-PROMPT.
    """
    record = ticket.record
    if record.state != WAITING or state.ledger.phase != OPEN:
        return None
    draft = Draft(state, options, now)
    draft.leave_queue(ticket, record._replace(state=WITHDRAWN))
    draft.fire("WITHDRAW", None, ticket.number)
    return draft.finish()
