"""What must happen in the end: no fair run stays for ever where it should leave.

A promise names a *region* of states in which something is still owed, and the assumptions under which it must be left.
An assumption is weak fairness for some actions: an action that stays possible is taken in the end. A run that never
leaves the region ends up in a strongly connected component of it, so the promise is broken exactly if some component
is *fair*: every action is taken inside it, or is not possible somewhere in it. Doing nothing is always possible, so a
single state counts as a component: otherwise a pool that stands still would pass.

Each promise also names the rows that happen only finitely often: faults stop, or nothing could be promised.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from poolmodel.explore import Scope, explore, hopeless, steps
from poolmodel.invariants import LEASE_ENDS, Edge
from poolmodel.machine import Rows
from poolmodel.rows import ROWS
from poolmodel.state import Event, State, existing

# The assumptions of the spec, as the actions that each makes fair: one action for each slot, ticket or pool.
ASSUMPTIONS: dict[str, dict[str, str]] = {
    "FAIR-SCHEDULER": {"HAND-OFF": "ticket"},
    "CALLBACKS-RETURN": {
        "BUILD-OK": "build",
        "BUILD-LATE": "build",
        "BUILD-FAILED": "build",
        "BUILD-LOST": "build",
        "RESET-OK": "reset",
        "RESET-FAILED": "reset",
        "DESTROYED": "destroy",
    },
    "HOLDERS-RELEASE": {"RELEASE": "lease", "RELEASE-RESET": "lease", "DISCARD": "lease"},
    "CHECKS-FAIL": {"CHECK-FAILED": "lease", "CHECK-REFUSED": "lease"},
    "OPERATIONS-CONTINUE": {"ADOPT": "adopt", "REFILL": "refill", "RETRY": "retry"},
}

# Nothing can be promised while somebody dies, or the settings change, again and again.
FAULTS = frozenset(("ORPHAN", "AGE", "RETIRE", "RENEW", "RESIZE", "FORK", "BUILD-ABANDONED"))
LOSSES = (LEASE_ENDS - {"RELEASE", "RELEASE-RESET"}) | {
    "RESET-FAILED",
    "REMOVE-FREE",
    "BUILD-FAILED",
    "BUILD-LOST",
}


@dataclass(frozen=True)
class Promise:
    """Under *assuming*, and while no row of *never* happens, no run stays in the region for ever.

    ``region(scope, state, who)`` is asked once for every *who*: a ticket, a slot, or nobody. With ``through``, a run
    may stay unless it takes this row for *who* again and again.
    """

    clause: str
    region: Callable[[Scope, State, int], bool]
    assuming: tuple[str, ...]
    never: frozenset[str] = FAULTS
    who: Callable[[Scope], Iterable[int]] = lambda scope: range(1, scope.clients + 1)
    through: str | None = None


def waits(scope: Scope, state: State, who: int) -> bool:
    return state.phase == "open" and who in state.queue and not hopeless(scope, state)


def closing(scope: Scope, state: State, who: int) -> bool:
    return state.phase == "closing"


def asks_for_a_good_one(scope: Scope, state: State, who: int) -> bool:
    return state.phase == "open" and (who in state.queue or any(slot.holder == who for slot in state.slots))


def has_work(scope: Scope, state: State, who: int) -> bool:
    return any(slot.number == who and slot.state in ("returning", "discarded") for slot in state.slots)


def too_few(scope: Scope, state: State, who: int) -> bool:
    config = scope.config
    roomy = state.limit is None or state.limit >= config.min_size
    return state.phase == "open" and config.factory and roomy and existing(state) < config.min_size


def once(scope: Scope) -> tuple[int]:
    return (0,)


def slots(scope: Scope) -> Iterable[int]:
    return range(1, (scope.config.limit or scope.clients) + 1)


_WORKING = ("FAIR-SCHEDULER", "CALLBACKS-RETURN", "OPERATIONS-CONTINUE")

PROMISES = (
    Promise("WAIT-ENDS", waits, (*_WORKING, "HOLDERS-RELEASE")),
    Promise("CLOSE-TERMINATES", closing, (*_WORKING, "HOLDERS-RELEASE"), who=once),
    Promise("BACKLOG-DRAINS", has_work, _WORKING, who=slots),
    # Every check fails from now on, and what fails is not replaced by anybody but the one who asks.
    Promise(
        "CHECK-TERMINATES",
        asks_for_a_good_one,
        (*_WORKING, "CHECKS-FAIL"),
        FAULTS | (LEASE_ENDS - {"CHECK-FAILED", "CHECK-REFUSED"}) | {"RESET-OK", "REFILL", "ADD", "WITHDRAW"},
        through="CHECK-FAILED",
    ),
    # Losses end, and create recovers.
    Promise("MIN-SIZE", too_few, _WORKING, FAULTS | LOSSES, once),
)


class Arrow(NamedTuple):
    event: Event
    target: int


@dataclass(frozen=True)
class Graph:
    """All reachable nodes of a scope, with what leads from each to where."""

    scope: Scope
    states: tuple[State, ...]
    arrows: tuple[tuple[Arrow, ...], ...]
    path: Callable[[int], tuple[Edge, ...]]


@dataclass(frozen=True)
class Starvation:
    """A fair run that breaks a promise: a way into the component, its size, and the rows that go round in it."""

    clause: str
    who: int
    prefix: tuple[Edge, ...]
    states: int
    rows: tuple[str, ...]


def graph(scope: Scope, rows: Rows = ROWS) -> Graph:
    found = explore(scope, rows, judge=False)
    nodes = tuple(found.parents)
    index = {node: number for number, node in enumerate(nodes)}
    domain = scope.domain()
    arrows = tuple(
        tuple(Arrow(step.edge.event, index[step.node]) for step in steps(scope, node, domain, rows)) for node in nodes
    )
    return Graph(scope, tuple(node.state for node in nodes), arrows, lambda number: found.path(nodes[number]))


def starving(graph: Graph, promise: Promise) -> Starvation | None:
    """A fair component of the promise's region, if there is one."""
    for who in promise.who(graph.scope):
        inside = {number for number, state in enumerate(graph.states) if promise.region(graph.scope, state, who)}
        for component in components(graph, inside, promise):
            taken = {
                arrow.event
                for number in component
                for arrow in stays(graph, number, promise)
                if arrow.target in component
            }
            if promise.through and not any(e.row == promise.through and e.ticket == who for e in taken):
                continue
            if is_fair(graph, component, taken, promise):
                first = min(component)
                rows = tuple(sorted({event.row for event in taken}))
                return Starvation(promise.clause, who, graph.path(first), len(component), rows)
    return None


def action(event: Event, promise: Promise) -> Hashable:
    """The fair action that *event* is an instance of, or None."""
    for name in promise.assuming:
        kind = ASSUMPTIONS[name].get(event.row)
        if kind is not None:
            return kind, event.ticket if kind == "ticket" else None if kind == "refill" else event.slot
    return None


def stays(graph: Graph, number: int, promise: Promise) -> Iterator[Arrow]:
    return (arrow for arrow in graph.arrows[number] if arrow.event.row not in promise.never)


def is_fair(graph: Graph, component: set[int], taken: set[Event], promise: Promise) -> bool:
    """Every fair action is taken inside the component, or not possible somewhere in it."""
    done = {action(event, promise) for event in taken}
    always: set[Hashable] | None = None
    for number in component:
        possible = {action(arrow.event, promise) for arrow in stays(graph, number, promise)} - done - {None}
        always = possible if always is None else always & possible
        if not always:
            return True
    return False


def components(graph: Graph, inside: set[int], promise: Promise) -> Iterator[set[int]]:
    """Strongly connected components of the region (Tarjan's algorithm, without recursion), single states included."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()

    def targets(number: int) -> Iterator[int]:
        return (arrow.target for arrow in stays(graph, number, promise) if arrow.target in inside)

    for root in inside:
        if root in order:
            continue
        work = [(root, targets(root))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            number, rest = work[-1]
            target = next((each for each in rest if each not in order or each in on_stack), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[number])
                if low[number] == order[number]:
                    at = stack.index(number)
                    component = set(stack[at:])
                    del stack[at:]
                    on_stack -= component
                    yield component
            elif target in on_stack:
                low[number] = min(low[number], order[target])
            else:
                order[target] = low[target] = len(order)
                stack.append(target)
                on_stack.add(target)
                work.append((target, targets(target)))
