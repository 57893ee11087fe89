"""The points of an operation: the indivisible steps that the spec says it is made of, in their order.

Most operations have one point, their linearization point. An acquire has two: *arrive* (the request) and *claim* (the
outcome is taken note of). A close has *close* and *report*. A callback *begins* when it is called and is *settled*
after it returned, when its result becomes known to the pool.

Tickets and builds are counted here, each from 1, so that the same point of another history is the same point, and the
model need not be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from poolproof.conformance.history.events import ACQUIRES, CALLBACKS, Call, History, Kind, Outcome, Return


class Point(NamedTuple):
    """One step of one operation, with everything that decides whether it is possible.

    ``own`` is the acquire's own ticket, or the number of the build. ``outcome`` is that of the whole operation, None
    if it never ended. ``around`` is the ticket of the acquire in whose thread a callback was called; ``resets`` says
    that the lease which ends brings a reset of its own; ``timeout`` is None, 0 or 1, for more.
    """

    name: str
    kind: Kind
    own: int = 0
    outcome: Outcome | None = None
    lease: int | None = None
    resource: int | None = None
    timeout: int | None = None
    limit: int | None = None
    force: bool = False
    resets: bool = False
    around: int | None = None


def names(kind: Kind) -> tuple[str, ...]:
    """The names of the points of an operation."""
    if kind in ACQUIRES:
        return ("arrive", "claim")
    if kind in CALLBACKS:
        return ("begin", "settle")
    return ("close", "report") if kind == "close" else (kind,)


@dataclass(slots=True)
class Plan:
    """The operations of a history as points."""

    history: History
    calls: dict[int, Call] = field(init=False)
    points: dict[int, tuple[Point, ...]] = field(init=False)
    tickets: dict[int, int] = field(init=False)  # of the acquires
    builds: dict[int, int] = field(init=False)  # of the creates
    around: dict[int, int | None] = field(init=False)  # the operation within which the same thread made the call

    def __post_init__(self) -> None:
        self.calls = self.history.calls()
        acquires = [op for op, call in self.calls.items() if call.kind in ACQUIRES]
        creates = [op for op, call in self.calls.items() if call.kind == "create"]
        self.tickets = {op: number for number, op in enumerate(acquires, start=1)}
        self.builds = {op: number for number, op in enumerate(creates, start=1)}
        self.around = surroundings(self.history)
        outcomes = self.history.outcomes()
        self.points = {op: tuple(self.ordered(call, outcomes.get(op))) for op, call in self.calls.items()}

    def ordered(self, call: Call, outcome: Outcome | None) -> list[Point]:
        own = self.tickets.get(call.op) or self.builds.get(call.op) or 0
        around = self.around[call.op] if call.kind in CALLBACKS else None
        resets = call.lease is not None and self.calls[call.lease].own_reset
        return [
            Point(
                name, call.kind, own, outcome, None if call.lease is None else self.tickets[call.lease],
                call.resource, None if call.timeout is None else int(call.timeout > 0), call.limit, call.force,
                resets, None if around is None else self.tickets.get(around),
            )
            for name in names(call.kind)
        ]  # fmt: skip

    def told(self, op: int, point: Point) -> str:
        """A point in words."""
        return f"{op} {point.kind}" if point.name == point.kind else f"{op} {point.kind}, {point.name}"


def surroundings(history: History) -> dict[int, int | None]:
    """For each operation, the one within which it was called, by the same thread."""
    inside: dict[str, list[int]] = {}
    threads: dict[int, str] = {}
    found: dict[int, int | None] = {}
    for entry in history.entries:
        if isinstance(entry, Call):
            stack = inside.setdefault(entry.thread, [])
            found[entry.op], threads[entry.op] = (stack[-1] if stack else None), entry.thread
            stack.append(entry.op)
        elif isinstance(entry, Return):
            inside[threads[entry.op]].remove(entry.op)
    return found
