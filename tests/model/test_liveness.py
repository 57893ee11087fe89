"""What must happen in the end does, under the assumptions that are named; and the check can fail."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import specification
from poolmodel.configurations import SCOPES
from poolmodel.liveness import PROMISES, Graph, Promise, graph, starving
from poolmodel.mutants import no_row, with_barging, without, woken_but_respected

PROMISE = {promise.clause: promise for promise in PROMISES}


@cache
def graph_of(name: str) -> Graph:
    return graph(SCOPES[name])


@cache
def graph_without(name: str, row: str) -> Graph:
    return graph(SCOPES[name], no_row(row))


def recovering(promise: Promise) -> Promise:
    """The same promise where builds that nobody waits for fail only finitely often."""
    return replace(promise, never=promise.never | {"BUILD-LOST"})


@pytest.mark.clause("WAIT-ENDS", "CLOSE-TERMINATES", "BACKLOG-DRAINS", "CHECK-TERMINATES", "MIN-SIZE")
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.clause)
@pytest.mark.parametrize("name", SCOPES)
def test_no_fair_run_breaks_a_promise(name: str, promise: Promise) -> None:
    if SCOPES[name].config.min_size > 1 and promise.clause == "WAIT-ENDS":
        promise = recovering(promise)
    assert starving(graph_of(name), promise) is None


# What a promise assumes beyond its clause. That of CHECK-TERMINATES is the intent of a clause that speaks of one step,
# and so assumes nothing of the future: if checks go on failing, every acquire ends.
BEYOND = {"CHECK-TERMINATES": {"FAIR-SCHEDULER", "OPERATIONS-CONTINUE", "CHECKS-FAIL"}}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.clause)
def test_a_promise_assumes_what_its_clause_says(promise: Promise) -> None:
    clause = next(each for each in specification.clauses() if each.id == promise.clause)
    assert set(promise.assuming) - set(clause.assumes) == BEYOND.get(promise.clause, set())


def test_a_ticket_can_wait_for_ever_for_refills_that_always_fail() -> None:
    """Why WAIT-ENDS takes CREATE-RECOVERS with min_size above 1.

    Two refills that fail in turn keep creating ≥ waiting true, so no build is ever bound to the ticket.
    """
    found = starving(graph_of("min-size"), PROMISE["WAIT-ENDS"])
    assert found is not None
    assert {"BUILD-LOST", "REFILL", "RETRY"} <= set(found.rows)


@pytest.mark.parametrize("row", ["REFILL", "WITHDRAW"])
def test_a_failing_check_ends_only_if_nobody_else_brings_new_slots(row: str) -> None:
    """Why CHECK-TERMINATES assumes it: what others build becomes free, so it is not fresh for the one who gets it."""
    promise = PROMISE["CHECK-TERMINATES"]
    found = starving(graph_of("min-size"), replace(promise, never=promise.never - {row}))
    assert found is not None
    assert "CHECK-FAILED" in found.rows


def test_barging_starves() -> None:
    scope = replace(SCOPES["ordinary"], rows=SCOPES["ordinary"].rows | {"HAND-OFF"})
    found = starving(graph(scope, with_barging()), PROMISE["WAIT-ENDS"])
    assert found is not None
    assert "GRANT-FREE" in found.rows
    assert "HAND-OFF" not in found.rows


def test_a_woken_ticket_does_not_starve_if_newcomers_let_it_pass() -> None:
    scope = replace(SCOPES["ordinary"], rows=SCOPES["ordinary"].rows | {"HAND-OFF"})
    assert starving(graph(scope, woken_but_respected()), PROMISE["WAIT-ENDS"]) is None


@pytest.mark.parametrize("clause", ["WAIT-ENDS", "BACKLOG-DRAINS", "CLOSE-TERMINATES"])
def test_standing_still_is_found(clause: str) -> None:
    """Without stutter steps a pool that stands still would have no run to be blamed for."""
    assert starving(graph_without("busy", "ADOPT"), PROMISE[clause]) is not None


def test_a_check_that_goes_round_is_found() -> None:
    rows = without("CHECK-FAILED", "not-fresh")
    assert starving(graph(SCOPES["check"], rows), PROMISE["CHECK-TERMINATES"]) is not None


def test_a_pool_that_surrenders_is_found() -> None:
    assert starving(graph_without("fork", "RETRY"), PROMISE["MIN-SIZE"]) is not None


@pytest.mark.parametrize(
    ("clause", "assumption"),
    [
        ("WAIT-ENDS", "CALLBACKS-RETURN"),
        ("WAIT-ENDS", "HOLDERS-RELEASE"),
        ("WAIT-ENDS", "OPERATIONS-CONTINUE"),
        ("CLOSE-TERMINATES", "CALLBACKS-RETURN"),
        ("CLOSE-TERMINATES", "HOLDERS-RELEASE"),
        ("BACKLOG-DRAINS", "OPERATIONS-CONTINUE"),
        ("MIN-SIZE", "OPERATIONS-CONTINUE"),
    ],
)
def test_an_assumption_that_is_named_is_used(clause: str, assumption: str) -> None:
    promise = PROMISE[clause]
    weaker = replace(promise, assuming=tuple(name for name in promise.assuming if name != assumption))
    scope = "fork" if clause == "MIN-SIZE" else "busy"
    assert starving(graph_of(scope), weaker) is not None
