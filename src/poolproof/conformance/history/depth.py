"""The first checker: depth first over sets of points, after Wing and Gong, with a memo.

It sees a history as intervals. A point may come next if every point that must be over before it begins has been
taken. A node is the set of the points taken, with the world; a node that led nowhere is not looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from poolmodel.machine import Fired
from poolproof.conformance.history.events import CALLBACKS, Call, History, Return
from poolproof.conformance.history.final import complaints, pending
from poolproof.conformance.history.oracle import Oracle
from poolproof.conformance.history.points import Plan, Point
from poolproof.conformance.history.verdict import POOL, Taken, Verdict

NEVER = 1 << 60


class Interval(NamedTuple):
    """A point, its number to the oracle, and between which entries it lies. ``after`` is the set of points (one, or
    none) of the same operation that come first; ``needed`` that it must be taken at all."""

    point: Point
    told: str
    number: int
    low: int
    high: int
    after: int
    needed: bool


class Node(NamedTuple):
    taken: int
    world: int


class Came(NamedTuple):
    """How a node was reached."""

    node: Node
    whose: str
    fired: tuple[Fired, ...]


def intervals(plan: Plan, oracle: Oracle) -> list[Interval]:
    """Every point of a history, those that are over first at the front."""
    called: dict[int, int] = {}
    returned: dict[int, int] = {}
    queued: dict[int, int] = {}
    for at, entry in enumerate(plan.history.entries):
        place = called if isinstance(entry, Call) else returned if isinstance(entry, Return) else queued
        place.setdefault(entry.op, at)
    spans: list[tuple[int, int, int, int, Point, bool]] = []
    for op, own in plan.points.items():
        low, high, callback = called[op], returned.get(op, NEVER), own[0].kind in CALLBACKS
        for index, point in enumerate(own):
            begins, ends = low, high
            if point.name == "arrive":
                ends = min(high, queued.get(op, NEVER))
            elif point.name == "begin":
                ends = low
            elif point.name == "settle":
                outer = plan.around[op]
                begins, ends = high, NEVER if outer is None else returned.get(outer, NEVER)
            # What a callback returned cannot be lost: in a run that is over, it has been settled.
            needed = ends < NEVER or (callback and begins < NEVER and plan.history.drained)
            if begins < NEVER:
                spans.append((ends, begins, op, index, point, needed))
    spans.sort(key=lambda span: span[:4])
    bits = {(op, index): 1 << bit for bit, (_, _, op, index, _, _) in enumerate(spans)}
    return [
        Interval(
            point, plan.told(op, point), oracle.point(point), low, high, bits[op, index - 1] if index else 0, needed
        )
        for high, low, op, index, point, needed in spans
    ]


class Search:
    """One search for a witness."""

    def __init__(self, history: History, oracle: Oracle) -> None:
        self.history = history
        self.oracle = oracle
        self.root = Node(0, oracle.begin(history.given))
        self.plan = Plan(history)
        self.intervals = intervals(self.plan, oracle)
        self.wanted = sum(1 << bit for bit, each in enumerate(self.intervals) if each.needed)
        self.left = pending(self.plan)
        self.judged = history.drained and oracle.rules.stuck
        self.came: dict[Node, Came | None] = {self.root: None}
        self.furthest, self.best = -1, self.root
        self.reasons: dict[str, None] = {}

    def run(self) -> Verdict:
        stack = [self.root]
        while stack:
            node = stack.pop()
            limit = self.limit(node.taken)
            if (limit, node.taken.bit_count()) > (self.furthest, self.best.taken.bit_count()):
                self.furthest, self.best = limit, node
            if limit == NEVER and node.taken & self.wanted == self.wanted and self.over(node):
                return self.verdict(node, True)
            found = []
            for whose, fired, after in self.ways(node, limit):
                if after not in self.came:
                    self.came[after] = Came(node, whose, fired)
                    found.append(after)
            stack.extend(reversed(found))  # so that the point that is over first is tried first
        return self.verdict(self.best, False)

    def limit(self, taken: int) -> int:
        """The entry up to which the points taken explain the history: nothing may come next that begins later."""
        for bit, each in enumerate(self.intervals):
            if each.needed and not taken >> bit & 1:
                return each.high
        return NEVER

    def ways(self, node: Node, limit: int) -> Iterator[tuple[str, tuple[Fired, ...], Node]]:
        for bit, each in enumerate(self.intervals):
            if node.taken >> bit & 1 or each.low > limit or each.after & ~node.taken:
                continue
            for world, done, fired in self.oracle.moves(node.world, each.number, each.point):
                taken = node.taken | 1 << bit if done else node.taken
                yield each.told, fired, Node(taken, world)
        for world, _, fired in self.oracle.silent(node.world):
            yield POOL, fired, Node(node.taken, world)

    def over(self, node: Node) -> bool:
        """Whether the history may end here."""
        if not self.judged:
            return True
        wrong = list(complaints(self.oracle.worlds[node.world], self.left))
        self.reasons.update(dict.fromkeys(wrong))
        return not wrong

    def verdict(self, node: Node, holds: bool) -> Verdict:
        steps: list[Taken] = []
        at: Node | None = node
        while at is not None and (came := self.came[at]) is not None:
            steps.append(Taken(came.whose, came.fired, self.oracle.worlds[at.world]))
            at = came.node
        entries = len(self.history.entries)
        explained = entries if holds else min(self.furthest, entries)
        reasons = () if holds else tuple(self.reasons) or self.missing(node.taken, explained)
        return Verdict(self.plan, "depth first", holds, tuple(reversed(steps)), explained, reasons, len(self.came))

    def missing(self, taken: int, explained: int) -> tuple[str, ...]:
        if explained == len(self.history.entries):
            lost = [each.told for bit, each in enumerate(self.intervals) if each.needed and not taken >> bit & 1]
            return tuple(f"{point} can never happen" for point in lost)
        return (f"entry {explained + 1}: {self.history.told(explained)}",)


def search(history: History, oracle: Oracle) -> Verdict:
    """Judge *history* depth first."""
    return Search(history, oracle).run()
