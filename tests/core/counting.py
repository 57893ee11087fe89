"""The counting abstraction: a pool as so many slots in each state and so many waiting tickets, without bound.

The rows move the counts by `contracts.DELTAS`, which is also what the contracts confirm of the core. Slots and tickets
have no identity here, so their numbers have no bound; whether a slot is unfit is a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core.contracts import DELTAS
from core.shapes import both, either, not_


class Counts(NamedTuple):
    """The quantities of spec/machines.md. ``unfit`` is the guess about the one slot that a step is about."""

    limit: int
    low: int
    free: int
    checked_out: int
    creating: int
    returning: int
    discarded: int
    waiting: int
    factory: bool
    unfit: bool


def live(counts: Counts) -> Any:
    return counts.free + counts.checked_out + counts.creating + counts.returning + counts.discarded


def staying(counts: Counts) -> Any:
    return live(counts) - counts.discarded


def short(counts: Counts) -> Any:
    return counts.factory & (counts.creating < counts.waiting) & (live(counts) < counts.limit)


def sound(counts: Counts) -> Any:
    """Counts are counts, and the pool is work-conserving."""
    naturals = (*counts[:8],)
    return both(
        [
            *(count >= 0 for count in naturals),
            (counts.waiting == 0) | ((counts.free == 0) & not_(short(counts))),
        ]
    )


def no_surplus(counts: Counts) -> Any:
    return staying(counts) <= counts.limit


def may_stay(counts: Counts) -> Any:
    return no_surplus(counts) & not_(counts.unfit)


# What must be so that a row may happen in an open pool.
GUARDS: dict[str, Callable[[Counts], Any]] = {
    "GRANT-FREE": lambda c: (c.free > 0) & not_(c.unfit),
    "QUEUE": lambda c: c.free == 0,
    "WITHDRAW": lambda c: c.waiting > 0,
    "BUILD-OK": lambda c: (c.creating > 0) & may_stay(c),
    "BUILD-LATE": lambda c: (c.creating > 0) & not_(may_stay(c)),
    "BUILD-FAILED": lambda c: (c.creating > 0) & (c.waiting > 0),
    "BUILD-LOST": lambda c: c.creating > 0,
    "BUILD-ABANDONED": lambda c: c.creating > 0,
    "RELEASE": lambda c: (c.checked_out > 0) & may_stay(c),
    "RELEASE-RESET": lambda c: (c.checked_out > 0) & may_stay(c),
    "DISCARD": lambda c: c.checked_out > 0,
    "DETACH": lambda c: c.checked_out > 0,
    "CHECK-FAILED": lambda c: c.checked_out > 0,
    "RESET-OK": lambda c: (c.returning > 0) & may_stay(c),
    "RESET-FAILED": lambda c: c.returning > 0,
    "INSPECT": lambda c: c.free > 0,
    "EXPIRE": lambda c: (c.free > 0) & c.unfit,
    "SHRINK": lambda c: (c.free > 0) & (staying(c) > c.low),
    "REMOVE-FREE": lambda c: c.free > 0,
    "DESTROYED": lambda c: c.discarded > 0,
    "ADD": lambda c: live(c) < c.limit,
    "REFILL": lambda c: c.factory & (staying(c) < c.low) & (live(c) < c.limit),
}
LEAVES_A_LEASE = ("RELEASE", "RELEASE-RESET", "DISCARD", "DETACH", "CHECK-FAILED")


def moved(counts: Counts, row: str) -> Counts:
    """The counts after *row*, before the balance. What the row takes from nowhere else was checked out."""
    _, creating, returning, discarded, free, waiting = DELTAS[row]
    taken = -1 if row in LEAVES_A_LEASE else 1 if row in ("GRANT-FREE", "HAND-OFF") else 0
    return counts._replace(
        creating=counts.creating + creating,
        returning=counts.returning + returning,
        discarded=counts.discarded + discarded,
        free=counts.free + free,
        waiting=counts.waiting + waiting,
        checked_out=counts.checked_out + taken,
    )


def balanced(counts: Counts) -> Counts:
    """At most one hand-off and one build: more is never needed, and that is part of what is confirmed."""
    if (counts.waiting > 0) & (counts.free > 0):
        counts = moved(counts, "HAND-OFF")
    if short(counts):
        counts = moved(counts, "BUILD-START")
    return counts


def enabled(row: str, counts: Counts) -> bool:
    return bool(sound(counts) & GUARDS[row](counts))


def keeps(row: str, counts: Counts) -> bool:
    """The world is sound after *row*; live has changed as the row says; and capacity is never passed anew."""
    after = balanced(moved(counts, row))
    return bool(sound(after) & either(live(after) <= counts.limit, live(after) <= live(counts)))


def climbs(counts: Counts) -> bool:
    """RESIZE, one step upwards: the guard climbs leaves the world sound."""
    higher = counts._replace(limit=counts.limit + 1)
    return bool(sound(balanced(higher)))


def leaps(counts: Counts) -> bool:
    """RESIZE without the guard climbs: this is false."""
    return bool(sound(balanced(counts._replace(limit=counts.limit + counts.low))))
