"""Run as a program: patches everything, before or after it imports poolproof, and works a pool hard.

Arguments: eventlet or gevent; before or after; threads or greenlets (which runtime the pool has).
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any


def main(library: str, when: str, runtime_name: str) -> None:
    if when == "after":
        importlib.import_module("poolproof")
        importlib.import_module(f"poolproof.runtime.{library}")
    hub: Any = importlib.import_module(library)
    if library == "eventlet":
        hub.monkey_patch()
    else:
        importlib.import_module("gevent.monkey").patch_all()
    Work(hub, pool_for(library, runtime_name)).run()
    print("all well")


def pool_for(library: str, runtime_name: str) -> Any:
    from poolproof import Pool

    runtime: Any = None
    if runtime_name == "greenlets":
        module = importlib.import_module(f"poolproof.runtime.{library}")
        runtime = getattr(module, f"{library.capitalize()}Runtime")()
    return Pool(object, max_size=3, runtime=runtime, housekeeping=0.001, name="db")


class Work:
    """Many use a pool of three, and some of them are killed."""

    def __init__(self, hub: Any, pool: Any) -> None:
        self.hub, self.pool = hub, pool
        self.inside: list[object] = []
        self.most = self.served = self.late = 0

    def use(self) -> None:
        from poolproof import AcquireTimeout

        for number in range(20):
            try:
                with self.pool.acquire(None if number % 3 else 0.0001) as resource:
                    self.hold(resource)
            except AcquireTimeout:
                self.late += 1

    def hold(self, resource: object) -> None:
        assert resource not in self.inside
        self.inside.append(resource)
        self.most = max(self.most, len(self.inside))
        try:
            self.hub.sleep(0)
        finally:
            self.inside.remove(resource)
        self.served += 1

    def run(self) -> None:
        import threading

        victims = [self.hub.spawn(self.use) for _ in range(6)]
        threads = [threading.Thread(target=self.use) for _ in range(6)]  # patched, so these are greenlets, too
        for thread in threads:
            thread.start()
        self.hub.sleep(0.002)
        for victim in victims[::2]:
            victim.kill()
        for thread in threads:
            thread.join()
        self.until_dead(*victims)
        stats = self.pool.stats()
        assert stats.checked_out == stats.waiting == stats.creating == stats.returning == 0, stats
        assert self.most == 3, self.most
        assert self.served + self.late >= 9 * 20, (self.served, self.late)
        self.end()

    def end(self) -> None:
        """All three are there, a waiter gets one, and the pool closes."""
        leases = [self.pool.try_acquire() for _ in range(3)]
        assert None not in leases
        waiter = self.hub.spawn(self.pool.acquire)
        self.hub.sleep(0)
        assert self.pool.stats().waiting == 1
        for lease in leases:
            lease.release()
        self.until_dead(waiter)
        report = self.pool.close(force=True)
        assert report.closed, report

    def until_dead(self, *greenlets: Any) -> None:
        while not all(each.dead for each in greenlets):
            self.hub.sleep(0.001)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
