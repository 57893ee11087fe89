"""The counters, the quantities over them, and the guards that a counter can decide.

A slot is counted in one cell: by its state, and by those marks that decide what may happen to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from inductive.logic import Number, Truth, both, either, implies, opposite

OPEN, CLOSING, CLOSED = 0, 1, 2


@dataclass(frozen=True)
class Counts:
    """Options first, which no row changes; then the pool; then the slots by cell; then totals since the beginning."""

    # Options.
    factory: Truth
    raises: Truth  # when_empty is "raise"
    pool_reset: Truth  # every lease has a reset
    some_reset: Truth  # there are leases with a reset
    checks: Truth
    queue_bounded: Truth
    max_waiting: Number
    min_size: Number
    first_bounded: Truth
    first_limit: Number
    # The pool.
    phase: Number
    backing_off: Truth
    bounded: Truth
    limit: Number
    waiting: Number
    live: Number
    # creating: bound to a waiting ticket, or to nobody
    bound_fit: Number
    bound_unfit: Number
    loose_fit: Number
    loose_unfit: Number
    # free
    free_fit: Number
    free_unfit: Number
    # checked_out: fresh, or not
    fresh_fit: Number
    fresh_unfit: Number
    leased_fit: Number
    leased_unfit: Number
    # returning: owned, or in the backlog
    returning_fit: Number
    returning_unfit: Number
    dropped_fit: Number
    dropped_unfit: Number
    # discarded: owned, or in the backlog
    discarded_owned: Number
    discarded_dropped: Number
    # Totals.
    created: Number
    added: Number
    detached: Number
    destroyed: Number


NAMES = tuple(field.name for field in fields(Counts))
OPTIONS = NAMES[: NAMES.index("phase")]
CELLS = NAMES[NAMES.index("bound_fit") : NAMES.index("created")]
TOTALS = NAMES[NAMES.index("created") :]
TRUTHS = (
    "factory",
    "raises",
    "pool_reset",
    "some_reset",
    "checks",
    "queue_bounded",
    "first_bounded",
    "backing_off",
    "bounded",
)

# Quantities.


def total(counts: Counts, *names: str) -> Any:
    return sum(getattr(counts, name) for name in names)


def bound(c: Counts) -> Number:
    return c.bound_fit + c.bound_unfit


def creating(c: Counts) -> Number:
    return bound(c) + c.loose_fit + c.loose_unfit


def free(c: Counts) -> Number:
    return c.free_fit + c.free_unfit


def checked_out(c: Counts) -> Number:
    return c.fresh_fit + c.fresh_unfit + c.leased_fit + c.leased_unfit


def returning(c: Counts) -> Number:
    return c.returning_fit + c.returning_unfit + c.dropped_fit + c.dropped_unfit


def discarded(c: Counts) -> Number:
    return c.discarded_owned + c.discarded_dropped


def existing(c: Counts) -> Number:
    return free(c) + checked_out(c) + returning(c)


def staying(c: Counts) -> Number:
    return c.live - discarded(c)


def is_open(c: Counts) -> Truth:
    return c.phase == OPEN


def below_limit(c: Counts) -> Truth:
    return either(opposite(c.bounded), c.live < c.limit)


def short(c: Counts, more: int = 0) -> Truth:
    """Short, if *more* tickets waited."""
    return both(is_open(c), c.factory, creating(c) < c.waiting + more, below_limit(c))


def surplus(c: Counts) -> Truth:
    return both(c.bounded, staying(c) > c.limit)


def room_to_wait(c: Counts) -> Truth:
    return either(opposite(c.queue_bounded), c.waiting < c.max_waiting, short(c, 1))


def nothing_to_come(c: Counts) -> Truth:
    return both(c.raises, opposite(c.factory), staying(c) == 0)


# The guards of the table that are not about one slot, and what else the event column asks for.
GUARDS: dict[str, Callable[[Counts], Truth]] = {
    "open": is_open,
    "not-open": lambda c: opposite(is_open(c)),
    "nobody-waits": lambda c: c.waiting == 0,
    "none-fit-free": lambda c: c.free_fit == 0,
    "room-to-wait": room_to_wait,
    "no-room-to-wait": lambda c: opposite(room_to_wait(c)),
    "not-empty": lambda c: opposite(nothing_to_come(c)),
    "nothing-to-come": nothing_to_come,
    "cannot-build": lambda c: opposite(short(c, 1)),
    "no-surplus": lambda c: opposite(surplus(c)),
    "surplus": surplus,
    "no-reset": lambda c: opposite(c.pool_reset),
    "reset": lambda c: c.some_reset,
    "check": lambda c: c.checks,
    "factory": lambda c: c.factory,
    "above-min-size": lambda c: staying(c) > c.min_size,
    "room": below_limit,
    "backing-off": lambda c: c.backing_off,
    "not-backing-off": lambda c: opposite(c.backing_off),
    "meagre": lambda c: both(staying(c) < c.min_size, below_limit(c)),
    "not-built-for": lambda c: bound(c) < c.waiting,
    "nothing-live": lambda c: c.live == 0,
}


def climbs(c: Counts, bounded: Truth, limit: Number) -> Truth:
    """The guard of RESIZE, of the limit that it sets."""
    not_above = either(opposite(c.bounded), both(bounded, limit <= c.limit))
    near = both(bounded, limit <= c.live + 1)
    return either(not_above, near, creating(c) + 1 >= c.waiting, opposite(c.factory))


def natural(c: Counts) -> Truth:
    """Every number is a count."""
    numbers = [getattr(c, name) >= 0 for name in NAMES if name not in TRUTHS]
    return both(*numbers, c.phase <= CLOSED, implies(c.pool_reset, c.some_reset))
