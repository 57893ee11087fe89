"""What the model allows: the moves from a world by callbacks, and those that nobody sees.

A callback is called by the pool, so when it begins, the pool has made the step that demands it; and when it has
returned, the pool makes the step that its result leads to.
"""

from __future__ import annotations

from collections.abc import Iterator

from poolmodel.machine import Fired
from poolmodel.state import Config, Event, Slot
from poolproof.conformance.history.events import Outcome
from poolproof.conformance.history.points import Point
from poolproof.conformance.history.worlds import (
    CALLED,
    Stepped,
    World,
    first,
    renamed,
    stepped,
    uncalled,
    unused,
)

Found = Iterator[tuple[Stepped, bool]]
RUNNING = ("destroy", "reset", "check")


def ways(world: World, config: Config, point: Point) -> Found:
    functions = {
        ("begin", "create"): build_begins,
        ("settle", "create"): build_settles,
        ("begin", "check"): check_begins,
        ("settle", "check"): check_settles,
        ("begin", "reset"): reset_begins,
        ("settle", "reset"): reset_settles,
        ("begin", "destroy"): destroy_begins,
        ("settle", "destroy"): destroy_settles,
    }
    return functions[point.name, point.kind](world, config, point)


def silent(world: World, config: Config) -> Iterator[Stepped]:
    """Steps that no operation shows: giving up a build that nobody needs, and building for min_size."""
    events = [
        Event("BUILD-ABANDONED", slot.number) for slot in world.state.slots if uncalled(slot) and slot.bound is None
    ]
    if config.min_size:
        events += [Event("REFILL", unused(world.state)), Event("RETRY")]
    for event in events:
        # The balance may need a second number beside that of the refill itself.
        spare = unused(world.state) - 1 if event.row == "REFILL" else None
        if (found := stepped(world, config, event._replace(new_slot=spare))) is not None:
            yield found


# Create


def build_begins(world: World, config: Config, point: Point) -> Found:
    """A build that stands ready is carried out: the acquire's own, if it has one, else one that nobody waits for."""
    ready = [slot for slot in world.state.slots if uncalled(slot)]
    for wanted in (point.around, None):
        chosen = [slot for slot in ready if slot.bound == wanted]
        if chosen:
            break
    else:
        chosen = ready  # in an executor, say
    for slot in chosen:
        yield Stepped(renamed(world, slot.number, CALLED - point.own).noticed(), ()), True


def build_settles(world: World, config: Config, point: Point) -> Found:
    outcome, number = point.outcome, CALLED - point.own
    assert outcome is not None
    slot = world.slot(number)
    assert slot is not None
    resource = outcome.resource if outcome.kind == "resource" else None
    if resource is not None and world.slot(resource) is None:
        world = renamed(world, number, resource)
        found = first(world, config, Event("BUILD-OK", resource), Event("BUILD-LATE", resource))
    elif slot.bound is None:
        found = stepped(world, config, Event("BUILD-LOST", number))
    else:
        why = outcome if resource is None else Outcome("DuplicateResource")
        found = stepped(world.meets(slot.bound, why), config, Event("BUILD-FAILED", number))
    assert found is not None
    yield found, True


# Check


def check_begins(world: World, config: Config, point: Point) -> Found:
    """Of a slot that was just granted and not handed over yet, or of one that is inspected.

    A forced close may revoke the lease after its acquire has found the check due: then it is called all the same.
    """
    slot = idle(world, point, "checked_out", "returning")
    if slot is None:
        yield from check_begins_late(world, point)
        return
    if slot.holder is not None and world.has("passed", slot.holder):
        return
    if slot.holder is None or slot.holder == point.around:
        assert point.resource is not None
        yield Stepped(world.marked("check", point.resource), ()), True


def check_begins_late(world: World, point: Point) -> Found:
    """Once for each lease, and only within the acquire that it was granted to."""
    ticket, resource = point.around, point.resource
    if ticket is None or resource is None or world.has("checked", ticket):
        return
    if world.fate(ticket) == Outcome("lease", resource) and not world.has("passed", ticket):
        yield Stepped(world.marked("checked", ticket).marked("check", resource), ()), True


def check_settles(world: World, config: Config, point: Point) -> Found:
    assert point.resource is not None
    good = point.outcome is not None and point.outcome.kind == "good"
    slot, world = world.slot(point.resource), world.unmarked("check", point.resource)
    if slot is None or slot.state == "discarded":  # it was revoked meanwhile
        yield Stepped(world, ()), True
    elif slot.state == "returning":
        yield from settled(world, config, slot, good)
    elif good:
        assert slot.holder is not None
        yield Stepped(world.marked("passed", slot.holder), ()), True
    else:
        found = first(world, config, Event("CHECK-FAILED", slot.number), Event("CHECK-REFUSED", slot.number))
        assert found is not None
        if found.fired[0].row == "CHECK-REFUSED":
            why = Outcome("CheckFailed" if world.state.phase == "open" else "PoolClosed")
            found = found._replace(world=found.world.meets(slot.holder, why))
        yield found, True


# Reset and destroy


def reset_begins(world: World, config: Config, point: Point) -> Found:
    slot = idle(world, point, "returning")
    if slot is not None:
        yield running(*adopted(world, config, slot), "reset", slot.number), True


def reset_settles(world: World, config: Config, point: Point) -> Found:
    assert point.resource is not None
    slot = world.slot(point.resource)
    assert slot is not None
    good = point.outcome is not None and point.outcome.kind == "done"
    yield from settled(world.unmarked("reset", slot.number), config, slot, good)


def settled(world: World, config: Config, slot: Slot, good: bool) -> Found:
    rows = ("RESET-OK", "RESET-FAILED") if good else ("RESET-FAILED",)
    found = first(world, config, *(Event(row, slot.number) for row in rows))
    assert found is not None
    yield found, True


def destroy_begins(world: World, config: Config, point: Point) -> Found:
    """Of a discarded slot, once. A reset that a closed pool owes is not called any more: the slot goes at once."""
    slot = idle(world, point, "discarded", "returning")
    if slot is None or (slot.state == "returning" and world.state.phase == "open"):
        return
    world, fired = adopted(world, config, slot)
    if slot.state == "returning":
        found = stepped(world, config, Event("RESET-FAILED", slot.number))
        assert found is not None
        world, fired = found.world, fired + found.fired
    yield running(world, fired, "destroy", slot.number), True


def destroy_settles(world: World, config: Config, point: Point) -> Found:
    assert point.resource is not None
    found = stepped(world.unmarked("destroy", point.resource), config, Event("DESTROYED", point.resource))
    assert found is not None
    yield found, True


def idle(world: World, point: Point, *states: str) -> Slot | None:
    """The slot that a callback is called for, if it is in one of *states* and no other callback has it."""
    slot = world.slot(point.resource)
    if slot is None or slot.state not in states:
        return None
    kinds = ("destroy",) if slot.state == "discarded" else RUNNING
    return None if any(world.has(kind, slot.number) for kind in kinds) else slot


def adopted(world: World, config: Config, slot: Slot) -> tuple[World, tuple[Fired, ...]]:
    """Work that nobody owned is taken over just before it begins."""
    found = None if slot.owned else stepped(world, config, Event("ADOPT", slot.number))
    return (world, ()) if found is None else (found.world, found.fired)


def running(world: World, fired: tuple[Fired, ...], kind: str, resource: int) -> Stepped:
    return Stepped(world.marked(kind, resource), fired)
