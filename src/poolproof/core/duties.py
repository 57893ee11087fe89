"""Work on slots: reset, inspection and destruction; who owes it, and what becomes of it when its owner dies.

Spec: transitions.md, rows RESET-OK to DESTROYED. A duty is held like a lease: by the record in the slot's register.
"""

from __future__ import annotations

from typing import Final

from poolproof.core.draft import Draft
from poolproof.core.lists import push, take_out
from poolproof.core.release import may_stay
from poolproof.core.values import (
    ABSENT,
    DISCARDED,
    RETURNING,
    REVOKED,
    Check,
    Destroy,
    Mark,
    Options,
    Record,
    Reset,
    Retired,
    Slot,
    State,
    Step,
    read,
)

NOBODYS: Final = Record(RETURNING, 0, 0.0, None, 0, None)


def reset_ok(state: State, options: Options, slot: Slot, record: Record, now: float, since: float) -> Step:
    """The reset returned, or the inspection passed: free again, unless it must not be.  [RESET-OK] [RESET-FAILED]

    *since* is when the slot was last used: now after a reset, an earlier time after an inspection.
    Cost: O(1).   Clauses: WORK-CONSERVING, NEVER-STALE.
    """
    draft = Draft(state, options, now)
    if not may_stay(draft, slot, record):
        return reset_failed(state, options, slot, record, now)
    draft.returning -= 1
    draft.put_free(slot, record.uses, since)
    draft.fire("RESET-OK", slot)
    return draft.finish()


def reset_failed(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """The reset raised, or the inspection failed; its owner goes on to destroy.  [RESET-FAILED]

    Cost: O(1).   Clauses: FAILURE-PROGRESS.
    """
    draft = Draft(state, options, now)
    draft.returning -= 1
    draft.discard(slot, record)
    draft.fire("RESET-FAILED", slot)
    return draft.finish()


def inspect(state: State, options: Options, slot: Slot, now: float) -> Step | None:
    """Take a free slot out of service to check it; None if it is not free any more.  [INSPECT]

    Cost: O(1) in the long run if the slots are taken in the order of the free list or the reverse; else O(free slots).
    Clauses: NEVER-STALE.
    """
    rest = take_out(state.free, state.back, slot)
    if rest is None:
        return None
    draft = Draft(state, options, now)
    draft.free, draft.back = rest
    draft.returning += 1
    old = read(slot)
    draft.effects.append(Check(slot, draft.move_slot(slot, RETURNING, old), old.since))
    draft.fire("INSPECT", slot)
    return draft.finish()


def adopt(state: State, options: Options, now: float) -> Step | None:
    """Take over one piece of unowned work; None if there is none.  [ADOPT]

    Cost: O(1).   Clauses: DUTY-OWNED, BACKLOG-DRAINS.
    """
    if not state.ledger.backlog:
        return None
    draft = Draft(state, options, now)
    items, others = draft.backlog[0], draft.backlog[1]
    slot: Slot = items[0]
    draft.backlog = push(items[1], others) if items[1] else others
    old = read(slot)
    if old.state == RETURNING:
        # A slot that is to leave still is; but the record by which its last holder knew it counts no more.
        mark = Retired(NOBODYS, fresh=False) if isinstance(old.mark, Retired) else None
        draft.effects.append(Reset(slot, draft.move_slot(slot, RETURNING, old, mark)))
    else:
        draft.effects.append(Destroy(slot, draft.move_slot(slot, DISCARDED, old, lasting(old))))
    draft.fire("ADOPT", slot)
    return draft.finish()


def orphan(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """The owner of a reset or destruction died; whoever passes by destroys.  [ORPHAN]

    A resource whose reset was interrupted is in no known state, so it is not reset again.
    Cost: O(1).   Clauses: DUTY-OWNED, ASYNC-EXCEPTION-SAFE.
    """
    draft = Draft(state, options, now)
    if record.state == RETURNING:
        draft.returning -= 1
        draft.discarded += 1
    draft.move_slot(slot, DISCARDED, record, lasting(record))
    draft.forsake(slot)
    draft.fire("ORPHAN", slot)
    return draft.finish()


def lasting(record: Record) -> Mark:
    """The mark that a slot keeps whoever owns it: that it was revoked. (That it is to leave names its holder.)"""
    return record.mark if record.mark == REVOKED else None


def destroyed(state: State, options: Options, slot: Slot, record: Record, now: float) -> Step:
    """Destroy has finished, well or not: only now is the capacity free.  [DESTROYED] [CLOSED]

    Cost: O(1).   Clauses: CAPACITY, CLOSE-TERMINATES.
    """
    draft = Draft(state, options, now)
    draft.discarded -= 1
    draft.live -= 1
    draft.destroyed += 1
    draft.move_slot(slot, ABSENT, record, lasting(record))
    draft.fire("DESTROYED", slot)
    return draft.finish()
