"""The last resort: slots whose owner is gone, though its finalizer never did its work.

A finalizer runs once. If an exception strikes in it before its first try, or in the handling of another one, nobody
is left who would give the slot back. But a slot is held by the very record in its register, so who owns it is a
question about references: if nothing but the register refers to the record, nobody owns the slot, and nobody can
ever come to own it again [ASYNC-EXCEPTION-SAFE].
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from poolproof import core
from poolproof.core.values import CHECKED_OUT, DISCARDED, RETURNING, Record, Retired, Slot, read
from poolproof.core.world import backlog_of

if TYPE_CHECKING:
    from poolproof.driver import Driver

# Without a global interpreter lock the count is no more than a guess, and elsewhere there is none.
_counts: Any = getattr(sys, "getrefcount", None) if getattr(sys, "_is_gil_enabled", lambda: True)() else None


def reclaim(driver: Driver) -> None:
    """Give back what nobody can give back any more.   Rows: DISCARD, ORPHAN.   Cost: O(slots)."""
    if not sound():
        return
    backlog = set(backlog_of(driver.state))
    for slot in driver.registry.all():
        hold = hold_of(slot)
        state = read(slot).state
        if references(slot) > (_MARKED if hold is not slot.record else _ALONE) + 1:
            continue
        # Work on the backlog is owned by nobody either. No slot comes there or leaves with the same record.
        if state == CHECKED_OUT:
            # Not released: its lease may have had a reset of its own, which nobody knows any more.
            driver.settle(slot, hold, core.discard)
        elif state in (RETURNING, DISCARDED) and slot not in backlog:
            driver.settle(slot, hold, core.orphan)


def hold_of(slot: Slot) -> Any:
    """The record that the owner of *slot* has it by."""
    record = slot.record
    mark = record[5]
    return mark.origin if isinstance(mark, Retired) else record


def references(slot: Slot) -> int:
    """How many refer to the record that the owner of *slot* has it by."""
    count: int = _counts(hold_of(slot))
    return count


def _alone(*, retired: bool) -> int:
    """What `references` says of a slot without owner, on this interpreter."""
    if _counts is None:
        return 0
    slot = Slot(0, 0, Record(CHECKED_OUT, 0, 0.0, None, 0, None))
    if retired:
        slot.record = Record(CHECKED_OUT, 0, 0.0, None, 0, Retired(slot.record, fresh=False))
    return references(slot)


def sound() -> bool:
    """Whether counting tells an owner from none on this interpreter, tried on a slot of our own."""
    if _counts is None:
        return False
    slot = Slot(0, 0, Record(CHECKED_OUT, 0, 0.0, None, 0, None))
    alone = references(slot)
    owner = [slot.record]
    return alone == _ALONE and references(slot) == alone + len(owner)


_ALONE = _alone(retired=False)
_MARKED = _alone(retired=True)
