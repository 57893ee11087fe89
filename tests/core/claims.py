"""Other claims about the core over a shape and numbers: the fast paths, and the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import poolmodel
from core.calls import Call, arrivals, holdings, owned_calls
from core.contracts import fit
from core.refinement import wrong
from core.shapes import Numbers, Scene, Shape, both, counted
from core.worlds import VARIANTS, Built, gamma
from poolproof import core
from poolproof.core.lists import queue_items
from poolproof.core.values import Record, State, Ticket, read
from poolproof.core.world import broken

# The fast paths.


def same_state(one: State, other: State) -> bool:
    """The same lists, not only the same items, and the same ledger."""
    return (
        one.version == other.version
        and shape_of(one) == shape_of(other)
        and both(mine == theirs for mine, theirs in zip(one.ledger, other.ledger, strict=True))
    )


def shape_of(state: State) -> tuple[list[int], list[int]]:
    return (
        [slot.number for slot in queue_items(state.free, ())],
        [slot.number for slot in queue_items(state.back, ())],
    )


def fast_grant_is_enqueue(shape: Shape, numbers: Numbers) -> bool:
    """`grant_free` proposes what `enqueue` with the balance does: the slot, its record, and the rest."""
    scene = Scene(shape, numbers)
    found = core.grant_free(scene.state, scene.options, scene.now, "client")
    if found is None:
        return bool(numbers.now >= numbers.first)
    state, slot, record = State.of(found[0]), found[1], Record._make(found[2])
    ticket = Ticket(state.version, "client", None)
    step = core.enqueue(scene.state, scene.options, ticket, scene.now)
    moves = dict(step.moves)
    return (
        [fired.row for fired in step.fired] == ["QUEUE", "HAND-OFF"]
        and moves[slot] == record
        and moves[ticket].hold is moves[slot]
        and len(moves) == 2
        and not step.effects
        and same_state(step.state, state)
    )


def fast_release_is_release(shape: Shape, numbers: Numbers, plain: bool) -> bool:
    """`release_quiet` proposes what `release` does, and declines only when something needs looking after."""
    scene = Scene(shape, numbers)
    slot = scene.subject
    assert slot is not None
    options = replace(scene.options, max_free=numbers.most_waiting)
    if plain:
        # A plain pool has no max_uses, so there is always one more use left; and this one has no max_age either.
        options = replace(scene.options, max_uses=numbers.uses + 1, plain=True, ages=False)
        slot.expires = scene.now + 1
    record = read(slot)
    found = core.release_quiet(scene.state, options, slot, record, scene.now)
    if found is None:
        full = len(shape_of(scene.state)[0]) + len(shape_of(scene.state)[1]) >= options.max_free
        return bool(not scene.state.ledger.quiet or full or not fit(scene))
    state, after_record = State.of(found[0]), Record._make(found[1])
    step = core.release(scene.state, options, slot, record, scene.now, reset=False)
    return (
        [fired.row for fired in step.fired] == ["RELEASE"]
        and step.moves == ((slot, after_record),)
        and not step.effects
        and not step.wakes
        and same_state(step.state, state)
    )


def sound_before(shape: Shape, numbers: Numbers) -> bool:
    return bool(counted(numbers) and Scene(shape, numbers).sound())


# The model.


class Bounds(NamedTuple):
    """What a configuration leaves open."""

    limit: int
    min_size: int
    max_waiting: int


def small(name: str) -> poolmodel.State:
    """A state with two slots and up to two tickets, in which the row of the same name is about the first slot."""
    first = {
        "creating": poolmodel.Slot(1, "creating", bound=1),
        "checked_out": poolmodel.Slot(1, "checked_out", holder=9),
        "returning": poolmodel.Slot(1, "returning", owned=True),
        "discarded": poolmodel.Slot(1, "discarded", owned=True),
        "free": poolmodel.Slot(1, "free"),
    }[name]
    second = poolmodel.Slot(2, "checked_out", holder=8)
    if name == "free":
        return poolmodel.State("open", 1, (first, poolmodel.Slot(2, "free", unfit=True)), (1, 2))
    return poolmodel.State("open", 1, (first, second), (), (1, 2))


def built(name: str, place: int, bounds: Bounds) -> tuple[poolmodel.State, poolmodel.Config, Built]:
    state = small(name)._replace(limit=bounds.limit)
    config = poolmodel.Config(limit=1, min_size=bounds.min_size, max_waiting=bounds.max_waiting, check=True)
    return state, config, gamma(state, config, VARIANTS[place])


def model_before(name: str, place: int, bounds: Bounds) -> bool:
    _, _, world = built(name, place, bounds)
    return bool(both(bound >= 0 for bound in bounds)) and not broken(world.world(), world.options)


def model_agrees(name: str, call_name: str, place: int, bounds: Bounds) -> bool:
    """What the core proposes for *call_name* is what the model does, for every limit, min_size and max_waiting."""
    state, config, world = built(name, place, bounds)
    for call in proposals(world, config, call_name):
        if call.step is not None:
            for _ in wrong(state, config, world, call, {}):
                return False
    return True


def proposals(world: Built, config: poolmodel.Config, name: str) -> Iterator[Call]:
    """The call *name* about the first slot, the first ticket, a new ticket or the pool."""
    slot, state, options, now = world.slots[1], world.state, world.options, world.now
    if name == "arrive":
        yield from arrivals(world, 7)
    elif name == "withdraw":
        yield Call(name, core.withdraw(state, options, world.tickets[1], now))
    elif name == "add":
        yield Call(name, core.add(state, options, "resource", now + 10, now))
    elif name in ("inspect", "remove"):
        yield Call(name, getattr(core, name)(state, options, slot, now))
    elif name in ("expire", "renew", "refill", "close"):
        yield Call(name, getattr(core, name)(state, options, now))
    for owned, call in owned_calls(world, config, slot, holdings(world)[slot]):
        if owned == name:
            yield Call(name, call(state, options, slot, read(slot)))


# The state of the first slot, and the calls about it, about a ticket, or about the pool.
CALLS = {
    "creating": ("build_ok", "build_failed", "build_abandoned", "arrive", "withdraw"),
    "checked_out": ("release", "abandon", "discard", "detach", "revoke", "check_failed", "remove", "close"),
    "returning": ("reset_ok", "reset_failed", "orphan", "remove", "renew"),
    "discarded": ("destroyed", "orphan", "arrive"),
    "free": ("arrive", "inspect", "expire", "remove", "renew", "refill", "add", "close"),
}
ENCODED, OTHERWISE = 1, (0, 2, 3)  # places in VARIANTS: the ordinary run looks at the oddest


def agreements(*places: int) -> list[tuple[str, str, int]]:
    return [(state, call, place) for state, names in CALLS.items() for call in names for place in places]
