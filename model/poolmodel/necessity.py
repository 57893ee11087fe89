"""What a guard is for, found out by dropping it.

Dropping a guard of a row can only add edges: those on which this guard alone was false. So the graph without the guard
is the graph with it, and whatever these edges lead to. If they break an invariant, the guard is *needed*; if there are
none, it is *implied*; otherwise it is *policy*, and some policy must say what is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from poolmodel.explore import Exploration, Node, Step, explore, steps
from poolmodel.invariants import Edge, broken_by_edge, broken_by_state
from poolmodel.machine import Rows, perform
from poolmodel.mutants import without
from poolmodel.policies import ACQUIRES, broken_policies
from poolmodel.rows import ROWS, Meaningless
from poolmodel.state import Event


@dataclass
class Verdict:
    """What dropping one guard of one row did."""

    row: str
    guard: str
    invariants: set[str] = field(default_factory=set)
    policies: set[str] = field(default_factory=set)
    new_edges: int = 0

    @property
    def kind(self) -> str:
        if self.invariants:
            return "needed"
        return "policy" if self.new_edges else "implied"


def judge(row: str, guard: str, explorations: Iterable[Exploration]) -> Verdict:
    """Drop *guard* of *row* in each of the explored scopes, until an invariant breaks."""
    verdict = Verdict(row, guard)
    rows = without(row, guard)
    for found in explorations:
        if row in found.scope.rows:
            _judge_outside(verdict, found, rows)
        elif ROWS[row].inside:
            _judge_inside(verdict, found, rows)
        if verdict.invariants:
            break
    return verdict


def _judge_inside(verdict: Verdict, found: Exploration, rows: Rows) -> None:
    """A row of the balance may happen in any step: there is nothing for it but to explore again."""
    try:
        other = explore(found.scope, rows)
    except Meaningless:
        verdict.invariants.add("(meaningless)")
        return
    if other.counterexample is not None:
        verdict.invariants.update(other.counterexample.broken)
        verdict.policies.update(other.counterexample.policies)
        verdict.new_edges += 1
    elif other.parents.keys() != found.parents.keys() or other.edges != found.edges:
        verdict.new_edges += 1


def _judge_outside(verdict: Verdict, found: Exploration, rows: Rows) -> None:
    config, domain = found.scope.config, found.scope.domain()
    new: dict[Node, None] = {}
    for node in found.parents:
        for event in ROWS[verdict.row].subjects(node.state, config, domain):
            alone = _only_this_guard_is_false(verdict, node, found, event)
            if alone and not _take(verdict, found, node, event, rows, new):
                return
    frontier = [node for node in new if node not in found.parents]
    known = set(found.parents) | set(frontier)
    while frontier:
        node = frontier.pop()
        for step in steps(found.scope, node, domain, rows):
            if not _examine(verdict, found, step):
                return
            if step.node not in known:
                known.add(step.node)
                frontier.append(step.node)


def _only_this_guard_is_false(verdict: Verdict, node: Node, found: Exploration, event: Event) -> bool:
    state, config = node.state, found.scope.config
    if any(holds(state, config, event) == (name == verdict.guard) for name, holds in ROWS[verdict.row].guards.items()):
        return False
    if not node.rounds or event.row not in ACQUIRES or event.ticket is None:
        return True
    return node.rounds[event.ticket - 1] > 0


def _take(verdict: Verdict, found: Exploration, node: Node, event: Event, rows: Rows, new: dict[Node, None]) -> bool:
    """Take an edge that the guard forbade; False once an invariant is broken."""
    verdict.new_edges += 1
    try:
        after, fired = perform(node.state, found.scope.config, event, rows)
    except Meaningless:
        verdict.invariants.add("(meaningless)")
        return False
    reached = Node(after, node.rounds)
    if node.rounds and event.row in ACQUIRES and event.ticket is not None:
        at = event.ticket - 1
        reached = Node(after, (*node.rounds[:at], node.rounds[at] - 1, *node.rounds[at + 1 :]))
    new[reached] = None
    return _examine(verdict, found, Step(Edge(node.state, event, fired, after), reached))


def _examine(verdict: Verdict, found: Exploration, step: Step) -> bool:
    config = found.scope.config
    verdict.policies.update(broken_policies(step.edge, config))
    verdict.invariants.update(broken_by_edge(step.edge, config))
    verdict.invariants.update(broken_by_state(step.edge.after, config))
    return not verdict.invariants


def all_guards(rows: Rows = ROWS) -> Iterator[tuple[str, str]]:
    return ((row.id, guard) for row in rows.values() for guard in row.guards)
