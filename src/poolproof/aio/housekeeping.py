"""A round of housekeeping in a task, the task that does it now and then, and leases whose task has ended."""

from __future__ import annotations

import asyncio
import warnings
import weakref
from typing import TYPE_CHECKING, Any

from poolproof.aio.driver import AsyncDriver
from poolproof.errors import PoolWarning
from poolproof.maintenance import (
    catch_up,
    checked_out,
    clear_away,
    inspect_one,
    look_for_overdue,
    to_inspect,
)

if TYPE_CHECKING:
    from poolproof.aio.pool import AsyncPool


async def maintain(driver: AsyncDriver) -> None:
    """Do whatever is due: `poolproof.maintenance.maintain`, waiting for each part before the next."""
    if driver.is_open:
        await driver.finish(clear_away, driver)
        for slot in to_inspect(driver):
            await driver.finish(inspect_one, driver, slot)
        await driver.finish(look_for_overdue, driver)
        look_for_ended(driver)
    await driver.finish(catch_up, driver)


def look_for_ended(driver: AsyncDriver) -> None:
    """Warn, once each, of leases that are held although the task that acquired them has ended [TASK-LEASES]."""
    held = {hold[4]: hold for _, hold in checked_out(driver)}
    driver.outlived.intersection_update(held)
    for number, (_, _, since, who, _, _) in held.items():
        task: asyncio.Task[object] | None = who() if isinstance(who, weakref.ref) else None
        ended = isinstance(who, weakref.ref) and (task is None or task.done())
        if ended and number not in driver.outlived:
            driver.outlived.add(number)
            try:
                warnings.warn(
                    f"lease {number} of pool {driver.settings.name!r}, acquired {driver.monotonic() - since:.3g} s "
                    f"ago by {driver.runtime.name_of(who)}, is still held [TASK-LEASES]",
                    PoolWarning,
                    stacklevel=2,
                )
            except PoolWarning as error:
                driver.complain("a lease outlived its task", error)


class Housekeeper:
    """Calls `maintain` every *period* seconds, in a task, until it is stopped or its pool is gone."""

    def __init__(self, pool: AsyncPool[Any], period: float) -> None:
        self._pool = weakref.ref(pool, self._gone)
        self._period = period
        self._stopped = False
        self._task: asyncio.Task[None] | None = None
        self._sleep: asyncio.Future[None] | None = None

    def restart(self) -> None:
        """In the child after a fork, where the loop of the parent is of no use: begin again in the next one."""
        self._stopped, self._task = False, None

    def start(self) -> None:
        if not self._stopped and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="housekeeping of a pool")

    def stop(self) -> None:
        """Let the task end; it does not end in the middle of a round."""
        self._stopped = True
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.get_loop().call_soon_threadsafe(self._wake)

    def _gone(self, _: object) -> None:
        self.stop()

    def _wake(self) -> None:
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopped:
            self._sleep = loop.create_future()
            alarm = loop.call_later(self._period, self._wake)
            try:
                await self._sleep
            finally:
                alarm.cancel()
                self._sleep = None
            if not self._stopped:
                await self._round()

    async def _round(self) -> None:
        """One round, holding the pool only meanwhile. A pool that failed to keep house once tries again later."""
        pool = self._pool()
        if pool is not None:
            try:
                await pool.maintain()
            except Exception as error:
                pool._driver.complain("a round of housekeeping failed", error)
