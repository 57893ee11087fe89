"""Every reachable state of a small scope, breadth first, so that the first counterexample is a shortest one.

A *scope* is a pool together with its surroundings: clients that acquire and end their leases, for ever or a finite
number of times, and those rows of the environment that are let loose on it. A client needs no state of its own: it
waits if its ticket is in the queue, holds if a slot names it, and is idle otherwise; its tickets share one number,
since nothing refers to a ticket that has ended.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from poolmodel.invariants import Edge, broken_by_edge, broken_by_state
from poolmodel.machine import Rows, enabled, perform
from poolmodel.policies import ACQUIRES, broken_policies
from poolmodel.rows import ROWS
from poolmodel.state import Config, Domain, State, initial, live

OUTSIDE = frozenset(row.id for row in ROWS.values() if not row.inside)

# What callbacks, owners of work, holders and passers-by are trusted to do sooner or later.
PROMISED = frozenset(
    (
        "BUILD-OK",
        "BUILD-LATE",
        "BUILD-FAILED",
        "BUILD-LOST",
        "RELEASE",
        "RELEASE-RESET",
        "DISCARD",
        "RESET-OK",
        "RESET-FAILED",
        "ADOPT",
        "DESTROYED",
    )
)


@dataclass(frozen=True)
class Scope:
    """A pool, its clients, and what the environment may do to it. ``rounds`` None: clients acquire for ever."""

    name: str
    config: Config
    clients: int = 3
    rounds: int | None = None
    rows: frozenset[str] = OUTSIDE
    limits: tuple[int | None, ...] = ()
    resources: tuple[int | None, ...] = (None,)

    def domain(self) -> Domain:
        return Domain(tuple(range(1, self.clients + 1)), self.limits, None, self.resources)


class Node(NamedTuple):
    """A state, and how often each client may still acquire (empty if for ever)."""

    state: State
    rounds: tuple[int, ...]


class Step(NamedTuple):
    """An edge of the graph, with the node that it leads to."""

    edge: Edge
    node: Node


@dataclass
class Counterexample:
    """What is broken, and a shortest way there."""

    broken: tuple[str, ...]
    policies: tuple[str, ...]
    path: tuple[Edge, ...]


@dataclass
class Exploration:
    """What was found. ``parents`` leads from every node back to the first one."""

    scope: Scope
    parents: dict[Node, tuple[Node, Edge] | None] = field(default_factory=dict)
    edges: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    counterexample: Counterexample | None = None

    @property
    def states(self) -> int:
        return len(self.parents)

    def path(self, node: Node) -> tuple[Edge, ...]:
        """The edges from the first node to *node*."""
        found: list[Edge] = []
        while (parent := self.parents[node]) is not None:
            node, edge = parent
            found.append(edge)
        return tuple(reversed(found))


def first_node(scope: Scope) -> Node:
    rounds = () if scope.rounds is None else (scope.rounds,) * scope.clients
    return Node(initial(scope.config), rounds)


def steps(scope: Scope, node: Node, domain: Domain, rows: Rows = ROWS) -> Iterator[Step]:
    """Every step that the scope allows from *node*."""
    for event in enabled(node.state, scope.config, domain, rows):
        if event.row not in scope.rows:
            continue
        rounds = node.rounds
        if rounds and event.row in ACQUIRES and event.ticket is not None:
            at = event.ticket - 1
            if rounds[at] == 0:
                continue
            rounds = (*rounds[:at], rounds[at] - 1, *rounds[at + 1 :])
        after, fired = perform(node.state, scope.config, event, rows)
        yield Step(Edge(node.state, event, fired, after), Node(after, rounds))


def hopeless(scope: Scope, state: State) -> bool:
    """Waiting is in vain here unless somebody adds a resource or raises the limit: WAIT-ENDS exempts it."""
    return live(state) == 0 and (not scope.config.factory or state.limit == 0)


def is_stuck(scope: Scope, state: State, seen: set[str]) -> bool:
    """Something is unfinished, and none of those who are trusted to go on can."""
    unfinished = bool(state.queue) or any(slot.state != "free" for slot in state.slots)
    return unfinished and not seen & PROMISED and not hopeless(scope, state)


def explore(scope: Scope, rows: Rows = ROWS, *, judge: bool = True) -> Exploration:
    """Visit every reachable node; stop at the first breach of an invariant or a policy."""
    found = Exploration(scope)
    began = time.perf_counter()
    first = first_node(scope)
    found.parents[first] = None
    if judge and (broken := broken_by_state(first.state, scope.config)):
        found.counterexample = Counterexample(tuple(broken), (), ())
    frontier = [first]
    while frontier and found.counterexample is None:
        frontier = _next_layer(found, frontier, rows, judge)
    found.seconds = time.perf_counter() - began
    return found


def _next_layer(found: Exploration, frontier: list[Node], rows: Rows, judge: bool) -> list[Node]:
    scope, domain, layer = found.scope, found.scope.domain(), []
    for node in frontier:
        seen: set[str] = set()
        for step in steps(scope, node, domain, rows):
            found.edges += 1
            found.fired.update([each.row for each in step.edge.fired])
            seen.add(step.edge.event.row)
            new = step.node not in found.parents
            if new:
                found.parents[step.node] = (node, step.edge)
                layer.append(step.node)
            if judge and _breach(found, node, step, new):
                return layer
        if judge and is_stuck(scope, node.state, seen):
            found.counterexample = Counterexample(("WAIT-ENDS",), (), found.path(node))
            return layer
    return layer


def _breach(found: Exploration, node: Node, step: Step, new: bool) -> bool:
    """Whether *step* breaks anything; if so, it is the counterexample."""
    config = found.scope.config
    broken = broken_by_edge(step.edge, config)
    if new:
        broken += [name for name in broken_by_state(step.edge.after, config) if name not in broken]
    policies = broken_policies(step.edge, config)
    if broken or policies:
        path = (*found.path(node), step.edge)
        found.counterexample = Counterexample(tuple(broken), tuple(policies), path)
        return True
    return False
