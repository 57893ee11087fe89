"""A recorded history: what was asked of a pool and what it answered, in one order.

An *operation* is a call and, unless it hangs, a return. Two kinds of operations stand in one history: those that
callers ask of the pool (acquire, release, …), and those that the pool asks of its callbacks (create, destroy, reset,
check). Operations have the numbers of their calls, from 1; resources and exceptions have the numbers in which they
first appear. A lease has the number of the acquire that returned it, so histories of pools that number nothing can
be told too.

An acquire is two events: the *request*, by which it takes its place in the queue, and the *grant*. A thread that was
seen waiting has made its request: the entry `Queued` says so, and makes "first come, first served" checkable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from poolmodel.state import Config

Kind = Literal[
    "acquire",
    "try_acquire",
    "release",
    "discard",
    "detach",
    "abandon",  # the last reference to the lease was dropped
    "resource",  # reading lease.resource
    "add",
    "remove",
    "resize",
    "expire_all",
    "maintain",
    "stats",
    "close",
    "create",
    "destroy",
    "reset",
    "check",
]
CALLBACKS = frozenset(("create", "destroy", "reset", "check"))
ACQUIRES = frozenset(("acquire", "try_acquire"))
ENDS = frozenset(("release", "discard", "detach", "abandon"))

# The errors of a pool. Any other exception is "raised" (it came from a callback) or "cancelled" (from outside).
ERRORS = frozenset(
    (
        "AcquireTimeout",
        "PoolClosed",
        "PoolEmpty",
        "PoolBusy",
        "PoolFull",
        "CheckFailed",
        "DuplicateResource",
        "NotPooled",
        "StaleLease",
        "LeaseRevoked",
    )
)


class Outcome(NamedTuple):
    """How an operation ended.

    ``kind`` is "lease" (acquire: the lease names *resource*; None if it was revoked before anybody saw which),
    "nothing" (try_acquire: None), "resource" (create, detach and lease.resource return *resource*), "good" and "bad"
    (check), "told" (stats and close return *values*), "done" (anything else that returned), the name of an error of
    the pool, "raised" (the exception number *error* of a callback), or "cancelled".
    """

    kind: str
    resource: int | None = None
    error: int | None = None
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        if self.kind == "raised":
            return f"raised exception {self.error}"
        told = ", ".join(f"{name} {value}" for name, value in self.values)
        what = self.kind if self.resource is None else f"{self.kind} r{self.resource}"
        return f"{what} {told}".rstrip()


DONE = Outcome("done")


class Call(NamedTuple):
    """An operation begins. What does not belong to its kind is None.

    ``lease`` is the acquire whose lease is ended or read; ``resource`` what is added, removed, destroyed, reset or
    checked. ``timeout`` None waits without limit; for close it is the grace. ``own_reset`` says that an acquire
    brings a reset for its lease, ``force`` that a close revokes.
    """

    op: int
    thread: str
    kind: Kind
    lease: int | None = None
    resource: int | None = None
    timeout: float | None = None
    limit: int | None = None
    own_reset: bool = False
    force: bool = False

    def __str__(self) -> str:
        parts: list[str] = []
        if self.lease is not None:
            parts.append(f"lease {self.lease}")
        if self.resource is not None:
            parts.append(f"r{self.resource}")
        if self.kind == "resize":
            parts.append("no limit" if self.limit is None else str(self.limit))
        if self.timeout is not None:
            parts.append(f"{'grace' if self.kind == 'close' else 'timeout'} {self.timeout:g}")
        parts += ["own reset"] * self.own_reset + ["force"] * self.force
        return f"{self.kind}({', '.join(parts)})"


class Return(NamedTuple):
    """An operation ends."""

    op: int
    outcome: Outcome


class Queued(NamedTuple):
    """This acquire was seen waiting: its request is in the queue by now."""

    op: int


Entry = Call | Return | Queued


@dataclass(frozen=True, slots=True)
class History:
    """What happened, in one order.

    ``config`` and ``given`` say how the pool began: with these resources free, the first one next. ``drained`` says
    that nothing more will happen: whoever has not returned has had every chance to. Only then does an operation that
    is still pending count against the pool.
    """

    config: Config = field(default_factory=Config)
    entries: tuple[Entry, ...] = ()
    given: tuple[int, ...] = ()
    drained: bool = True

    def calls(self) -> dict[int, Call]:
        """Every call, by the number of its operation."""
        return {entry.op: entry for entry in self.entries if isinstance(entry, Call)}

    def outcomes(self) -> dict[int, Outcome]:
        """The outcome of every operation that returned."""
        return {entry.op: entry.outcome for entry in self.entries if isinstance(entry, Return)}

    def told(self, at: int) -> str:
        """The entry at this index in words, from 0."""
        entry = self.entries[at]
        call = self.calls()[entry.op]
        if isinstance(entry, Return):
            return f"{call.thread}: {entry.op} {call} → {entry.outcome}"
        return f"{call.thread}: {entry.op} {call}{' waits' if isinstance(entry, Queued) else ' is called'}"

    def __str__(self) -> str:
        """The history as lanes: one column for each thread, one line for each entry."""
        calls = self.calls()
        threads = list(dict.fromkeys(call.thread for call in calls.values()))
        lines = [["", *threads]]
        for number, entry in enumerate(self.entries, start=1):
            cells = [""] * len(threads)
            cells[threads.index(calls[entry.op].thread)] = described(entry)
            lines.append([str(number), *cells])
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        rows = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join(rows)


def described(entry: Entry) -> str:
    if isinstance(entry, Call):
        return f"{entry.op} {entry}"
    if isinstance(entry, Return):
        return f"{entry.op} → {entry.outcome}"
    return f"{entry.op} waits"
