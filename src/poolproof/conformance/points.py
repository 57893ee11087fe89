"""The runtime under which every shared access of a pool is a scheduling point.

It puts a `Crew` behind the seam, so the pool that runs is the shipped one, unchanged. Points are: before each reading
of the state, before each commit, before each wake-up, and each sleep. From one point to the next a thread runs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from poolproof.conformance.crew import Crew, Worker
from poolproof.core.values import CLOSED, EMPTY_LEDGER, PlainState, State, Ticket
from poolproof.runtime.base import Moves

# Told of every successful commit: the state before, the state after, and the registers that moved, as far as known.
Watch = Callable[[PlainState, PlainState, Moves], None]
Strike = Callable[[], None]


def unwatched(old: PlainState, new: PlainState, moves: Moves) -> None:
    return None


def spared() -> None:
    return None


Grain = Literal["all", "reads", "commits", "torn"]

# Whether readings of the state and commits are points, besides sleeps, wake-ups, callbacks and the gaps between
# operations. With "reads" each commit comes together with the reading before it, so it never fails; with "commits"
# a thread reads as soon as it can, so commits fail whenever another came first. With "torn" readings of the clock are
# points, too: a step reads it after the state and before the registers, so what it reads may be of two moments.
GRAINS: dict[Grain, tuple[bool, bool]] = {
    "all": (True, True), "reads": (True, False), "commits": (False, True), "torn": (True, True)
}  # fmt: skip


OVER: PlainState = State(0, (), (), EMPTY_LEDGER._replace(phase=CLOSED))


class ScheduledAtom:
    """The state of a pool, read and replaced only when the schedule says so."""

    def __init__(self, crew: Crew, value: PlainState, watch: Watch, grain: Grain) -> None:
        self.crew = crew
        self.watch = watch
        self.turns: Iterator[object] = iter(self._enter, None)
        self.at_reads, self.at_commits = GRAINS[grain]
        self.retired = False
        self._value = value
        self.strike: Strike = spared  # may raise an interruption in whoever runs
        self._inside: PlainState | None = None  # what the state was when the critical section was entered

    def retire(self) -> None:
        """The run is over, in whatever state: from here on nothing happens any more, whoever is collected."""
        self.retired = True
        self.at_reads = self.at_commits = False
        self.strike = spared
        self._inside = None
        self._value = OVER

    @property
    def value(self) -> PlainState:
        if self._inside is None:
            if self.at_reads:
                self.crew.point()
            self.strike()
        return self._value

    @value.setter
    def value(self, new: PlainState) -> None:
        if not self.retired:
            self._value = new

    @property
    def now(self) -> PlainState:
        """The state, for whoever looks on: no point."""
        return self._value

    @property
    def inside(self) -> bool:
        """Whether somebody is in the critical section."""
        return self._inside is not None

    def _enter(self) -> bool:
        if self.at_commits:
            self.crew.point()
        self.strike()
        self._inside = self._value
        return True

    def leave(self) -> None:
        """Leave the critical section; whatever was written in it is a commit."""
        old, self._inside = self._inside, None
        if old is not None and self._value is not old:
            self._committed(old, self._value, ())
            self.strike()

    def commit(self, old: PlainState, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...]) -> bool:
        if self.at_commits:
            self.crew.point()
        self.strike()
        if self.retired:
            return True
        if not self._current(old):
            self.crew.note("commit failed: another was faster")
            return False
        self._value = new
        for cell, record in moves:
            cell.record = record
        self._committed(old, new, moves)
        for ticket in wakes:
            ticket.parker.unpark()
        self.strike()
        return True

    def unchanged(self, state: PlainState) -> bool:
        return self.value is state

    def _current(self, old: PlainState) -> bool:
        return self._value is old

    def _committed(self, old: PlainState, new: PlainState, moves: Moves) -> None:
        self.crew.stamp += 1
        self.watch(old, new, moves)

    def recover(self, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...] = (), done: bool = False) -> None:
        """Nothing is ever interrupted in the section, so there is nothing to finish."""
        self._inside = None
        for ticket in wakes if done else ():
            ticket.parker.unpark()


class ScheduledParker:
    """Where one thread of the crew sleeps."""

    __slots__ = ("crew", "sleeper", "token")

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.token = False
        self.sleeper: Worker | None = None

    def park(self, timeout: float | None) -> bool:
        worker = self.crew.running
        if not self.token and (timeout is None or timeout > 0):
            if worker is None:
                raise RuntimeError("nobody but the crew may sleep here")
            self.sleeper = worker
            self.crew.note("sleeps" if timeout is None else f"sleeps, at most {timeout:g} s")
            woken = self.crew.sleep(worker, timeout)
            self.sleeper = None
            self.crew.note("wakes up" if woken else "its time is up")
        token, self.token = self.token, False
        return token

    def unpark(self) -> None:
        if not self.token:
            self.crew.point()
            self.token = True
            self.crew.stamp += 1
            if self.sleeper is not None:
                self.crew.note(f"wakes thread {self.sleeper.number}")
                self.crew.wake(self.sleeper)


class Who(NamedTuple):
    """Who acts: a thread of the crew, in one of its operations."""

    thread: int
    operation: int


OUTSIDE = Who(-1, 0)


class _Here:
    """Who runs: the number of the worker and of its operation, which is the same in every run of a schedule."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew

    @property
    def who(self) -> object:
        worker = self.crew.running
        return OUTSIDE if worker is None else Who(worker.number, worker.op)


class ScheduledRuntime:
    """The seam, with a crew behind it. One for each pool."""

    atom_type: type[ScheduledAtom] = ScheduledAtom
    parker_type: type[ScheduledParker] = ScheduledParker

    def __init__(self, crew: Crew, watch: Watch = unwatched, grain: Grain = "all") -> None:
        self.crew = crew
        self.watch = watch
        self.grain: Grain = grain
        self.here = _Here(crew)

    def atom(self, value: PlainState) -> ScheduledAtom:
        return self.atom_type(self.crew, value, self.watch, self.grain)

    def parker(self) -> ScheduledParker:
        return self.parker_type(self.crew)

    def monotonic(self) -> float:
        if self.grain == "torn":
            self.crew.point()
        return self.crew.now

    def spawn(self, target: Callable[[], None], name: str) -> None:
        raise RuntimeError("the crew is complete: give the pool no housekeeping, and let a program call maintain")

    def name_of(self, who: Any) -> str:
        return "outside" if who == OUTSIDE else f"thread {who[0]}" if isinstance(who, tuple) else str(who)
