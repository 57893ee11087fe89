"""Counting what a pool does: an observer to be given to it."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from poolproof.reports import PoolEvent
from poolproof.settings import callable_or_none

BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ENDS_A_WAIT = ("HAND-OFF", "WITHDRAW", "BUILD-FAILED")


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """What was counted so far.

    ``rows``: how often each row of the specification's table has fired. ``acquired``: grants, those that a check
    took back included. ``gave_up``: acquires that got nothing in time, or were cancelled. ``waits``: for each upper
    bound in seconds, how many waits ended within it and not within the one before, however they ended; the last
    bound is infinite. ``waited``: the seconds of all these waits together; ``longest_wait``: of one of them.
    """

    rows: dict[str, int]
    acquired: int
    gave_up: int
    waits: tuple[tuple[float, int], ...]
    waited: float
    longest_wait: float


class Metrics:
    """Counts what a pool does, and for how long callers wait in its queue: ``Pool(..., observer=Metrics())``.

    It costs nothing to pools without it. One that has to tell another observer, too, is given it as *then*.

    Args:
        bounds: upper bounds of the histogram of waits, in seconds.
        then: called with each event as well.
        clock: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        bounds: Iterable[float] = BOUNDS,
        *,
        then: Callable[[PoolEvent], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        callable_or_none("then", then)
        self._bounds = (*sorted(bounds), math.inf)
        self._then = then
        self._clock = clock
        self._told: deque[tuple[PoolEvent, float]] = deque()
        self._turn = threading.Lock()
        self._rows: Counter[str] = Counter()
        self._begun: dict[int, float] = {}
        self._ended: dict[int, float] = {}  # waits whose end was told before their beginning
        self._waits = [0] * len(self._bounds)
        self._waited = self._longest = 0.0

    def __call__(self, event: PoolEvent) -> None:
        """Take note of one event."""
        self._told.append((event, self._clock()))
        self._fold()
        if self._then is not None:
            self._then(event)

    def snapshot(self) -> PoolMetrics:
        """What was counted so far."""
        self._fold()
        rows = dict(self._rows)
        return PoolMetrics(
            rows=rows,
            acquired=rows.get("GRANT-FREE", 0) + rows.get("HAND-OFF", 0),
            gave_up=rows.get("WITHDRAW", 0) + rows.get("REFUSE-TIMEOUT", 0),
            waits=tuple(zip(self._bounds, self._waits, strict=True)),
            waited=self._waited,
            longest_wait=self._longest,
        )

    def _fold(self) -> None:
        # Whoever finds the turn taken, be it by itself in a finalizer or signal handler, leaves the work to its owner.
        while self._told and self._turn.acquire(blocking=False):
            try:
                while self._told:
                    self._count(*self._told.popleft())
            finally:
                self._turn.release()

    def _count(self, event: PoolEvent, now: float) -> None:
        for row, _, ticket in event.fired:
            self._rows[row] += 1
            if row == "CLOSE":  # it refuses all who wait
                for waiting in [number for number in self._begun if number <= event.version]:
                    self._end(waiting, now)
            elif ticket is None:
                continue
            elif row == "QUEUE":
                self._begun[ticket] = now
                if ticket in self._ended:
                    self._end(ticket, self._ended.pop(ticket))
            elif row in ENDS_A_WAIT and ticket in self._begun:
                self._end(ticket, now)
            elif row in ENDS_A_WAIT:
                self._ended[ticket] = now

    def _end(self, ticket: int, now: float) -> None:
        wait = max(0.0, now - self._begun.pop(ticket))
        self._waits[bisect_left(self._bounds, wait)] += 1
        self._waited += wait
        self._longest = max(self._longest, wait)
