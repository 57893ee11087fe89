"""The second checker: forward through the entries, with every configuration that the pool may be in.

A configuration is a world, and how far each pending operation has come. A call adds an operation; a return keeps the
configurations in which that operation can be over, and there must be one. Between the entries, everything that is
pending may happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from poolmodel.machine import Fired
from poolproof.conformance.history.events import CALLBACKS, Call, Entry, History, Queued
from poolproof.conformance.history.final import Pending, complaints, pending
from poolproof.conformance.history.oracle import Oracle
from poolproof.conformance.history.points import Plan
from poolproof.conformance.history.verdict import POOL, Taken, Verdict

Place = tuple[int, int]  # an operation, and which of its points is next


class Configuration(NamedTuple):
    world: int
    places: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Link:
    """A step of a witness, and the steps before it."""

    step: Taken
    before: Link | None


Front = dict[Configuration, Link | None]


class Forward:
    """One walk through a history."""

    def __init__(self, history: History, oracle: Oracle) -> None:
        self.history = history
        self.oracle = oracle
        self.plan = Plan(history)
        self.owed: dict[int, list[int]] = {}  # to an operation, the callbacks that are to be settled when it returns
        self.looked_at = 0
        self.front: Front = {Configuration(oracle.begin(history.given), frozenset()): None}
        self.asked = {
            (op, index): (point, oracle.point(point), self.plan.told(op, point))
            for op, own in self.plan.points.items()
            for index, point in enumerate(own)
        }

    def run(self) -> Verdict:
        for at, entry in enumerate(self.history.entries):
            after = self.passes(self.front, entry)
            if not after:
                return self.fails(at, (f"entry {at + 1}: {self.history.told(at)}",))
            self.front = after
        return self.end()

    def passes(self, front: Front, entry: Entry) -> Front:
        """The configurations on the other side of *entry*."""
        op = entry.op
        if isinstance(entry, Call):
            return (
                self.begins(front, op)
                if entry.kind in CALLBACKS
                else {each._replace(places=each.places | {(op, 0)}): link for each, link in front.items()}
            )
        if isinstance(entry, Queued):
            return self.until(front, lambda each: (op, 0) not in each.places)
        if self.plan.calls[op].kind in CALLBACKS:
            outer = self.plan.around[op]
            if outer is not None:
                self.owed.setdefault(outer, []).append(op)
            return {each._replace(places=each.places | {(op, 1)}): link for each, link in front.items()}
        # An operation returns: it is over, and so is what came of the callbacks that it called.
        over = {op, *self.owed.pop(op, ())}
        return self.until(front, lambda each: not any(place[0] in over for place in each.places))

    def begins(self, front: Front, op: int) -> Front:
        """A callback is called: this very moment is its first point."""
        after: Front = {}
        point, number, told = self.asked[op, 0]
        for each, link in self.closure(front).items():
            for world, _, fired in self.oracle.moves(each.world, number, point):
                step = Taken(told, fired, self.oracle.worlds[world])
                after.setdefault(each._replace(world=world), Link(step, link))
        return after

    def until(self, front: Front, reached: Callable[[Configuration], bool]) -> Front:
        """The configurations in which something is reached for the first time. Nothing needs to happen beyond that:
        whatever is pending then may as well happen later."""
        return {each: link for each, link in self.closure(front, reached).items() if reached(each)}

    def closure(self, front: Front, enough: Callable[[Configuration], bool] = lambda each: False) -> Front:
        """Everything that may have happened by now, up to where it is enough."""
        found = dict(front)
        layer: Iterable[Configuration] = list(front)
        while layer:
            following = []
            for each in layer:
                if enough(each):
                    continue
                link = found[each]
                for told, fired, after in self.ways(each):
                    if after not in found:
                        found[after] = Link(Taken(told, fired, self.oracle.worlds[after.world]), link)
                        following.append(after)
            layer = following
        self.looked_at += len(found)
        return found

    def ways(self, each: Configuration) -> Iterator[tuple[str, tuple[Fired, ...], Configuration]]:
        for place in each.places:
            op, index = place
            point, number, told = self.asked[place]
            for world, done, fired in self.oracle.moves(each.world, number, point):
                places = each.places
                if done:
                    places -= {place}
                    if index + 1 < len(self.plan.points[op]):
                        places |= {(op, index + 1)}
                yield told, fired, Configuration(world, places)
        for world, _, fired in self.oracle.silent(each.world):
            yield POOL, fired, each._replace(world=world)

    def end(self) -> Verdict:
        """The history is over: one configuration must be fit to be the last."""
        left, reasons = pending(self.plan), dict[str, None]()
        self.front = self.closure(self.front)
        for each, link in self.front.items():
            wrong = list(self.objections(each, left))
            if not wrong:
                return Verdict(self.plan, "forward", True, steps(link), len(self.history.entries), (), self.looked_at)
            reasons.update(dict.fromkeys(wrong))
        return self.fails(len(self.history.entries), tuple(reasons))

    def objections(self, each: Configuration, left: tuple[Pending, ...]) -> Iterator[str]:
        if not self.history.drained:
            return
        for op, index in sorted(each.places):
            if self.plan.calls[op].kind in CALLBACKS:
                yield f"{self.asked[op, index][2]} can never happen"
        if self.oracle.rules.stuck:
            yield from complaints(self.oracle.worlds[each.world], left)

    def fails(self, explained: int, reasons: tuple[str, ...]) -> Verdict:
        link = max(self.front.values(), key=lambda link: len(steps(link)))
        return Verdict(self.plan, "forward", False, steps(link), explained, reasons, self.looked_at)


def steps(link: Link | None) -> tuple[Taken, ...]:
    found = []
    while link is not None:
        found.append(link.step)
        link = link.before
    return tuple(reversed(found))


def walk(history: History, oracle: Oracle) -> Verdict:
    """Judge *history* forward through its entries."""
    return Forward(history, oracle).run()
