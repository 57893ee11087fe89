"""A thread that keeps house now and then, and neither pins the pool nor outlives it [COLLECTABLE, EXIT-FREE]."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from poolproof.runtime import Parker

if TYPE_CHECKING:
    from poolproof.driver import Driver
    from poolproof.pool import Pool


class Housekeeper:
    """Calls `maintain` every *period* seconds until it is stopped or its pool is gone."""

    def __init__(self, pool: Pool[Any], driver: Driver, period: float) -> None:
        self._pool = weakref.ref(pool, self._gone)
        self._period = period
        self._driver = weakref.ref(driver)
        self._stopped = False
        self.start()

    def restart(self) -> None:
        """In the child after a fork, where no thread survives, and where a closed pool is open again."""
        self._stopped = False
        self.start()

    def start(self) -> None:
        """Start the thread."""
        driver = self._driver()
        if driver is not None and not self._stopped:
            self._parker = driver.runtime.parker()
            driver.runtime.spawn(self._run, f"housekeeping of {driver.settings.name}")

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped = True
        self._parker.unpark()

    def _gone(self, _: object) -> None:
        self.stop()

    def _run(self) -> None:
        parker: Parker = self._parker
        while not self._stopped:
            parker.park(self._period)
            if not self._stopped:
                self._round()

    def _round(self) -> None:
        """One round, holding the pool only meanwhile. A pool that failed to keep house once tries again later."""
        pool = self._pool()
        if pool is not None:
            try:
                pool.maintain()
            except BaseException as error:  # nobody interrupts this thread; a callback raised it
                pool._driver.complain("a round of housekeeping failed", error)
