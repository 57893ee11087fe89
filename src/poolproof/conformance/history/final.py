"""The end of a drained run: nobody has returned who could not, and no work is left lying.

Plain linearizability lets an operation pend for ever, so it finds no deadlock at all. The *stuck rule* does: in the
last world, whoever is still pending must be unable to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from poolproof.conformance.history.events import ACQUIRES, CALLBACKS, Call
from poolproof.conformance.history.points import Plan
from poolproof.conformance.history.worlds import CALLED, World, uncalled


class Pending(NamedTuple):
    """An operation that never returned. ``excused``: a callback that it called never returned either."""

    call: Call
    ticket: int
    excused: bool


def pending(plan: Plan) -> tuple[Pending, ...]:
    """Every operation of callers that never returned."""
    outcomes = plan.history.outcomes()
    open_calls = [call for op, call in plan.calls.items() if op not in outcomes]
    callbacks = [call for call in open_calls if call.kind in CALLBACKS]

    def excused(call: Call) -> bool:
        return any(each.thread == call.thread and each.op > call.op for each in callbacks)

    return tuple(
        Pending(call, plan.tickets.get(call.op, 0), excused(call)) for call in open_calls if call.kind not in CALLBACKS
    )


def complaints(world: World, left: tuple[Pending, ...]) -> Iterator[str]:
    """What is wrong with a run that ends in *world*."""
    for slot in world.state.slots:
        what = f"r{slot.number}" if slot.number > 0 else "a slot"
        if uncalled(slot):
            yield "a build is due, and nobody calls create"
        elif slot.state in ("returning", "discarded") and slot.owned and not in_callback(world, slot.number):
            yield f"{what} is {slot.state}, and whoever owns the work does not do it"
    for each in left:
        if not each.excused:
            yield from stuck(world, each.call, each.ticket)


def stuck(world: World, call: Call, ticket: int) -> Iterator[str]:
    """Why *call* should have returned."""
    who = f"{call.op} {call} never returns"
    if call.kind in ACQUIRES:
        yield from (f"{who}, although {why}" for why in stuck_acquire(world, call, ticket))
    elif call.kind != "close":
        yield f"{who}, although it waits for nobody"
    elif call.timeout is not None or world.state.phase != "closing":
        yield f"{who}, although it has nothing to wait for"
    if call.kind in (*ACQUIRES, "close"):
        for slot in world.state.slots:
            if slot.state in ("returning", "discarded") and not slot.owned:
                yield f"{who}, although it could take over the work on r{slot.number}"


def stuck_acquire(world: World, call: Call, ticket: int) -> Iterator[str]:
    if (slot := world.held(ticket)) is not None:
        yield f"it was granted r{slot.number}"
    elif (fate := world.fate(ticket)) is not None:
        yield f"it met with {fate}"
    elif ticket not in world.state.queue:
        yield "its request is possible"
    elif call.timeout is not None:
        yield "its deadline can pass"


def in_callback(world: World, number: int) -> bool:
    return number < CALLED or any(world.has(kind, number) for kind in ("destroy", "reset", "check"))
