"""A pool whose every callback switches, greenlets that hold what others want, and a count of what is left.

A pool that is observed takes the slow way through everything, and its trace is replayed through the model.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import greenlet

from greenlets.hubs import Call, Hub
from pool.rig import complaints
from poolproof import CheckFailed, Lease, LeaseRevoked, Pool, PoolClosed, PoolWarning
from poolproof.replay import Recorder, replay


class Thing:
    """A resource like any other."""


@dataclass
class World:
    """One pool of two slots, and everything that ever was in it."""

    hub: Hub
    options: dict[str, Any] = field(default_factory=dict)
    made: list[Thing] = field(default_factory=list)
    kept: list[Thing] = field(default_factory=list)
    destroyed: list[Thing] = field(default_factory=list)
    held: list[Lease[Thing]] = field(default_factory=list)
    others: list[Call] = field(default_factory=list)
    observed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.recorder = Recorder()
        if self.observed:
            self.options["observer"] = self.recorder
        self.pool: Pool[Thing] = Pool(
            self.create, **{"destroy": self.destroy, "max_size": 2, "runtime": self.hub.runtime(), **self.options}
        )

    def create(self) -> Thing:
        self.hub.pause()
        thing = Thing()
        self.made.append(thing)
        return thing

    def destroy(self, thing: Thing) -> None:
        self.destroyed.append(thing)
        self.hub.pause()

    def hold(self, count: int) -> None:
        """Have so many leases, which `beside` ends, or the end of the world."""
        self.held += [self.pool.acquire() for _ in range(count)]

    def beside(self, function: Callable[[], object]) -> None:
        """Let another greenlet do this, when everybody had a turn. It may find the pool closed."""

        def later() -> None:
            self.hub.pause()
            with suppress(PoolClosed, LeaseRevoked):
                function()

        self.others.append(Call(self.hub, later))

    def end(self) -> list[str]:
        """What is wrong when everybody has gone home: leases ended, maintained, drained, closed."""
        self.hub.join(*(each.greenlet for each in self.others))
        for lease in self.held:
            if lease.held:
                lease.release()
        if self._busy("creating", "checked_out", "waiting"):
            gc.collect()  # a lease that was forgotten may be in a cycle
        found = self._busy("creating", "checked_out", "waiting")
        self.pool.maintain()  # what was left half done is taken over now, and not before
        found += self._busy("returning", "discarded") + complaints(self.pool)
        if self.pool.stats().phase == "open":
            self.pool.resize(2)
            found += self._drain()
        if not self.pool.close().closed:
            found.append(f"does not close: {self.pool!r}")
        times = Counter(map(id, self.destroyed))
        expected = Counter(id(thing) for thing in self.made if thing not in self.kept)
        if times != expected:
            found.append(f"{len(self.made)} made, {len(self.kept)} kept, {sorted(times.values())} destroyed")
        found += [f"another greenlet got {each.error!r}" for each in self.others if each.error is not None]
        if self.observed:
            found += map(str, replay(self.recorder.events()).findings)
        return found

    def _drain(self) -> list[str]:
        """Take all there is, whatever checks say of it."""
        leases: list[Lease[Thing]] = []
        for _ in range(10):
            with suppress(CheckFailed):
                leases += filter(None, [self.pool.try_acquire()])
        for lease in leases:
            lease.release()
        return [] if len(leases) == 2 else [f"of 2 slots, {len(leases)} are left"]

    def _busy(self, *states: str) -> list[str]:
        stats = self.pool.stats()
        return [f"{getattr(stats, state)} {state}" for state in states if getattr(stats, state)]


class Injection:
    """Throws into a greenlet at the *nth* time that it switches away, after the hub went round *rounds* times."""

    def __init__(self, hub: Hub, error: BaseException, nth: int, rounds: int) -> None:
        self._hub, self._error, self._nth, self._rounds = hub, error, nth, rounds
        self._victim: Any = None
        self._switches = 0
        self.aimed = self.struck = False

    def run(self, function: Callable[[], Any]) -> Call:
        """Run *function* in a greenlet and throw into it. Returns when it is over."""
        call = Call(self._hub, function)
        self._victim = call.greenlet
        before = greenlet.settrace(self._seen)
        try:
            self._hub.join(call.greenlet)
        finally:
            greenlet.settrace(before)
        return call

    def _seen(self, event: str, switch: tuple[Any, Any]) -> None:
        origin, _ = switch
        if origin is self._victim and not origin.dead:
            if self._switches == self._nth:
                self.aimed = True
                self._strike(self._rounds + 1)
            self._switches += 1

    def _strike(self, rounds: int) -> None:
        """Throw, in the hub; if the victim is over by then, it got away."""
        if rounds:
            self._hub.call_soon(self._strike, rounds - 1)
        elif not self._victim.dead:
            self.struck = True
            self._victim.throw(self._error)


@contextmanager
def quiet() -> Iterator[None]:
    """What callbacks raise is logged, and of leases that were forgotten is warned: thousands of them here."""
    log = logging.getLogger("poolproof")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PoolWarning)
            yield
    finally:
        log.disabled = before
