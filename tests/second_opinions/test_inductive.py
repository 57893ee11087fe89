"""The counters keep their invariants for any number of threads and any capacity, and they count the model.

z3 proves the first: for each case of each row, from any counts that keep the invariants, the step keeps them. The
second is explored: each edge of the model is a step of the counters, and each case of the counters is such an edge.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
import z3

import inductive.counts
import inductive.step
from inductive import proof
from inductive.counts import GUARDS, Counts, staying
from inductive.proof import INVARIANTS, PROMISES, first_counts_keep_the_invariants, refute
from inductive.rows import ROWS, Case, Row, leases
from inductive.step import Choice, cases
from poolmodel.configurations import SCOPES
from poolmodel.explore import OUTSIDE, Scope, first_node, steps
from poolmodel.machine import enabled, perform
from poolmodel.state import Config, Event, Slot, State, initial
from second_opinions.abstraction import counted, counting, options
from specification import rows

# Guards about one slot, one ticket or one object: the choice of the cell, or nothing that a counter can know.
NOT_COUNTED = {"fit", "unfit", "owned", "unowned", "late", "fresh-or-not-open", "not-fresh", "not-pooled", "climbs"}

# Between them every case of every row.
ORDINARY = ("empty-raises", "never-wait", "everything")
WALKS, LENGTH = 20, 200
# Rows that would begin the walk again, end it, or empty the pool most of the time.
ENDINGS = ("FORK", "CLOSE", "RENEW")

Move = tuple[str, Counts, Counts]


# Proved


@pytest.mark.clause("CAPACITY", "CONSERVATION", "COUNTS-RECOUNT", "WORK-CONSERVING", "CLOSE-REFUSES", "CLOSE-FINAL")
@pytest.mark.clause("CLOSE-TERMINATES", "RESIZE-BOTH-WAYS", "CREATE-DEMAND", "CAPACITY-UNTIL-DESTROYED")
def test_every_step_keeps_the_invariants_for_any_numbers() -> None:
    assert first_counts_keep_the_invariants()
    assert [] == [str(found) for found in refute()]


def test_every_case_can_happen() -> None:
    assert [] == proof.dead()


def test_a_case_that_cannot_happen_is_found() -> None:
    row = ROWS["ADD"]
    dead = {"ADD": replace(row, guards=(*row.guards, "not-open"))}
    assert [("ADD", 0)] == proof.dead(dead)


def test_not_to_know_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z3.Solver.check", lambda self: z3.unknown)
    with pytest.raises(ArithmeticError, match="z3 does not know"):
        proof.dead()


def test_the_guards_are_those_of_the_table() -> None:
    table = {row.id: {name for name, _ in row.guards} - NOT_COUNTED for row in rows() if row.id in ROWS}
    assert table == {name: set(row.guards) for name, row in ROWS.items()}
    assert set(ROWS) == OUTSIDE


# Mistakes, each refuted by a counterexample


def without(row: str, *guards: str) -> dict[str, Row]:
    right = ROWS[row]
    return {row: replace(right, guards=tuple(name for name in right.guards if name not in guards))}


def with_cases(row: str, *wrong: Case) -> dict[str, Row]:
    return {row: replace(ROWS[row], cases=wrong)}


def close_and_forget_the_waiters(before: Counts, choice: Choice) -> tuple[bool, Counts]:
    may, after = inductive.step.close(before, choice)
    return may, replace(after, waiting=before.waiting)


# name: (the wrong rows, the clause that z3 must find broken)
WRONG_ROWS: dict[str, tuple[dict[str, Row], str]] = {
    "add without room": (without("ADD", "room"), "CAPACITY"),
    "keep a build above a smaller limit": (without("BUILD-OK", "no-surplus"), "RESIZE-BOTH-WAYS"),
    "keep a lease above a smaller limit": (without("RELEASE", "no-surplus"), "RESIZE-BOTH-WAYS"),
    "release after close": (without("RELEASE", "open"), "CLOSE-REFUSES"),
    "a build returns after close": (without("BUILD-OK", "open"), "CLOSE-REFUSES"),
    "refill after close": (without("REFILL", "open"), "CLOSE-FINAL"),
    "shrink below min_size": (without("SHRINK", "above-min-size"), "MIN-SIZE"),
    "withdraw and keep the build": (
        with_cases("WITHDRAW", Case({"waiting": -1})),
        "a build is bound to one who waits",
    ),
    "discard frees the capacity": (with_cases("DISCARD", *leases("absent", destroyed=1)), "CAPACITY-UNTIL-DESTROYED"),
    "a discarded slot is not counted": (
        with_cases("DISCARD", Case({"leased_fit": -1, "live": -1})),
        "CONSERVATION",
    ),
    "detach is not counted": (with_cases("DETACH", *leases("absent")), "CONSERVATION"),
    "a failed check drops the slot": (
        with_cases("CHECK-FAILED", Case({"leased_fit": -1, "waiting": 1})),
        "COUNTS-RECOUNT",
    ),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_wrong_row_is_refuted(name: str) -> None:
    wrong, clause = WRONG_ROWS[name]
    assert_refuted(refute(wrong), clause)


# name: (what is replaced, by what, the row that shows it, the clause that z3 must find broken)
WRONG_STEPS: dict[str, tuple[str, object, str, str]] = {
    "build beyond the limit": ("below_limit", lambda c: True, "QUEUE", "CAPACITY"),
    "no build starts": ("short", lambda c, more=0: c.live < 0, "DESTROYED", "WORK-CONSERVING"),
    "leap to a limit": ("climbs", lambda c, bounded, limit: limit >= 0, "RESIZE", "WORK-CONSERVING"),
    "resize takes what is fit only": ("free", lambda c: c.free_fit, "RESIZE", "RESIZE-BOTH-WAYS"),
    "closing for ever": ("CLOSED", 1, "DESTROYED", "CLOSE-TERMINATES"),
}


@pytest.mark.parametrize("name", WRONG_STEPS)
def test_a_wrong_step_is_refuted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    what, wrong, row, clause = WRONG_STEPS[name]
    monkeypatch.setattr(inductive.step if hasattr(inductive.step, what) else inductive.counts, what, wrong)
    assert_refuted(refute({row: ROWS[row]}), clause)


def test_refilling_beyond_the_limit_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GUARDS, "meagre", lambda c: staying(c) < c.min_size)
    assert_refuted(refute({"REFILL": ROWS["REFILL"]}), "CAPACITY")


def test_closing_beside_waiters_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(inductive.step.BULK, "close", close_and_forget_the_waiters)
    assert_refuted(refute({"CLOSE": ROWS["CLOSE"]}), "CLOSE-REFUSES")


def assert_refuted(found: Iterable[proof.Counterexample], clause: str) -> None:
    """Some counterexample breaks *clause*, and it is one: it begins where every invariant is kept."""
    assert clause in INVARIANTS or clause in PROMISES
    breach = next((each for each in found if clause in each.broken), None)
    assert breach is not None, f"nothing breaks {clause}"
    print(breach)
    assert all(holds(breach.before) for holds in INVARIANTS.values())


# Explored


def moves(scope: Scope) -> set[Move]:
    """Every edge of *scope*, as numbers."""
    first = first_node(scope)
    named, frontier, found = {first: counted(first.state, scope.config)}, [first], set[Move]()
    for node in frontier:
        for each in steps(scope, node, scope.domain()):
            if each.node not in named:
                named[each.node] = counted(each.node.state, scope.config)
                frontier.append(each.node)
            found.add((each.edge.event.row, named[node], named[each.node]))
    return found


def uncounted(found: Iterable[Move], seen: set[tuple[str, int]]) -> list[Move]:
    """The moves that no case allows; *seen* are the cases that allow the others."""
    left = []
    for row, before, after in found:
        by = {(row, place) for place in counting(row, before, after)}
        seen |= by
        if not by:
            left.append((row, before, after))
    return left


def test_every_edge_is_a_step_of_the_counters_and_every_case_an_edge() -> None:
    seen: set[tuple[str, int]] = set()
    assert [] == [move for name in ORDINARY for move in uncounted(moves(SCOPES[name]), seen)]
    assert set(cases()) == seen


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SCOPES)
def test_every_edge_of_every_scope_is_a_step_of_the_counters(name: str) -> None:
    assert [] == uncounted(moves(SCOPES[name]), set())


def walk(seed: int) -> set[Move]:
    """Moves of a pool of 6 slots with 9 clients and all options, where each row is as likely as any other."""
    config = Config(limit=6, min_size=3, check=True, lease_reset=True, max_waiting=4, order="fifo")
    domain = Scope("walk", config, clients=9, limits=(0, 2, 4, 6, None)).domain()
    draw, found = random.Random(seed), set[Move]()
    for _ in range(WALKS):
        state = initial(config)
        for _ in range(LENGTH):
            by_row: dict[str, list[Event]] = {}
            for each in enabled(state, config, domain):
                by_row.setdefault(each.row, []).append(each)
            for row in ENDINGS:
                by_row.pop(row, None)
            event = draw.choice(by_row[draw.choice(list(by_row))])
            after = perform(state, config, event).state
            found.add((event.row, counted(state, config), counted(after, config)))
            state = after
    return found


def test_random_walks_beyond_the_scopes_are_steps_of_the_counters(seed: int) -> None:
    assert [] == uncounted(walk(seed), set())


def test_a_failed_check_that_passes_an_unfit_slot_is_a_step_of_the_counters() -> None:
    """In no scope is a slot unfit in front of the one that the ticket gets next."""
    config = Config(limit=3, check=True)
    slots = Slot(1, "checked_out", holder=1), Slot(2, "free", unfit=True), Slot(3, "free")
    before = State("open", 3, slots, (2, 3))
    after, fired = perform(before, config, Event("CHECK-FAILED", 1, 1))
    assert ["CHECK-FAILED", "EXPIRE", "HAND-OFF"] == [each.row for each in fired]
    assert [] == uncounted([("CHECK-FAILED", counted(before, config), counted(after, config))], set())


def test_the_first_counts_are_those_of_the_first_state() -> None:
    configs = [scope.config for scope in SCOPES.values()]
    assert [options(config) for config in configs] == [counted(initial(config), config) for config in configs]


@pytest.mark.parametrize(
    "wrong",
    [
        with_cases("ADOPT", *ROWS["ADOPT"].cases[:2]),
        with_cases("BUILD-FAILED", Case({"bound_fit": -1, "live": -1})),
        without("QUEUE", "open") | {"RELEASE": replace(ROWS["RELEASE"], guards=("surplus",))},
    ],
)
def test_rows_that_do_not_count_the_model_are_found(wrong: dict[str, Row], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, row in wrong.items():
        monkeypatch.setitem(ROWS, name, row)
    assert uncounted(moves(SCOPES["fork"]), set())
