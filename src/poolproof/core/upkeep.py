"""Upkeep: free slots that must go, and builds that may be tried again.

Spec: transitions.md, rows EXPIRE, SHRINK, REFILL and RETRY.
"""

from __future__ import annotations

from poolproof.core.draft import Draft
from poolproof.core.lists import from_iterable, queue_items
from poolproof.core.values import ABSENT, OPEN, Build, Options, Record, Slot, State, Step, read


def expire(state: State, options: Options, now: float) -> Step | None:
    """Discard every free slot that is unfit; None if there is none.  [EXPIRE]

    Cost: O(free slots).   Clauses: EXPIRY-REACHES-ALL, NEVER-STALE.
    """
    draft = Draft(state, options, now)
    slots: list[Slot] = queue_items(state.free, state.back)
    return drop(draft, "EXPIRE", [slot for slot in slots if not draft.fit(slot, read(slot))])


def shrink(state: State, options: Options, now: float) -> Step | None:
    """Discard free slots that were idle too long, or are too many, the oldest first; None if there is none.
    [SHRINK]

    Never goes below min_size.   Cost: O(free slots).   Clauses: EXPIRY-REACHES-ALL, MIN-SIZE.
    """
    draft = Draft(state, options, now)
    slots = oldest_first(state, options)
    spare = draft.staying - options.min_size
    many = len(slots) - options.shrink_to if len(slots) > options.max_free else 0
    idle, others = list[Slot](), list[Slot]()
    for slot in slots:
        (idle if now - read(slot).since > options.max_idle else others).append(slot)
    chosen = idle + [slot for place, slot in enumerate(others, len(idle)) if place < many]
    return drop(draft, "SHRINK", [slot for place, slot in enumerate(chosen) if place < spare])


def retry(state: State, options: Options, now: float) -> Step | None:
    """Stop backing off once the delay has passed; None if it is too early.  [RETRY]

    Cost: O(1).   Clauses: MIN-SIZE.
    """
    ledger = state.ledger
    if not ledger.backing_off or ledger.phase != OPEN or now < ledger.retry_at:
        return None
    draft = Draft(state, options, now)
    draft.backing_off = False
    draft.fire("RETRY")
    return draft.finish()


def refill(state: State, options: Options, now: float) -> Step | None:
    """Start a build that restores min_size; None if none is due.  [REFILL]

    Cost: O(1).   Clauses: MIN-SIZE, CREATE-DEMAND.
    """
    draft = Draft(state, options, now)
    if not (options.factory and draft.phase == OPEN and not draft.backing_off and draft.meagre):
        return None
    record = draft.new_creating(None)
    # The register says absent until this step is committed: a duty made for a step that lost its race holds nothing.
    slot = Slot(draft.made, draft.generation, Record(ABSENT, 0, now, None, 0, None))
    draft.moves[slot] = record
    draft.effects.append(Build(slot, record))
    draft.fire("REFILL", slot)
    return draft.finish()


def oldest_first(state: State, options: Options) -> list[Slot]:
    """The free slots, that which became free first at the front.  Cost: O(free slots)."""
    slots: list[Slot] = queue_items(state.free, state.back)
    return slots if options.fifo else slots[::-1]


def drop(draft: Draft, row: str | None, slots: list[Slot]) -> Step | None:
    """Discard these free slots, unowned, each by *row* if it has one of its own; None if there are none."""
    if not slots:
        return None
    gone = set(slots)
    remaining = [slot for slot in queue_items(draft.free, draft.back) if slot not in gone]
    draft.free, draft.back = from_iterable(remaining), ()
    for slot in slots:
        draft.discarded += 1
        draft.forsake(slot)
        if row is not None:
            draft.fire(row, slot)
    return draft.finish()
