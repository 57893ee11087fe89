"""One step of the counters: a case of a row, then the balance.

What a counter cannot decide is a *choice*: which limit RESIZE sets and which free slots it takes, whether a build was
bound to the ticket that a hand-off serves, and how many unfit slots stood before the one that it gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from inductive.counts import (
    CELLS,
    CLOSED,
    CLOSING,
    GUARDS,
    OPEN,
    TOTALS,
    Counts,
    bound,
    climbs,
    free,
    short,
    staying,
)
from inductive.logic import Number, Truth, both, either, opposite, where
from inductive.rows import ROWS, Case, Row

MARKS = ("fit", "unfit")
NOT_BUILT_FOR, BUILD_FIT, BUILD_UNFIT = 0, 1, 2


@dataclass(frozen=True)
class Choice:
    """What identities would have decided."""

    bounded: Truth = True
    limit: Number = 0
    unfit_leaving: Number = 0  # of the free slots that RESIZE discards
    served: Number = NOT_BUILT_FOR  # what was bound to the ticket that is handed a slot
    expired: Number = 0  # how many unfit slots are discarded before it


@dataclass(frozen=True)
class Step:
    """Whether the step may be taken, what is true between row and balance, and where it leads."""

    may: Truth
    moved: Counts
    after: Counts


def step(row: Row, case: Case, before: Counts, choice: Choice, *, straight: bool) -> Step:
    """Take *case* of *row*. A slot that the row brings *straight* from its build is fresh if it is handed on."""
    guards = [GUARDS[name](before) for name in (*row.guards, *case.guards)]
    from_somewhere = [getattr(before, name) >= max(1, -change) for name, change in case.moves.items() if change <= 0]
    moved = before if case.backing_off is None else replace(before, backing_off=case.backing_off)
    moved = _change(moved, case.moves)
    if row.bulk:
        more, moved = BULK[row.bulk](before, choice)
        guards.append(more)
    served, after = balance(moved, choice, straight=straight)
    return Step(both(*guards, *from_somewhere, served), moved, after)


def balance(moved: Counts, choice: Choice, *, straight: bool) -> tuple[Truth, Counts]:
    """The end of every step, for counts of which ``one_hand_off_is_enough``; and whether *choice* can be."""
    handing = both(moved.waiting > 0, moved.free_fit > 0)
    expiring = both(moved.waiting > 0, moved.free_fit == 0)
    served = either(
        both(choice.served == NOT_BUILT_FOR, either(opposite(handing), bound(moved) < moved.waiting)),
        both(handing, choice.served == BUILD_FIT, moved.bound_fit > 0),
        both(handing, choice.served == BUILD_UNFIT, moved.bound_unfit > 0),
    )
    passed = both(choice.expired >= 0, choice.expired <= where(handing, moved.free_unfit, 0))
    given = {"waiting": -1, "free_fit": -1, ("fresh_fit" if straight else "leased_fit"): 1}
    after = _change(moved, {name: where(handing, change, 0) for name, change in given.items()})
    for mark, value in (("fit", BUILD_FIT), ("unfit", BUILD_UNFIT)):
        loosened = where(both(handing, choice.served == value), 1, 0)
        after = _change(after, {f"bound_{mark}": -1 * loosened, f"loose_{mark}": loosened})
    expired = where(expiring, moved.free_unfit, choice.expired)
    after = _change(after, {"free_unfit": -1 * expired, "discarded_dropped": expired})
    started = where(short(after), 1, 0)
    after = _change(after, {"bound_fit": started, "live": started})
    over = both(after.phase == CLOSING, after.live == 0)
    return both(served, passed), replace(after, phase=where(over, CLOSED, after.phase))


def one_hand_off_is_enough(moved: Counts) -> Truth:
    """Between row and balance: at most one ticket waits, or no fit slot is free, or one slot is free."""
    return either(moved.waiting <= 1, moved.free_fit == 0, free(moved) == 1)


def resize(before: Counts, choice: Choice) -> tuple[Truth, Counts]:
    """A new limit; free slots leave until the pool is not in surplus or none is free."""
    above = staying(before) - choice.limit
    excess = where(both(choice.bounded, above > 0), above, 0)
    leaving = where(excess < free(before), excess, free(before))
    fit_leaving = leaving - choice.unfit_leaving
    may = both(
        climbs(before, choice.bounded, choice.limit),
        choice.limit >= 0,
        choice.unfit_leaving >= 0,
        choice.unfit_leaving <= before.free_unfit,
        fit_leaving >= 0,
        fit_leaving <= before.free_fit,
    )
    moves = {"free_fit": -1 * fit_leaving, "free_unfit": -1 * choice.unfit_leaving, "discarded_dropped": leaving}
    return may, replace(_change(before, moves), bounded=choice.bounded, limit=choice.limit)


def renew(before: Counts, choice: Choice) -> tuple[Truth, Counts]:
    """Free slots leave, all others are unfit."""
    moves: dict[str, Number] = {"discarded_dropped": free(before)}
    moves |= {f"free_{mark}": -1 * getattr(before, f"free_{mark}") for mark in MARKS}
    for kind in ("bound", "loose", "fresh", "leased", "returning", "dropped"):
        fit = getattr(before, f"{kind}_fit")
        moves |= {f"{kind}_fit": -1 * fit, f"{kind}_unfit": fit}
    return True, _change(before, moves)


def close(before: Counts, choice: Choice) -> tuple[Truth, Counts]:
    """Nobody waits any more, and nothing is free."""
    moves: dict[str, Number] = {"discarded_dropped": free(before), "waiting": -1 * before.waiting}
    for mark in MARKS:
        unbound = getattr(before, f"bound_{mark}")
        moves |= {f"bound_{mark}": -1 * unbound, f"loose_{mark}": unbound}
        moves |= {f"free_{mark}": -1 * getattr(before, f"free_{mark}")}
    return True, replace(_change(before, moves), phase=CLOSING, backing_off=False)


def fork(before: Counts, choice: Choice) -> tuple[Truth, Counts]:
    """As it was first."""
    return True, first(before)


def first(options: Counts) -> Counts:
    """The counts with which a pool of these options begins."""
    nothing: dict[str, Any] = dict.fromkeys((*CELLS, *TOTALS, "waiting", "live"), 0)
    limit = {"bounded": options.first_bounded, "limit": options.first_limit}
    return replace(options, **nothing, **limit, phase=OPEN, backing_off=False)


BULK = {"resize": resize, "renew": renew, "close": close, "fork": fork}


def cases(rows: Mapping[str, Row] = ROWS) -> list[tuple[str, int]]:
    """Every case of every row, by the row's id and its place."""
    return [(name, place) for name, row in rows.items() for place in range(len(row.cases))]


def _change(counts: Counts, moves: Any) -> Counts:
    return replace(counts, **{name: getattr(counts, name) + change for name, change in moves.items()})
