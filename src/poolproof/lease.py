"""A lease: the right to use one resource, until it is ended once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Generic, NoReturn, TypeVar

from poolproof import core
from poolproof.core.values import FORKED, REVOKED, Record, Slot, current_record
from poolproof.driver import Driver
from poolproof.errors import LeaseRevoked, PoolWarning, StaleLease

R = TypeVar("R")

RELEASED = "released"
DISCARDED = "discarded"
DETACHED = "detached"


class Lease(Generic[R]):
    """The right to use one resource of a pool. As a context manager it gives the resource and ends itself.

    End it exactly once, by `release`, `discard`, `detach` or a ``with`` block, from any thread. A lease that is
    collected without having been ended gives its slot back and warns [LEASE-ABANDONED].
    """

    # The lease holds its slot as long as the very record it was granted stands in the slot's register. Nothing else
    # is needed to make it one-shot: the commit that ends it replaces the record [LEASE-ONCE].
    __slots__ = ("__weakref__", "_driver", "_ended", "_record", "_reset", "_slot")

    def __init__(self, driver: Driver, slot: Slot, record: Record, reset: Callable[[R], object] | None) -> None:
        self._driver = driver
        self._slot = slot
        self._record = record
        self._reset = reset
        self._ended: tuple[str, object] | None = None

    @property
    def number(self) -> int:
        """The number of this lease, unique in its pool; holders, messages and traces name it."""
        return self._record.number

    @property
    def held(self) -> bool:
        """Whether the lease has not been ended, revoked or lost to a fork yet."""
        return current_record(self._slot, self._record) is not None

    @property
    def resource(self) -> R:
        """The resource, for as long as the lease is held.

        Raises:
            StaleLease: the lease was ended [LEASE-ONCE].
            LeaseRevoked: the pool took the resource back [LEASE-REVOKED].
        """
        resource: R = self._slot.resource
        if not self.held:
            self._raise_stale()
        return resource

    def release(self) -> None:
        """Give the resource back for the next one to use.   Rows: RELEASE, RELEASE-RESET, DISCARD.   Cost: O(1).

        A waiter gets it directly. If the resource is worn, too old, retired, surplus or of an older generation, or
        the pool is closing, it is destroyed instead. A reset or destruction runs here unless the pool has an executor
        for it. If interrupted, the lease is ended all the same, and the interruption goes on.

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        driver, slot, record = self._driver, self._slot, self._record
        try:
            while self._reset is None and driver.observer is None:
                state = driver.atom.value
                if slot.record is not record:
                    break
                quick = core.release_quiet(state, driver.options, slot, record, driver.monotonic())
                if quick is None:
                    break
                if driver.swap(state, quick[0], slot, quick[1]):
                    self._ended = (RELEASED, driver.runtime.who())
                    return
            self._release_slowly()
        except StaleLease:
            raise
        except BaseException:
            if self.held:
                self._release_slowly()
            raise

    def discard(self) -> None:
        """End the lease and have the resource destroyed: it is broken.   Rows: DISCARD.   Cost: O(1).

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        try:
            if self._driver.settle(self._slot, self._record, core.discard) is None:
                self._raise_stale()
        except StaleLease:
            raise
        except BaseException:
            self._driver.settle(self._slot, self._record, core.discard)
            raise
        self._end(DISCARDED)

    def detach(self) -> R:
        """End the lease and keep the resource: it leaves the pool for good, undestroyed.   Rows: DETACH.
        Cost: O(1).

        Returns:
            The resource, which is the caller's now. The pool may build another in its place.
        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        resource: R = self._slot.resource
        if self._driver.settle(self._slot, self._record, core.detach) is None:
            self._raise_stale()
        self._driver.registry.discharge(self._slot)
        self._end(DETACHED)
        return resource

    def __enter__(self) -> R:
        return self.resource

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._ended is None and not self._left_behind():
                self.release()
        elif self.held:
            (self.discard if self._interrupted_by(kind) else self.release)()

    def _interrupted_by(self, kind: type[BaseException]) -> bool:
        """Whether this exception interrupted the resource in mid-use, so that nobody knows its state."""
        kinds = self._driver.settings.discard_on
        return not issubclass(kind, Exception) if kinds is None else issubclass(kind, kinds)

    def _release_slowly(self) -> None:
        driver = self._driver
        self._slot.reset = self._reset if self.held else self._slot.reset
        resets = self._reset is not None or driver.options.reset
        if driver.settle(self._slot, self._record, core.release, reset=resets) is None:
            self._raise_stale()
        self._end(RELEASED)

    def _end(self, how: str) -> None:
        self._ended = (how, self._driver.runtime.who())
        self._driver.tend()

    def _left_behind(self) -> bool:
        """Whether this process is a child that inherited the lease by a fork: it is the parent's to end."""
        return self._slot.record.mark == FORKED

    def _raise_stale(self) -> NoReturn:
        driver = self._driver
        mark = self._slot.record.mark
        what = f"lease {self.number} of pool {driver.settings.name!r}"
        if self._ended is not None:
            how, who = self._ended
            raise StaleLease(
                f"{what} was already {how} by {driver.runtime.name_of(who)}; "
                "keep the lease inside its with block [LEASE-ONCE]"
            )
        if mark == REVOKED and self._slot.record.number == self.number:
            raise LeaseRevoked(f"{what} was revoked: it was held for too long, or at a forced close [LEASE-REVOKED]")
        if mark == FORKED:
            raise StaleLease(f"{what} belongs to the parent process, which is to end it [FORK-SAFE]")
        raise StaleLease(f"{what} was already ended [LEASE-ONCE]")

    def _abandon(self) -> bool:
        """Give the slot back without running anything of the user's but the observer; whether there was need."""
        if not self.held:
            return False
        driver = self._driver
        self._slot.reset = self._reset
        resets = self._reset is not None or driver.options.reset
        return driver.settle(self._slot, self._record, core.abandon, reset=resets) is not None

    def __del__(self) -> None:
        # Whatever strikes in here is dropped by the interpreter, so try until the slot is given back.
        abandoned = False
        while self.held:
            try:
                abandoned = self._abandon()
            except BaseException:
                continue
        if abandoned:
            warnings.warn(
                f"{self!r} was collected without having been ended; its slot was given back [LEASE-ABANDONED]",
                PoolWarning,
                source=self,
                stacklevel=1,
            )

    def __repr__(self) -> str:
        state = "held" if self.held else self._ended[0] if self._ended else "ended"
        return f"<Lease {self.number} of pool {self._driver.settings.name!r} {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a lease cannot be copied or pickled: it can be ended only once [LEASE-ONCE]")


