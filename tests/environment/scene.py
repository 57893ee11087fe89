"""A pool in a known situation, with one operation on it, and what must be true once the dust has settled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from environment.rig import Maker, StagedRuntime, Thing, Thread, at_rest, elsewhere, pooled, reached
from poolproof import Lease, Pool, PoolError

Operation = Callable[[], object]


class Scene:
    """A pool in some situation, who holds what of it, and who waits."""

    def __init__(self, **options: Any) -> None:
        self.maker = Maker()
        self.runtime = StagedRuntime()
        self.held: list[Lease[Thing]] = []
        self.waiters: list[Thread] = []
        self.outside: list[Thing] = []
        self.failing = False
        given = self.maker.several(options.pop("given", 0))
        if options.pop("builds", False):
            options["create"] = self.maker.create
        self.pool: Pool[Thing] = Pool(
            resources=given or None, destroy=self.maker.destroy, runtime=self.runtime, name="scene", **options
        )
        self.operation: Operation = self.acquire

    def acquire(self, timeout: float | None = 0) -> None:
        self.held.append(self.pool.acquire(timeout))

    def hold(self, count: int = 1) -> list[Lease[Thing]]:
        for _ in range(count):
            self.acquire()
        return self.held

    def wait(self, count: int = 1) -> None:
        """Have so many threads wait, each asleep."""
        for _ in range(count):
            asleep = threading.Event()
            self.runtime.before_park = asleep.set
            self.waiters.append(Thread(self._waiter))
            reached(asleep)
        self.runtime.before_park = lambda: None

    def race(self) -> None:
        """Have another thread commit between the operation's first look at the state and its commit."""

        def interfere() -> None:
            self.runtime.at_clock = lambda: None
            elsewhere(lambda: self.pool.acquire(0).release())

        self.runtime.at_clock = interfere

    def _waiter(self) -> None:
        with suppress(PoolError):
            self.pool.acquire(None).release()

    def verdict(self) -> list[str]:
        """What is wrong after one round of maintenance."""
        pool, self.failing = self.pool, False
        self.runtime.at_clock = lambda: None
        if self.waiters:
            self.release_all()
        for waiter in self.waiters:
            waiter.join()
        found = at_rest(pool, sum(lease.held for lease in self.held))
        inside = pooled(pool)
        left = [thing for thing in self.maker.things if not thing.destroyed and thing not in inside]
        found += [f"{thing} more than once" for thing in self.maker.things if thing.destroyed > 1]
        found += [f"{thing}, but pooled" for thing in inside if thing.destroyed]
        found += [f"{thing} pooled twice" for thing in inside if inside.count(thing) > 1]
        detached = pool._driver.state.ledger.detached
        left = [thing for thing in left if thing not in self.outside]
        if len(left) != detached:
            found.append(f"not destroyed, not pooled: {left}; detached: {detached}")
        return found or self._full_use()

    def _full_use(self) -> list[str]:
        """What is wrong with a use of the full capacity."""
        pool = self.pool
        self.release_all()
        ledger = pool._driver.state.ledger
        if ledger.phase == "open":
            self.hold(int(ledger.limit) if pool._driver.options.factory else ledger.live)
            self.release_all()
        return at_rest(pool)

    def release_all(self) -> None:
        for lease in self.held:
            if lease.held:
                lease.release()
