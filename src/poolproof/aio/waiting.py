"""The slow way through acquire, and the only places where a task waits: `poolproof.waiting` with ``await``."""

from __future__ import annotations

from functools import partial
from inspect import isawaitable
from typing import Any

from poolproof import core
from poolproof.aio.driver import AsyncDriver
from poolproof.aio.lease import AsyncLease, ResettingAsyncLease
from poolproof.core.values import CLOSING, PlainRecord, Slot, Ticket
from poolproof.waiting import BaseWaiter


class AsyncWaiter(BaseWaiter):
    """One acquire call of a task."""

    __slots__ = ("tired",)
    leases = (AsyncLease, ResettingAsyncLease)
    driver: AsyncDriver

    async def wait(self) -> AsyncLease[Any]:
        """The whole slow acquire.  [QUEUE] [WITHDRAW] and, through its ticket, HAND-OFF and BUILD-START.

        From the look that finds the ticket granted to the return there is nothing to wait for but the check.
        """
        try:
            while True:
                self.tired = False
                lease: AsyncLease[Any] | None = self.look()
                if self.tired:
                    await self.rest()
                elif lease is not None and await self.approved(lease):
                    self.leased = True
                    return lease
        except BaseException:
            self.cancel()
            self.leased = True  # or rather, nothing is left to give back
            raise

    def sleep(self) -> None:
        self.tired = True  # `wait` does it, which can

    def passes(self, lease: AsyncLease[Any], slot: Slot, hold: PlainRecord) -> bool:
        return True  # `wait` asks, which can wait for the answer

    async def rest(self) -> None:
        """Park until something happened to the ticket; withdraw it when the deadline has passed."""
        patience = None if self.deadline is None or self.only_builds else self.deadline - self.driver.monotonic()
        if (patience is None or patience > 0) and await self.ticket.parker.park(patience):
            return
        self.late()

    @property
    def only_builds(self) -> bool:
        """Whether this acquire has timeout 0 and its own create running, which it waits for [TIMEOUT-VALUES]."""
        return not self.patient and self.begun is not None and self.ticket.record.build is self.begun

    def late(self) -> bool:
        return not self.only_builds and super().late()

    async def approved(self, lease: AsyncLease[Any]) -> bool:
        """Check the resource; if it fails, the ticket is back at the head of the queue or refused.
        [CHECK-FAILED] [CHECK-REFUSED]"""
        check, slot, hold = self.driver.settings.check, lease._slot, lease._record
        if check is None:
            return True
        cause: Exception | None = None
        resource = slot.resource  # first: once the lease is revoked, the cell may be emptied
        try:
            if lease.held:
                verdict: Any = check(resource)
                if isawaitable(verdict):
                    verdict = await verdict
                if verdict and lease.held:
                    return True
        except Exception as error:
            cause = error
        except BaseException:
            self.driver.finalize(partial(self.driver.settle, slot, hold, core.discard))
            raise
        self.rejected(lease, slot, hold, cause)
        return False

    def cancel(self) -> None:
        self.driver.finalize(super().cancel)


async def wait_until_closed(driver: AsyncDriver, deadline: float | None) -> None:
    """Sleep until the last slot is gone, at most until *deadline*; meanwhile do what others left undone."""
    closer = Ticket(0, driver.here.who, driver.runtime.parker())
    registered = False
    try:
        while driver.state.ledger.phase == CLOSING:
            if driver.help():
                continue
            patience = None if deadline is None else deadline - driver.monotonic()
            if patience is not None and patience <= 0:
                return
            if registered:
                await closer.parker.park(patience)
            else:  # and look again: the end may have come before
                registered = True
                driver.step(lambda state, now: core.await_closed(state, driver.options, closer, now))
    finally:
        if registered:
            driver.finalize(
                lambda: driver.step(lambda state, now: core.leave_closers(state, driver.options, closer, now))
            )
