"""What must hold in every state and on every edge, one function per clause, under the clause's name.

An *invariant* says what may never happen to a resource or a ticket, whatever the pool was asked to do. A *policy*
says which of several harmless rows is the right one. The table's word for a guard follows from this: dropping a
*needed* guard breaks an invariant, dropping a *policy* guard breaks a policy and no invariant.

Nothing here looks at a guard: an edge is judged by what it did. That makes it a second opinion on the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from poolmodel.machine import Fired
from poolmodel.state import (
    Config,
    Event,
    Slot,
    SlotState,
    State,
    below_limit,
    count,
    existing,
    initial,
    live,
    staying,
    surplus,
    waiting,
)


class Edge(NamedTuple):
    """One step: where it began, what was asked, what happened in order, where it ended."""

    before: State
    event: Event
    fired: tuple[Fired, ...]
    after: State


StateCheck = Callable[[State, Config], bool]
EdgeCheck = Callable[[Edge, Config], bool]

STATES: dict[str, StateCheck] = {}
EDGES: dict[str, EdgeCheck] = {}

LEASE_ENDS = frozenset(
    (
        "RELEASE",
        "RELEASE-RESET",
        "DISCARD",
        "ABANDON",
        "DETACH",
        "REVOKE",
        "CHECK-FAILED",
        "CHECK-REFUSED",
    )
)
GAINS = frozenset(("BUILD-START", "REFILL", "ADD"))
# The rows that end a slot, and the state in which each finds it.
LOSSES: dict[str, SlotState] = {
    "BUILD-FAILED": "creating",
    "BUILD-LOST": "creating",
    "BUILD-ABANDONED": "creating",
    "DETACH": "checked_out",
    "DESTROYED": "discarded",
}
WORK = ("returning", "discarded")


def state_invariant(name: str) -> Callable[[StateCheck], StateCheck]:
    def register(check: StateCheck) -> StateCheck:
        STATES[name] = check
        return check

    return register


def edge_invariant(name: str) -> Callable[[EdgeCheck], EdgeCheck]:
    def register(check: EdgeCheck) -> EdgeCheck:
        EDGES[name] = check
        return check

    return register


def broken_by_state(state: State, config: Config) -> list[str]:
    return [name for name, holds in STATES.items() if not holds(state, config)]


def broken_by_edge(edge: Edge, config: Config) -> list[str]:
    return [name for name, holds in EDGES.items() if not holds(edge, config)]


# States


@state_invariant("EXCLUSIVE")
def one_lease_per_slot(state: State, config: Config) -> bool:
    """A slot has a holder if and only if it is checked out, and nobody holds two.  [EXCLUSIVE]"""
    holders = [slot.holder for slot in state.slots if slot.holder is not None]
    return len(holders) == len(set(holders)) and all(
        (slot.state == "checked_out") == (slot.holder is not None) for slot in state.slots
    )


@state_invariant("COUNTS-RECOUNT")
def the_lists_are_the_states(state: State, config: Config) -> bool:
    """The free list holds the free slots, each once, and the quantities add up.  [COUNTS-RECOUNT]"""
    free = sorted(slot.number for slot in state.slots if slot.state == "free")
    parts = count(state, "creating") + existing(state) + count(state, "discarded")
    return sorted(state.free) == free and live(state) == parts


@state_invariant("ONE-OUTCOME")
def no_ticket_twice(state: State, config: Config) -> bool:
    """No ticket waits twice, or waits while it holds a slot.  [ONE-OUTCOME]"""
    return len(set(state.queue)) == len(state.queue) and not any(slot.holder in state.queue for slot in state.slots)


@state_invariant("DUTY-OWNED")
def marks_have_a_meaning(state: State, config: Config) -> bool:
    """Only work has an owner, and only a build is bound, each to another waiting ticket.  [DUTY-OWNED]"""
    bound = [slot.bound for slot in state.slots if slot.bound is not None]
    return (
        len(bound) == len(set(bound))
        and all(ticket in state.queue for ticket in bound)
        and all(slot.bound is None or slot.state == "creating" for slot in state.slots)
        and all(not slot.owned or slot.state in WORK for slot in state.slots)
    )


@state_invariant("WORK-CONSERVING")
def nobody_waits_in_vain(state: State, config: Config) -> bool:
    """A ticket waits only while nothing is free, and nothing more can be built for it.  [WORK-CONSERVING]"""
    if state.phase != "open" or not state.queue:
        return True
    building = count(state, "creating") >= waiting(state)
    return not state.free and (not config.factory or building or not below_limit(state))


@state_invariant("CLOSE-FINAL")
def nothing_to_be_had(state: State, config: Config) -> bool:
    """A pool that is not open has no queue and nothing free.  [CLOSE-FINAL]"""
    return state.phase == "open" or (not state.queue and not state.free)


@state_invariant("CLOSE-TERMINATES")
def closed_with_the_last_slot(state: State, config: Config) -> bool:
    """A pool that is no longer open is closed if and only if no slot is live.  [CLOSE-TERMINATES]"""
    return state.phase == "open" or (state.phase == "closed") == (live(state) == 0)


@state_invariant("RESIZE-BOTH-WAYS")
def no_free_surplus(state: State, config: Config) -> bool:
    """A pool in surplus keeps nothing free.  [RESIZE-BOTH-WAYS]"""
    return not (state.free and surplus(state))


# Edges: slots and capacity


def slots_before_and_after(edge: Edge) -> Iterator[tuple[Slot, Slot | None]]:
    """Each slot of the state before, with what became of it; a number that is used again is another slot."""
    if edge.event.row == "FORK":
        return
    after = {slot.number: slot for slot in edge.after.slots}
    for slot in edge.before.slots:
        now = after.get(slot.number)
        again = now is not None and now.state == "creating" and slot.state != "creating"
        yield slot, None if again else now


def back_in_service(edge: Edge) -> Iterator[Slot]:
    """Each slot that was leased or looked at before the step and may be used by somebody else after it."""
    ended = edge.event.slot if edge.event.row in LEASE_ENDS else None
    for slot, now in slots_before_and_after(edge):
        out = slot.state == "returning" or (slot.state == "checked_out" and slot.number == ended)
        if out and now is not None and now.state in ("free", "checked_out"):
            yield slot


def granted(edge: Edge) -> list[Fired]:
    return [each for each in edge.fired if each.row in ("GRANT-FREE", "HAND-OFF")]


@edge_invariant("CAPACITY")
def never_above_the_limit(edge: Edge, config: Config) -> bool:
    """A step that adds a slot ends at or below the limit.  [CAPACITY]"""
    added = any(each.row in GAINS for each in edge.fired) or live(edge.after) > live(edge.before)
    return not added or edge.after.limit is None or live(edge.after) <= edge.after.limit


@edge_invariant("CAPACITY-UNTIL-DESTROYED")
def nothing_vanishes(edge: Edge, config: Config) -> bool:
    """A slot ends by a failed build, a detach, or a destroy that somebody has run.  [CAPACITY-UNTIL-DESTROYED]"""
    row = edge.event.row
    for slot, now in slots_before_and_after(edge):
        ended = edge.event.slot == slot.number and LOSSES.get(row) == slot.state
        if now is None and not (ended and (row != "DESTROYED" or slot.owned)):
            return False
    return True


@edge_invariant("CONSERVATION")
def every_slot_is_accounted_for(edge: Edge, config: Config) -> bool:
    """What was there, and what came, is what is there or went.  [CONSERVATION]"""
    came = sum(each.row in GAINS for each in edge.fired)
    went = sum(each.row in LOSSES for each in edge.fired)
    was = 0 if edge.event.row == "FORK" else live(edge.before)
    return was + came - went == live(edge.after)


@edge_invariant("EXCLUSIVE")
def no_lease_is_pushed_out(edge: Edge, config: Config) -> bool:
    """A lease loses its slot only by a step that ends that lease.  [EXCLUSIVE, LEASE-IDENTITY]"""
    for slot, now in slots_before_and_after(edge):
        lost = slot.holder is not None and (now is None or now.holder != slot.holder)
        if lost and not (edge.event.row in LEASE_ENDS and edge.event.slot == slot.number):
            return False
    return True


@edge_invariant("LEASE-ONCE")
def ended_is_ended(edge: Edge, config: Config) -> bool:
    """A step that ends a lease finds it holding its slot and ends that for good.  [LEASE-ONCE]"""
    if edge.event.row not in LEASE_ENDS:
        return True
    held = (edge.event.slot, edge.event.ticket)
    before = [(slot.number, slot.holder) for slot in edge.before.slots]
    return held in before and held not in [(slot.number, slot.holder) for slot in edge.after.slots]


@edge_invariant("NEVER-STALE")
def nothing_unfit_is_granted(edge: Edge, config: Config) -> bool:
    """What a step grants is fit at that step.  [NEVER-STALE]"""
    unfit = [slot.number for slot in edge.after.slots if slot.unfit]
    return not unfit or not any(each.slot in unfit for each in granted(edge))


@edge_invariant("REMOVE-LEAVES")
def unfit_does_not_return(edge: Edge, config: Config) -> bool:
    """An unfit slot is not free again after its lease or its inspection.  [REMOVE-LEAVES]"""
    return not any(slot.unfit for slot in back_in_service(edge))


@edge_invariant("RESET-BEFORE-REUSE")
def nobody_sees_what_was_left(edge: Edge, config: Config) -> bool:
    """A slot is free again after a reset or check that somebody ran, or without one if none is due.

    [RESET-BEFORE-REUSE]
    """
    return all(slot.owned if slot.state == "returning" else not config.reset for slot in back_in_service(edge))


@edge_invariant("DUTY-OWNED")
def work_is_done_by_one(edge: Edge, config: Config) -> bool:
    """Work is taken over only from nobody, and unowned work stays work.  [DUTY-OWNED]"""
    for slot, now in slots_before_and_after(edge):
        if slot.state in WORK and not slot.owned and (now is None or now.state not in WORK):
            return False
        if edge.event.row == "ADOPT" and edge.event.slot == slot.number and slot.owned:
            return False
    return True


@edge_invariant("RENEW-ALL")
def renew_spares_nobody(edge: Edge, config: Config) -> bool:
    """After expire_all, whatever was there is unfit or on its way out.  [RENEW-ALL]"""
    if edge.event.row != "RENEW":
        return True
    return all(now is None or now.unfit or now.state == "discarded" for _, now in slots_before_and_after(edge))


@edge_invariant("FREE-ORDER")
def free_list_keeps_its_order(edge: Edge, config: Config) -> bool:
    """What becomes free stands where the order says; the rest keeps its place.  [FREE-ORDER]"""
    if edge.event.row == "GRANT-FREE" and edge.before.free[:1] != (edge.event.slot,):
        return False
    stayed = tuple(number for number in edge.before.free if number in edge.after.free)
    new = tuple(number for number in edge.after.free if number not in edge.before.free)
    return edge.after.free == (new + stayed if config.order == "lifo" else stayed + new)


@edge_invariant("OLDEST-FIRST")
def the_idlest_leaves(edge: Edge, config: Config) -> bool:
    """SHRINK and RESIZE discard from that end of the free list which has been free longest.  [OLDEST-FIRST]"""
    if edge.event.row not in ("SHRINK", "RESIZE"):
        return True
    left = len(edge.after.free)
    before = edge.before.free
    return edge.after.free == (before[:left] if config.order == "lifo" else before[len(before) - left :])


# Edges: tickets


@edge_invariant("WAIT-FIFO")
def first_come_first_served(edge: Edge, config: Config) -> bool:
    """Those granted and those still waiting are, in this order, those who waited.  [WAIT-FIFO]"""
    row, ticket = edge.event.row, edge.event.ticket
    if row in ("CLOSE", "FORK"):
        return edge.after.queue == ()
    order = [other for other in edge.before.queue if row not in ("WITHDRAW", "BUILD-FAILED") or other != ticket]
    if row == "QUEUE":
        order.append(ticket or 0)
    if row == "CHECK-FAILED":
        order.insert(0, ticket or 0)
    handed = [each.ticket for each in edge.fired if each.row == "HAND-OFF"]
    return [*handed, *edge.after.queue] == order and not (row == "GRANT-FREE" and edge.before.queue)


@edge_invariant("ONE-OUTCOME")
def tickets_end_once(edge: Edge, config: Config) -> bool:
    """A ticket leaves the queue with a slot, by its own event, or because the pool closes.  [ONE-OUTCOME]"""
    if edge.event.row in ("CLOSE", "FORK"):
        return True
    holders = {slot.holder for slot in edge.after.slots}
    own = edge.event.ticket if edge.event.row in ("WITHDRAW", "BUILD-FAILED") else None
    return all(
        (ticket in edge.after.queue) + (ticket in holders) + (ticket == own) == 1 for ticket in edge.before.queue
    )


@edge_invariant("CHECK-KEEPS-TURN")
def a_failed_check_keeps_the_turn(edge: Edge, config: Config) -> bool:
    """A ticket whose check failed is the first to wait, or has its next slot already.  [CHECK-KEEPS-TURN]"""
    if edge.event.row != "CHECK-FAILED":
        return True
    holders = {slot.holder for slot in edge.after.slots}
    return edge.after.queue[:1] == (edge.event.ticket,) or edge.event.ticket in holders


# Edges: pool and builds


@edge_invariant("CREATE-DEMAND")
def no_build_without_demand(edge: Edge, config: Config) -> bool:
    """At most one build starts: for a waiting ticket that has none, or for what min_size lacks.  [CREATE-DEMAND]"""
    started = [each.row for each in edge.fired if each.row in ("BUILD-START", "REFILL")]
    if not started:
        return True
    # The start is the last thing that changed these counts, so what was true before it can be read off afterwards.
    if started == ["REFILL"]:
        return config.factory and staying(edge.after) <= config.min_size
    wanted = count(edge.after, "creating") <= waiting(edge.after)
    return config.factory and started == ["BUILD-START"] and wanted


@edge_invariant("RETRY-BACKOFF")
def the_delay_passes_first(edge: Edge, config: Config) -> bool:
    """A pool backs off until its delay has passed, it closes, or it is forked.  [RETRY-BACKOFF]"""
    ends = edge.event.row in ("RETRY", "CLOSE", "FORK")
    lost = edge.event.row == "BUILD-LOST" and edge.before.phase == "open"
    return ends or edge.after.backing_off == (edge.before.backing_off or lost)


@edge_invariant("CLOSE-FINAL")
def no_way_back(edge: Edge, config: Config) -> bool:
    """Once not open, a pool does not open again, grants nothing, builds nothing, takes nothing.  [CLOSE-FINAL]"""
    if edge.event.row == "FORK" or (edge.before.phase == "open" and edge.after.phase == "open"):
        return True
    order = ("open", "closing", "closed")
    onward = order.index(edge.before.phase) <= order.index(edge.after.phase)
    return onward and not granted(edge) and not any(each.row in GAINS for each in edge.fired)


@edge_invariant("FORK-SAFE")
def a_child_begins_anew(edge: Edge, config: Config) -> bool:
    """In the child the pool is as it was first.  [FORK-SAFE]"""
    return edge.event.row != "FORK" or edge.after == initial(config)


@edge_invariant("LEASE-ABANDONED")
def a_collector_runs_no_work(edge: Edge, config: Config) -> bool:
    """The slot of an abandoned lease whose end takes work waits for somebody to do it.  [LEASE-ABANDONED]"""
    if edge.event.row != "ABANDON":
        return True
    slot = next((slot for slot in edge.after.slots if slot.number == edge.event.slot), None)
    return slot is not None and slot.state in WORK and not slot.owned
