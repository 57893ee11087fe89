"""Every reachable state and every edge of every scope; and that a mistake in the model would be seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import pytest

from model.recording import Explored
from poolmodel import ROWS
from poolmodel.configurations import SCOPES
from poolmodel.explore import Scope, explore, first_node, steps
from poolmodel.guards import GUARDS
from poolmodel.invariants import EDGES, LEASE_ENDS, STATES
from poolmodel.lanes import lanes
from poolmodel.machine import Rows
from poolmodel.mutants import MUTANTS, Mutant, without
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
    machines = {edge.machine for edge in all_edges(name)}
    said = {(edge.machine, edge.source, ENDED.get(edge.target, edge.target)) for edge in all_edges(name)}
    moved = {move for move in explored.record.moves[name] if move[0] in machines}
    assert moved == said
    # A lease that ends has its ticket in no column, and FORK forgets without moving; nothing else moves unsaid.
    unsaid = {kind for kind, source, target in explored.record.moves[name] - moved if source != target}
    assert unsaid <= ({"slot", "ticket"} if name == "FORK" else {"ticket"} if name in LEASE_ENDS else set())


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
    assert [" ".join(line.split()) for line in text[1:]] == [
        "1 QUEUE BUILD-START 1 open 1/2, 1:creating←1, waiting 1",
        "2 BUILD-OK 1, BUILD-START 2 open 2/2, 1:free, 2:creating←1, next free 1, waiting 1",
    ]
    assert (text[1].index("QUEUE"), text[1].index("BUILD-START")) == (text[0].index("client 1"), text[0].index("work"))


# Row, guard to drop, scope: where the checks that no mutant is about are broken.
DROPPED = (
    ("ADD", "open", "given"),
    ("RELEASE", "fit", "ordinary"),
    ("RELEASE", "no-reset", "reset"),
    ("RELEASE-RESET", "fit", "reset"),
    ("CHECK-REFUSED", "fresh-or-not-open", "check"),
    ("CHECK-FAILED", "not-fresh", "check"),
    ("CLOSE", "open", "fork"),
    ("CLOSED", "nothing-live", "fork"),
    ("REFUSE-CLOSED", "not-open", "fork"),
    ("ORPHAN", "owned", "ordinary"),
    ("QUEUE", "not-empty", "empty-raises"),
    ("QUEUE", "none-fit-free", "ordinary"),
    ("QUEUE", "room-to-wait", "busy"),
    ("REFUSE-TIMEOUT", "cannot-build", "ordinary"),
    ("BUILD-OK", "fit", "ordinary"),
    ("BUILD-OK", "no-surplus", "resize"),
    ("BUILD-LATE", "late", "ordinary"),
    ("BUILD-START", "short", "fork"),
    ("SHRINK", "above-min-size", "min-size"),
    ("RETRY", "backing-off", "fork"),
)


def test_every_check_is_broken_by_something() -> None:
    broken = set[tuple[str, str]]()
    for mutant in MUTANTS:
        broken |= breaches(SCOPES[mutant.scope], mutant.rows)
    for row, guard, scope in DROPPED:
        broken |= breaches(SCOPES[scope], without(row, guard))
    kinds: tuple[tuple[str, Iterable[str]], ...] = (("state", STATES), ("edge", EDGES), ("policy", POLICIES))
    assert broken == {(kind, name) for kind, checks in kinds for name in checks}


def breaches(scope: Scope, rows: Rows, most: int = 300) -> set[tuple[str, str]]:
    """What the first *most* nodes break; where a state is broken, nothing is made of what follows from it."""
    found, first, config = set[tuple[str, str]](), first_node(scope), scope.config
    seen, todo = {first}, deque([first])
    while todo and most:
        most -= 1
        for edge, node in steps(scope, todo.popleft(), scope.domain(), rows):
            found |= {("edge", name) for name, holds in EDGES.items() if not holds(edge, config)}
            found |= {("policy", name) for name, edge_holds in POLICIES.items() if not edge_holds(edge, config)}
            if node not in seen:
                seen.add(node)
                bad = {("state", name) for name, state_holds in STATES.items() if not state_holds(node.state, config)}
                found |= bad
                todo.extend([] if bad else [node])
    return found
