"""From states of the model to counters, and from an edge of the model to the cases that count it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from inductive.counts import CLOSED, CLOSING, OPEN, TOTALS, Counts
from inductive.rows import ROWS
from inductive.step import Choice, first, step
from poolmodel.state import Config, Slot, State

PHASES = {"open": OPEN, "closing": CLOSING, "closed": CLOSED}


def options(config: Config) -> Counts:
    """A pool of these options as it is first."""
    unset: dict[str, int] = dict.fromkeys(Counts.__dataclass_fields__, 0)
    named = Counts(**unset)
    return first(
        replace(
            named,
            factory=config.factory,
            raises=config.when_empty == "raise",
            pool_reset=config.reset,
            some_reset=config.reset or config.lease_reset,
            checks=config.check,
            queue_bounded=config.max_waiting is not None,
            max_waiting=config.max_waiting or 0,
            min_size=config.min_size,
            first_bounded=config.limit is not None,
            first_limit=config.limit or 0,
        )
    )


def counted(state: State, config: Config) -> Counts:
    """How many slots and tickets there are of each kind. The totals are not in a state: they begin here."""
    cells = Counter(cell(slot) for slot in state.slots)
    return replace(
        options(config),
        phase=PHASES[state.phase],
        backing_off=state.backing_off,
        bounded=state.limit is not None,
        limit=state.limit or 0,
        waiting=len(state.queue),
        live=len(state.slots),
        **cells,
    )


def cell(slot: Slot) -> str:
    """The cell in which *slot* is counted."""
    mark = "unfit" if slot.unfit else "fit"
    if slot.state == "discarded":
        return "discarded_owned" if slot.owned else "discarded_dropped"
    if slot.state == "creating":
        return f"{'loose' if slot.bound is None else 'bound'}_{mark}"
    if slot.state == "checked_out":
        return f"{'fresh' if slot.fresh else 'leased'}_{mark}"
    if slot.state == "returning":
        return f"{'returning' if slot.owned else 'dropped'}_{mark}"
    return f"free_{mark}"


def counting(row: str, before: Counts, after: Counts) -> Iterator[int]:
    """The cases of *row* that lead from *before* to *after*, whatever the totals."""
    for place, case in enumerate(ROWS[row].cases):
        if any(getattr(before, name) == 0 for name, change in case.moves.items() if change < 0):
            continue
        for choice in choices(row, before, after):
            taken = step(ROWS[row], case, before, choice, straight=row == "BUILD-OK")
            if taken.may and without_totals(taken.after) == after:
                yield place
                break


def choices(row: str, before: Counts, after: Counts) -> Iterator[Choice]:
    """Every choice that could lead from *before* to *after*."""
    leaving = range(before.free_unfit + 1) if row == "RESIZE" else (0,)
    served = range(3) if before.waiting or row == "CHECK-FAILED" else (0,)
    for chosen in product(leaving, served, range(before.free_unfit + 1)):
        yield Choice(after.bounded, after.limit, *chosen)


def without_totals(counts: Counts) -> Counts:
    return replace(counts, **dict.fromkeys(TOTALS, 0))
