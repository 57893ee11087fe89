"""A lease that a task holds."""

from __future__ import annotations

import contextlib
from asyncio import current_task
from collections.abc import Callable
from functools import partial
from threading import get_ident
from types import TracebackType
from typing import TypeVar

from poolproof import core
from poolproof.aio.driver import AsyncDriver
from poolproof.errors import StaleLease
from poolproof.lease import BaseLease

R = TypeVar("R")


class AsyncLease(BaseLease[R]):
    """The right of a task to use one resource of an `AsyncPool`. ``async with`` gives the resource and ends it.

    End it exactly once, by `release`, `discard`, `detach` or an ``async with`` block, in any task of the pool's loop;
    from elsewhere by `release_soon` or `discard_soon`. A lease that is collected without having been ended gives its
    slot back and warns [LEASE-ABANDONED].
    """

    __slots__ = ()

    _driver: AsyncDriver

    async def release(self) -> None:
        """Give the resource back for the next one to use.   Rows: RELEASE, RELEASE-RESET, DISCARD.   Cost: O(1).

        The lease has ended before anything is waited for. A reset or destruction that has to be waited for goes on in
        a task of the pool; this waits for it, and if this is cancelled it goes on all the same [CANCEL-SPARES].

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
            WrongLoop: this is not the pool's event loop [LOOP-OWN].
        """
        if not self._end_at_once():
            self._driver.bind()
            await self._driver.finish(self._release_slowly)

    async def discard(self) -> None:
        """End the lease and have the resource destroyed: it is broken.   Rows: DISCARD.   Cost: O(1).

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
            WrongLoop: this is not the pool's event loop [LOOP-OWN].
        """
        self._driver.bind()
        await self._driver.finish(self._discard)

    async def detach(self) -> R:
        """End the lease and keep the resource: it leaves the pool for good, undestroyed.   Rows: DETACH.
        Cost: O(1). Whoever is cancelled here has detached nothing.

        Returns:
            The resource, which is the caller's now. The pool may build another in its place.
        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
            WrongLoop: this is not the pool's event loop [LOOP-OWN].
        """
        self._driver.bind()
        resource = self._take_out()
        self._driver.tend()  # and does not wait for it: a cancellation would lose the resource
        return resource

    def release_soon(self) -> None:
        """Request a `release`: from a finalizer, a signal handler or another thread [LOOP-ONLY].

        In the pool's loop the lease has ended when this returns, elsewhere the loop ends it soon. Nothing is waited
        for. A lease that has ended by then is let be.

        Raises:
            WrongLoop: the loop is closed, so its pool is of no use any more [LOOP-OWN].
        """
        self._soon(self._release_slowly)

    def discard_soon(self) -> None:
        """Request a `discard`, as `release_soon` requests a release.

        Raises:
            WrongLoop: the loop is closed, so its pool is of no use any more [LOOP-OWN].
        """
        self._soon(self._discard)

    async def __aenter__(self) -> R:
        return self.resource

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                await self.release()
            except StaleLease:
                if self._revoked():
                    raise  # and no word if it was ended inside the block
            return
        discards = self._interrupted_by(kind)
        if issubclass(kind, GeneratorExit):  # the task was dropped, and whoever is dropped must not wait
            self._driver.finalize(partial(self._end_quietly, self._discard if discards else self._release_slowly))
            return
        with contextlib.suppress(StaleLease):  # the exception by which the block is left says more
            await (self.discard if discards else self.release)()

    def _soon(self, end: Callable[[], None]) -> None:
        if self._driver.is_here:
            self._driver.do_here(partial(self._end_quietly, end))
        else:
            self._driver.soon(partial(self._end_quietly, end))

    def _end_quietly(self, end: Callable[[], None]) -> None:
        with contextlib.suppress(StaleLease):
            end()

    def _end_at_once(self) -> bool:
        """Release, if that takes no more than one step and nothing of the user's; whether it did."""
        driver, slot, record = self._driver, self._slot, self._record
        atom, options, release_quiet = driver.atom, driver.options, driver.release_quiet
        if get_ident() != driver.thread or current_task(driver.loop) is None:
            return False
        while True:
            state = atom.value  # first: whoever changes the register afterwards changes the state too
            if slot.record is not record:
                return False
            quick = release_quiet(state, options, slot, record, driver.monotonic() if options.ages else record[2])
            if quick is None:
                return False
            new, freed = quick
            if atom.value is state:  # the commit, as in AsyncAtom
                atom.value = new
                slot.record = freed
                return True

    def _release_slowly(self) -> None:
        self._end(core.release, reset=self._resets())
        self._driver.tend(thoroughly=False)

    def _discard(self) -> None:
        self._end(core.discard)
        self._driver.tend()


class ResettingAsyncLease(AsyncLease[R]):
    """A lease with a reset of its own, which stands in its slot and is used instead of the pool's."""

    __slots__ = ()

    def _end_at_once(self) -> bool:
        return False

    def _resets(self) -> bool:
        return True
