"""What the model allows: the moves from a world by the points of the operations that callers ask for.

The only thing that the two checkers share. Worlds and points are numbered, and what was once asked of the model is
remembered, for this and all later histories of pools with the same configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, get_args

from poolmodel.machine import Fired
from poolmodel.state import Config, Event, SlotState, below_limit, count, live, waiting
from poolproof.conformance.history import callbacks
from poolproof.conformance.history.events import ENDS, Outcome
from poolproof.conformance.history.points import Point
from poolproof.conformance.history.worlds import Stepped, World, beginning, first, fits, stepped, uncalled

MOST_REMEMBERED = 1_000_000


class Rules(NamedTuple):
    """What counts against a pool beyond plain linearizability. Weaker rules are there to show what they miss.

    ``strong_timeouts``: a timeout is legal only where nothing was to be had. ``stuck``: whoever has not returned when
    a run is over must be unable to.
    """

    strong_timeouts: bool = True
    stuck: bool = True


class Move(NamedTuple):
    """One way on: the number of the world reached, whether the point is done with, and what happened."""

    world: int
    done: bool
    fired: tuple[Fired, ...]


Found = Iterator[tuple[Stepped, bool]]
NONE: tuple[Fired, ...] = ()


class Oracle:
    """The model as a judge of one kind of pool: what can happen in a world, by a point or by itself."""

    def __init__(self, config: Config, rules: Rules | None = None) -> None:
        self.config = config
        self.rules = rules or Rules()
        self.worlds: list[World] = []
        self._numbers: dict[World, int] = {}
        self._points: dict[Point, int] = {}
        self._moves: dict[tuple[int, int], tuple[Move, ...]] = {}
        self._silent: dict[int, tuple[Move, ...]] = {}

    def begin(self, given: tuple[int, ...]) -> int:
        """The world in which a history begins."""
        if len(self._moves) > MOST_REMEMBERED:
            for remembered in (self.worlds, self._numbers, self._points, self._moves, self._silent):
                remembered.clear()
        return self._number(beginning(self.config, given))

    def point(self, point: Point) -> int:
        """A number to ask `moves` with."""
        return self._points.setdefault(point, len(self._points))

    def moves(self, world: int, number: int, point: Point) -> tuple[Move, ...]:
        """The ways on by *point*, whose number is *number*; none if it cannot happen now, or only in vain."""
        found = self._moves.get((world, number))
        if found is None:
            ways = self._ways(self.worlds[world], point)
            found = self._moves[world, number] = tuple(
                Move(self._number(each.world), done, each.fired) for each, done in ways if not each.world.in_vain()
            )
        return found

    def silent(self, world: int) -> tuple[Move, ...]:
        """The ways on that no operation shows."""
        found = self._silent.get(world)
        if found is None:
            found = self._silent[world] = tuple(
                Move(self._number(each.world), False, each.fired)
                for each in callbacks.silent(self.worlds[world], self.config)
                if not each.world.in_vain()
            )
        return found

    def _number(self, world: World) -> int:
        number = self._numbers.get(world)
        if number is None:
            number = self._numbers[world] = len(self.worlds)
            self.worlds.append(world)
        return number

    def _ways(self, world: World, point: Point) -> Found:
        if point.name in ("begin", "settle"):
            return callbacks.ways(world, self.config, point)
        if point.kind in ENDS:
            return ends(world, self.config, point)
        if point.name == "arrive":
            return arrives(world, self.config, point, self.rules)
        if point.name == "claim":
            return claims(world, self.config, point, self.rules)
        return WAYS[point.name](world, self.config, point)


# Acquire


def arrives(world: World, config: Config, point: Point, rules: Rules) -> Found:
    """The request: granted, refused, or from now on in the queue."""
    ticket, outcome = point.own, point.outcome
    if outcome is not None and not config.check:
        world = world.hopes(ticket, outcome)
    if outcome is not None and outcome.kind == "cancelled":
        yield Stepped(world.meets(ticket, outcome), NONE), True
    if not rules.strong_timeouts and point.timeout == 0:
        yield Stepped(world.meets(ticket, Outcome("AcquireTimeout")), NONE), True
    rows = ["REFUSE-CLOSED", "REFUSE-EMPTY", "GRANT-FREE", "REFUSE-BUSY", "REFUSE-TIMEOUT", "QUEUE"]
    if point.timeout != 0:
        rows.remove("REFUSE-TIMEOUT")
    found = first(world, config, *(Event(row, ticket=ticket) for row in rows))
    assert found is not None, "an acquire can always arrive"
    refused = REFUSALS.get(found.fired[0].row)
    if refused is not None:
        yield Stepped(found.world.meets(ticket, Outcome(refused)), found.fired), True
    else:
        yield found, True


REFUSALS = {
    "REFUSE-CLOSED": "PoolClosed",
    "REFUSE-EMPTY": "PoolEmpty",
    "REFUSE-BUSY": "PoolBusy",
    "REFUSE-TIMEOUT": "AcquireTimeout",
}


def claims(world: World, config: Config, point: Point, rules: Rules) -> Found:
    """The outcome that the acquire returned is the one that its ticket met with."""
    ticket, outcome = point.own, point.outcome
    if outcome is None:  # it never returned, so it never took note of anything
        return
    if outcome.kind == "lease":
        yield from claims_lease(world, config, point, outcome)
        return
    if outcome.kind == "cancelled":
        yield from cancels(world, config, point)
        return
    fate = world.fate(ticket)
    if fate is not None:
        if fits(fate, outcome, world, ticket):
            yield Stepped(world.forgets(ticket), NONE), True
    elif outcome.kind in ("AcquireTimeout", "nothing") and not (rules.strong_timeouts and could_build(world, ticket)):
        yield from gives_up(world, config, ticket)


def claims_lease(world: World, config: Config, point: Point, outcome: Outcome) -> Found:
    ticket = point.own
    slot = world.held(ticket)
    if slot is not None:
        if slot.number == outcome.resource and (not config.check or world.has("passed", ticket)):
            yield Stepped(world.forgets(ticket).unmarked("passed", ticket), NONE), True
    elif (fate := world.fate(ticket)) is not None and fits(fate, outcome, world, ticket):  # it was revoked at once
        yield Stepped(world.forgets(ticket), NONE), True


def could_build(world: World, ticket: int) -> bool:
    """Whether at every moment since it came the acquire had only to begin a build: then nobody can say that nothing
    was to be had."""
    ready = any(slot.bound == ticket and uncalled(slot) for slot in world.state.slots)
    return ready and not world.has("waited", ticket)


def gives_up(world: World, config: Config, ticket: int) -> Found:
    found = stepped(world.forgets(ticket), config, Event("WITHDRAW", ticket=ticket))
    if found is not None:
        yield found, True


def cancels(world: World, config: Config, point: Point) -> Found:
    """An interruption struck: whatever the ticket had is given back."""
    ticket = point.own
    met, slot = world.fate(ticket), world.held(ticket)
    world = world.forgets(ticket)
    if met is not None:
        yield Stepped(world, NONE), True
    elif slot is not None:
        world = world.unmarked("passed", ticket)
        rows = (["ABANDON"] if config.reset else ["RELEASE", "ABANDON"]) + ["DISCARD"] * config.check
        for row in rows:
            if (found := stepped(world, config, Event(row, slot.number))) is not None:
                yield found, True
    else:
        yield from gives_up(world, config, ticket)


# Leases


def ends(world: World, config: Config, point: Point) -> Found:
    """Release, discard, detach and abandon: of the lease that holds the slot, or of none any more."""
    slot, outcome = world.held(point.lease), point.outcome
    if slot is None:
        if outcome is None or point.kind == "abandon" or stale(world, point, outcome):
            yield Stepped(world, NONE), True
        return
    if outcome is not None and outcome.kind not in ("done", "resource", "cancelled"):
        return
    if point.kind == "detach" and outcome is not None and outcome.resource not in (None, slot.number):
        return
    resets = config.reset or point.resets
    rows = {
        "release": ("RELEASE-RESET" if resets else "RELEASE", "DISCARD"),
        "abandon": ("ABANDON",) if resets else ("RELEASE", "ABANDON"),
        "discard": ("DISCARD",),
        "detach": ("DETACH",),
    }[point.kind]
    found = first(world, config, *(Event(row, slot.number) for row in rows))
    if found is not None:
        yield found, True


def stale(world: World, point: Point, outcome: Outcome) -> bool:
    assert point.lease is not None
    revoked = world.has("revoked", point.lease)
    return outcome.kind == ("LeaseRevoked" if revoked else "StaleLease")


def reads(world: World, config: Config, point: Point) -> Found:
    """lease.resource"""
    slot, outcome = world.held(point.lease), point.outcome
    if slot is None:
        told = outcome is None or stale(world, point, outcome)
    else:
        told = outcome is None or outcome == Outcome("resource", slot.number)
    if told:
        yield Stepped(world, NONE), True


# The pool


def adds(world: World, config: Config, point: Point) -> Found:
    state, kind = world.state, point.outcome.kind if point.outcome else "done"
    right = {
        "PoolClosed": state.phase != "open",
        "PoolFull": state.phase == "open" and not below_limit(state),
        "DuplicateResource": world.slot(point.resource) is not None,
    }
    if right.get(kind):
        yield Stepped(world, NONE), True
    elif kind == "done" and (found := stepped(world, config, Event("ADD", point.resource))) is not None:
        yield found, True


def removes(world: World, config: Config, point: Point) -> Found:
    kind, slot = point.outcome.kind if point.outcome else "done", world.slot(point.resource)
    if slot is None or slot.state in ("creating", "discarded"):
        if kind == "NotPooled":
            yield Stepped(world, NONE), True
    elif kind == "done":
        row = "REMOVE-FREE" if slot.state == "free" else "RETIRE"
        found = stepped(world, config, Event(row, slot.number))
        assert found is not None
        yield found, True


def resizes(world: World, config: Config, point: Point) -> Found:
    """The last step reaches the limit; each earlier one climbs as far as it can. A close may come between them."""
    kind = point.outcome.kind if point.outcome else "done"
    if world.state.phase != "open":
        if kind == "PoolClosed":
            yield Stepped(world, NONE), True
        return
    found = stepped(world, config, Event("RESIZE", limit=point.limit))
    if found is None:
        found = stepped(world, config, Event("RESIZE", limit=live(world.state) + 1))
        if found is not None:
            yield found, False
    elif kind == "done":
        yield found, True


def renews(world: World, config: Config, point: Point) -> Found:
    kind = point.outcome.kind if point.outcome else "done"
    if world.state.phase != "open":
        if kind == "PoolClosed":
            yield Stepped(world, NONE), True
    elif kind == "done" and (found := stepped(world, config, Event("RENEW"))) is not None:
        yield found, True


def maintains(world: World, config: Config, point: Point) -> Found:
    """A round may inspect every free slot, each a step of its own."""
    yield Stepped(world, NONE), True
    for number in world.state.free if config.check else ():
        if (found := stepped(world, config, Event("INSPECT", number))) is not None:
            yield found, False


def tells(world: World, config: Config, point: Point) -> Found:
    """stats(): all numbers are those of this instant."""
    state = world.state
    here: dict[str, object] = {"phase": state.phase, "limit": state.limit}
    here |= {"live": live(state), "waiting": waiting(state)}
    for name in get_args(SlotState):
        here[name] = count(state, name)
    told = point.outcome.values if point.outcome else ()
    if all(here.get(name, value) == value for name, value in told):
        yield Stepped(world, NONE), True


def closes(world: World, config: Config, point: Point) -> Found:
    yield stepped(world, config, Event("CLOSE")) or Stepped(world, NONE), True


def reports(world: World, config: Config, point: Point) -> Found:
    """What close returns with. With force, it has revoked every lease by then; without a bound, it has waited."""
    held = [slot for slot in world.state.slots if slot.state == "checked_out"]
    closed, outcome = world.state.phase == "closed", point.outcome
    if outcome is not None and outcome.kind == "cancelled":
        yield Stepped(world, NONE), True
    elif point.force and held:
        for slot in held:
            yield revokes(world, config, slot.number, slot.holder), False
    elif outcome is None or dict(outcome.values).get("closed", closed) == closed:
        bounded = point.force or point.timeout is not None
        if closed or bounded:
            yield Stepped(world, NONE), True


def revokes(world: World, config: Config, slot: int, holder: int | None) -> Stepped:
    found = stepped(world, config, Event("REVOKE", slot))
    assert found is not None
    assert holder is not None
    if world.has("check", slot):
        found = found._replace(world=found.world.marked("checked", holder))
    world = found.world.marked("revoked", holder).meets(holder, Outcome("lease", slot))
    return Stepped(world, found.fired)


WAYS: dict[str, Callable[[World, Config, Point], Found]] = {
    "resource": reads,
    "add": adds,
    "remove": removes,
    "resize": resizes,
    "expire_all": renews,
    "maintain": maintains,
    "stats": tells,
    "close": closes,
    "report": reports,
}
