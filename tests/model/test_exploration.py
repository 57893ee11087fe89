"""Every reachable state and every edge of every scope; and that a mistake in the model would be seen."""

from __future__ import annotations

import pytest

from model.recording import Explored
from poolmodel import ROWS
from poolmodel.configurations import SCOPES
from poolmodel.explore import explore
from poolmodel.guards import GUARDS
from poolmodel.invariants import EDGES, STATES
from poolmodel.lanes import lanes
from poolmodel.mutants import MUTANTS, Mutant
from poolmodel.policies import POLICIES
from specification import Edge, clauses, guards, rows

SPEC = {row.id: row for row in rows()}
IMPLIED = {(row.id, name) for row in rows() for name, kind in row.guards if kind == "implied"}
# The model forgets a ticket that ends, so it cannot tell how it ended.
ENDED = {"withdrawn": "ended", "refused": "ended"}


@pytest.mark.clause(
    "EXCLUSIVE",
    "CAPACITY",
    "CAPACITY-UNTIL-DESTROYED",
    "CONSERVATION",
    "NEVER-STALE",
    "RESET-BEFORE-REUSE",
    "DUTY-OWNED",
    "REMOVE-LEAVES",
    "RENEW-ALL",
    "FREE-ORDER",
    "OLDEST-FIRST",
    "WAIT-FIFO",
    "ONE-OUTCOME",
    "WAIT-BOUND",
    "EMPTY-RAISES",
    "CHECK-KEEPS-TURN",
    "CLOSE-REFUSES",
    "CLOSE-FINAL",
    "LEASE-ONCE",
    "COUNTS-RECOUNT",
    "WORK-CONSERVING",
    "CREATE-DEMAND",
    "RETRY-BACKOFF",
    "RESIZE-BOTH-WAYS",
    "CLOSE-TERMINATES",
    "FORK-SAFE",
    "LEASE-ABANDONED",
)
@pytest.mark.parametrize("name", SCOPES)
def test_every_invariant_and_policy_holds_in_every_state_and_on_every_edge(name: str, explored: Explored) -> None:
    found = explored.scopes[name].counterexample
    assert found is None, f"{found.broken + found.policies}\n{lanes(found.path, SCOPES[name].clients)}"


def test_every_check_has_the_name_of_a_clause() -> None:
    names = {*STATES, *EDGES, *POLICIES}
    assert names - {clause.id for clause in clauses()} == {"NO-WASTE"}


def test_the_ordinary_size_is_three_clients_and_two_slots() -> None:
    fired = {row for scope in SCOPES.values() if (scope.clients, scope.config.limit) == (3, 2) for row in scope.rows}
    assert fired == {row.id for row in ROWS.values() if not row.inside}


def test_every_row_fires(explored: Explored) -> None:
    fired = {row for found in explored.scopes.values() for row in found.fired}
    assert fired == set(ROWS)


def test_every_guard_is_true_and_false_somewhere(explored: Explored) -> None:
    asked = {(row, name): values for (row, name), values in explored.record.guards.items()}
    expected = {(row.id, name) for row in ROWS.values() for name in row.guards}
    assert {key for key, values in asked.items() if values == {True, False}} == expected - IMPLIED
    assert {key for key, values in asked.items() if values == {True}} == IMPLIED


# The table of the spec and the rows of the model


def test_the_model_has_the_rows_of_the_table_in_their_order() -> None:
    assert list(ROWS) == list(SPEC)
    assert {row.id for row in ROWS.values() if row.inside} == {row.id for row in rows() if row.inner}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_the_guards_of_the_table(name: str) -> None:
    assert list(ROWS[name].guards) == [guard for guard, _ in SPEC[name].guards]


def test_the_model_has_the_guards_of_the_spec() -> None:
    assert list(GUARDS) == list(guards())


@pytest.mark.parametrize("name", ROWS)
def test_a_row_moves_what_the_table_says_and_nothing_else(name: str, explored: Explored) -> None:
    machines = {edge.machine for edge in SPEC[name].edges}
    said = {(edge.machine, edge.source, ENDED.get(edge.target, edge.target)) for edge in all_edges(name)}
    seen = {move for move in explored.record.moves[name] if move[0] in machines | {"slot"}}
    if "ticket" not in machines and "slot" not in machines:
        seen = {move for move in seen if move[0] == "pool"}
    assert seen == said


def all_edges(name: str) -> tuple[Edge, ...]:
    """The edges of the table, and the sweep of RESIZE, which the reader takes for prose."""
    more = (Edge("RESIZE", "slot", "free", "discarded"),) if name == "RESIZE" else ()
    return SPEC[name].edges + more


# The checks, shown to bite


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found_by_the_property_that_names_it(mutant: Mutant) -> None:
    found = explore(SCOPES[mutant.scope], mutant.rows).counterexample
    assert found is not None
    assert mutant.caught_by in found.broken


def test_a_counterexample_reads_as_lanes() -> None:
    lost = next(mutant for mutant in MUTANTS if mutant.name == "lost hand-off")
    found = explore(SCOPES[lost.scope], lost.rows).counterexample
    assert found is not None
    text = lanes(found.path, 3).splitlines()
    assert text[0].split() == ["client", "1", "client", "2", "client", "3", "work", "world", "afterwards"]
    assert text[1:] == [
        "1  QUEUE                       BUILD-START 1         open 1/2, 1:creating←1, waiting 1",
        "2                              BUILD-OK 1            open 1/2, 1:free, next free 1, waiting 1",
    ]


def test_every_check_has_bitten() -> None:
    """Each invariant and policy is broken by some mutant or some dropped guard; see test_guards for the latter."""
    assert {mutant.caught_by for mutant in MUTANTS} <= {*STATES, *EDGES, "WAIT-ENDS"}
