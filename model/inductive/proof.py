"""The invariants of the counters, and z3's word that every step of every case keeps them.

Nothing is bounded: an obligation is a formula over integers, and it holds if z3 says that its negation cannot be met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import z3

from inductive.counts import (
    CELLS,
    CLOSED,
    NAMES,
    TRUTHS,
    Counts,
    below_limit,
    bound,
    checked_out,
    creating,
    existing,
    free,
    is_open,
    natural,
    staying,
    surplus,
    total,
)
from inductive.logic import Truth, both, either, implies, opposite
from inductive.rows import ROWS, Row
from inductive.step import Choice, Step, cases, first, one_hand_off_is_enough, step

Rows = Mapping[str, Row]

# What is true at the end of every step.
INVARIANTS: dict[str, Callable[[Counts], Truth]] = {
    "every count is a count": natural,
    "COUNTS-RECOUNT": lambda c: c.live == total(c, *CELLS),
    "CONSERVATION": lambda c: (
        c.created + c.added == existing(c) + c.discarded_owned + c.discarded_dropped + c.detached + c.destroyed
    ),
    "WORK-CONSERVING": lambda c: implies(
        both(is_open(c), c.waiting > 0),
        both(free(c) == 0, either(opposite(c.factory), creating(c) >= c.waiting, opposite(below_limit(c)))),
    ),
    "a build is bound to one who waits": lambda c: bound(c) <= c.waiting,
    "CLOSE-REFUSES": lambda c: implies(opposite(is_open(c)), both(c.waiting == 0, free(c) == 0)),
    "CLOSE-TERMINATES": lambda c: (c.phase == CLOSED) == both(opposite(is_open(c)), c.live == 0),
    "RESIZE-BOTH-WAYS": lambda c: implies(surplus(c), free(c) == 0),
    "only an open pool backs off": lambda c: implies(c.backing_off, is_open(c)),
}

# The rows after which there may be fewer live slots.
ENDS_A_SLOT = ("DESTROYED", "DETACH", "BUILD-FAILED", "BUILD-LOST", "BUILD-ABANDONED", "FORK")

# What is true of every step of a row, from the first of two counts to the second.
PROMISES: dict[str, Callable[[str, Counts, Counts], Truth]] = {
    "CAPACITY": lambda row, a, b: either(opposite(b.bounded), b.live <= b.limit, b.live <= a.live),
    "MIN-SIZE": lambda row, a, b: True if row != "SHRINK" else staying(b) >= b.min_size,
    "CREATE-DEMAND": lambda row, a, b: either(
        row == "FORK", creating(b) <= creating(a), creating(b) <= b.waiting, staying(b) <= b.min_size
    ),
    "CLOSE-FINAL": lambda row, a, b: either(
        row == "FORK",
        is_open(a),
        both(opposite(is_open(b)), creating(b) <= creating(a), checked_out(b) <= checked_out(a)),
    ),
    "CAPACITY-UNTIL-DESTROYED": lambda row, a, b: either(row in ENDS_A_SLOT, b.live >= a.live),
}


@dataclass(frozen=True)
class Counterexample:
    """Counts that keep every invariant, and a step from there that breaks one."""

    row: str
    case: int
    before: Counts
    after: Counts
    broken: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.row}, case {self.case}, breaks {', '.join(self.broken)}",
                f"  before: {told(self.before)}",
                f"  after:  {told(self.after)}",
            ]
        )


def told(counts: Counts) -> str:
    """The counters that are not zero."""
    values = {field.name: getattr(counts, field.name) for field in fields(counts)}
    return ", ".join(f"{name} {value}" for name, value in values.items() if value) or "nothing"


def unknown(prefix: str) -> Counts:
    """Counts of which nothing is known."""
    return Counts(**{name: (z3.Bool if name in TRUTHS else z3.Int)(f"{prefix}{name}") for name in NAMES})


def any_choice() -> Choice:
    """A choice of which nothing is known."""
    numbers = {name: z3.Int(f"choice_{name}") for name in ("limit", "unfit_leaving", "served", "expired")}
    return Choice(bounded=z3.Bool("choice_bounded"), **numbers)


def kept(counts: Counts) -> Truth:
    return both(*(holds(counts) for holds in INVARIANTS.values()))


def first_counts_keep_the_invariants() -> bool:
    options = unknown("")
    return _impossible(both(natural(options), opposite(kept(first(options)))))


def refute(rows: Rows = ROWS) -> Iterator[Counterexample]:
    """A counterexample for each case of *rows* that has one: none, if the invariants are inductive."""
    for name, place in cases(rows):
        before, choice = unknown(""), any_choice()
        made = _take(rows, name, place, before, choice)
        promised = [promise(name, before, made.after) for promise in PROMISES.values()]
        good = both(one_hand_off_is_enough(made.moved), kept(made.after), *promised)
        claim = both(kept(before), made.may, opposite(good))
        model = _model(both(claim, _small(before, choice))) or _model(claim)
        if model is not None:
            yield _counterexample(name, place, model, before, made)


def dead(rows: Rows = ROWS) -> list[tuple[str, int]]:
    """The cases that no counts allow."""
    before, choice = unknown(""), any_choice()
    return [
        (name, place)
        for name, place in cases(rows)
        if _model(both(kept(before), _take(rows, name, place, before, choice).may)) is None
    ]


def _take(rows: Rows, name: str, place: int, before: Counts, choice: Choice) -> Step:
    return step(rows[name], rows[name].cases[place], before, choice, straight=name == "BUILD-OK")


def _counterexample(name: str, place: int, model: Any, before: Counts, made: Step) -> Counterexample:
    was, moved, now = _known(model, before), _known(model, made.moved), _known(model, made.after)
    broken = [each for each, holds in INVARIANTS.items() if not holds(now)]
    broken += [each for each, holds in PROMISES.items() if not holds(name, was, now)]
    if not one_hand_off_is_enough(moved):
        broken.append("one hand-off is enough")
    return Counterexample(name, place, was, now, tuple(broken))


def _known(model: Any, counts: Counts) -> Counts:
    """The numbers that *model* gives to *counts*."""
    values: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(counts, name)
        if isinstance(value, z3.ExprRef):
            value = model.eval(value, model_completion=True)
            value = z3.is_true(value) if name in TRUTHS else value.as_long()
        values[name] = value
    return Counts(**values)


def _small(before: Counts, choice: Choice) -> Truth:
    """So that a counterexample is easy to read."""
    return both(choice.limit <= 3, *(getattr(before, name) <= 3 for name in NAMES if name not in TRUTHS))


def _impossible(claim: Truth) -> bool:
    return _model(claim) is None


def _model(claim: Truth) -> Any:
    """Values that make *claim* true, None if there are none; not to know is an error, never a proof."""
    solver = z3.Solver()
    solver.add(claim)
    said = solver.check()
    if said == z3.unknown:
        raise ArithmeticError(f"z3 does not know: {solver.reason_unknown()}")
    return solver.model() if said == z3.sat else None
