"""A runtime on which a deadlock is a fact, not a matter of patience: it knows who sleeps and who was told to wake."""

from __future__ import annotations

import threading
from typing import Any

from poolproof.runtime import ThreadRuntime


class Berth:
    """A parker that knows when its thread sleeps without a deadline and nobody has begun to wake it.

    An unpark is counted before and after. A sleeper that found the two counts equal, and no wake-up to take, sleeps
    until the first count moves; whoever reads that it has not moved knows that nobody is about to wake the sleeper.
    """

    def __init__(self, parker: Any, asleep: dict[threading.Thread, tuple[Berth, int]]) -> None:
        self.parker = parker
        self.asleep = asleep
        self.begun: list[None] = []
        self.ended: list[None] = []

    def park(self, timeout: float | None) -> bool:
        if timeout is not None:
            return bool(self.parker.park(timeout))
        ended, begun = len(self.ended), len(self.begun)
        if self.parker.park(0):
            return True
        me = threading.current_thread()
        if ended == begun:
            self.asleep[me] = self, begun
        try:
            return bool(self.parker.park(None))
        finally:
            self.asleep.pop(me, None)

    def unpark(self) -> None:
        self.begun.append(None)
        self.parker.unpark()
        self.ended.append(None)


class WatchedRuntime(ThreadRuntime):
    """Threads, whose sleep is watched. Each thread writes an entry of its own, so nothing here needs a lock."""

    __slots__ = ("asleep",)

    def __init__(self) -> None:
        self.asleep: dict[threading.Thread, tuple[Berth, int]] = {}

    def parker(self) -> Any:
        return Berth(super().parker(), self.asleep)

    def deadlocked(self, threads: list[threading.Thread]) -> bool:
        """Whether all of *threads* that live sleep for good: only they could wake each other, so it stays true."""
        found = [(each, self.asleep.get(each)) for each in threads if each.is_alive()]
        # First that all of them are asleep, then that none has been woken meanwhile.
        if not found or any(entry is None for _, entry in found):
            return False
        return all(self.asleep.get(each) is entry and len(entry[0].begun) == entry[1] for each, entry in found if entry)
