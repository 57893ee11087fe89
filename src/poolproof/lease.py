"""A lease: the right to use one resource, until it is ended once."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from poolproof import core
from poolproof.core.values import REVOKED, PlainRecord, Slot, Step, current_record, read
from poolproof.driver import Driver
from poolproof.errors import LeaseRevoked, PoolWarning, StaleLease
from poolproof.messages import acquired_at, describe

R = TypeVar("R")


class BaseLease(Generic[R]):
    """What every lease is, whatever ends it: the hold on a slot, the resource, and the finalizer."""

    # The lease holds its slot as long as the very record it was granted stands in the slot's register. Nothing else
    # is needed to make it one-shot: the commit that ends it replaces the record [LEASE-ONCE].
    __slots__ = ("__weakref__", "_driver", "_record", "_slot")

    # Whoever is granted a slot makes its lease by a bare `Lease()` and three assignments, the slot last: CPython takes
    # 90 ns longer to call an __init__ that does the same.
    _driver: Driver
    _record: PlainRecord
    _slot: Slot

    @property
    def number(self) -> int:
        """The number of this lease, unique in its pool; holders, messages and traces name it."""
        return self._record[4]

    @property
    def held(self) -> bool:
        """Whether the lease has not been ended, revoked or lost to a fork yet."""
        return current_record(self._slot, self._record) is not None and not self._driver.inherited(self._slot)

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

    def _revoked(self) -> bool:
        """Whether the pool took the slot from this very lease. A revoked slot is never granted again."""
        last = read(self._slot)
        return last.mark == REVOKED and last.number == self.number

    def _interrupted_by(self, kind: type[BaseException]) -> bool:
        """Whether this exception interrupted the resource in mid-use, so that nobody knows its state."""
        kinds = self._driver.settings.discard_on
        return not issubclass(kind, Exception) if kinds is None else issubclass(kind, kinds)

    def _end(self, row: Callable[..., Step], **extra: Any) -> None:
        """End the lease by this row of the core, whatever interrupts."""
        try:
            if self._driver.settle(self._slot, self._record, row, **extra) is None:
                self._raise_stale()
        except StaleLease:
            raise
        except BaseException:
            self._driver.settle(self._slot, self._record, row, **extra)
            raise

    def _take_out(self) -> R:
        """End the lease; the slot is gone, and the resource is the caller's."""
        resource: R = self._slot.resource
        if self._driver.settle(self._slot, self._record, core.detach) is None:
            self._raise_stale()
        self._driver.registry.discharge(self._slot)
        return resource

    def _raise_stale(self) -> NoReturn:
        driver = self._driver
        who = driver.runtime.name_of(self._record[3])
        if driver.inherited(self._slot):  # and so it has no place in the counts of this process
            what = f"lease {self.number} of pool {driver.settings.name!r}, acquired by {who},"
            raise StaleLease(f"{what} belongs to the parent process, which is to end it [FORK-LEASES]")
        what = f"lease {self.number} of {describe(driver)}, acquired by {who},"
        if self._revoked():
            raise LeaseRevoked(f"{what} was revoked: it was held for too long, or at a forced close [LEASE-REVOKED]")
        raise StaleLease(f"{what} was already ended; keep the lease inside its with block [LEASE-ONCE]")

    def _abandon(self) -> bool:
        """Give the slot back without running anything of the user's but the observer; whether there was need."""
        if not self.held:
            return False
        return self._driver.settle(self._slot, self._record, core.abandon, reset=self._resets()) is not None

    def _resets(self) -> bool:
        """Whether the resource has to be reset before it is used again."""
        return self._driver.options.reset

    def __del__(self) -> None:
        try:
            slot = self._slot
        except AttributeError:  # it was interrupted before it had one
            return
        if slot.record is self._record or slot.record[5] is not None:
            self._driver.finalize(self._collected)

    def _collected(self) -> None:
        # Whatever strikes in a finalizer is dropped by the interpreter, so try until the slot is given back.
        abandoned, struck = False, None
        for _ in range(100):
            try:
                if not self.held:
                    break
                abandoned = self._abandon()
            except BaseException as error:
                struck = error
        if struck is not None:
            self._driver.complain("a finalizer was interrupted", struck)
        if abandoned and not sys.is_finalizing():  # at the end of the process, nobody forgot anything
            who = self._driver.runtime.name_of(self._record[3])
            seconds = self._driver.monotonic() - self._record[2]
            warnings.warn(
                f"lease {self.number} of pool {self._driver.settings.name!r}, acquired by {who} {seconds:.3g} s ago, "
                "was collected without having been ended; its slot was given back [LEASE-ABANDONED]"
                f"{acquired_at(self._driver, self.number)}",
                PoolWarning,
                source=self,
                stacklevel=1,
            )

    def __repr__(self) -> str:
        state = "held" if self.held else "revoked" if self._revoked() else "ended"
        return f"<Lease {self.number} of pool {self._driver.settings.name!r} {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a lease cannot be copied or pickled: it can be ended only once [LEASE-ONCE]")


class Lease(BaseLease[R]):
    """The right to use one resource of a pool. As a context manager it gives the resource and ends itself.

    End it exactly once, by `release`, `discard`, `detach` or a ``with`` block, from any thread. A lease that is
    collected without having been ended gives its slot back and warns [LEASE-ABANDONED].
    """

    __slots__ = ()

    def release(self) -> None:
        """Give the resource back for the next one to use.   Rows: RELEASE, RELEASE-RESET, DISCARD.   Cost: O(1).

        A waiter gets it directly. If the resource is worn, too old, retired, surplus or of an older generation, or
        the pool is closing, it is destroyed instead. A reset or destruction runs here unless the pool has an executor
        for it. If interrupted, the lease is ended all the same, and the interruption goes on.

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        driver, slot, record, quick = self._driver, self._slot, self._record, None
        # In variables, because CPython takes 35 ns longer to call what stands in an instance.
        atom, options, release_quiet = driver.atom, driver.options, driver.release_quiet
        leave = atom.leave
        try:
            while True:
                state = atom.value  # first: whoever changes the register afterwards changes the state too
                if slot.record is not record:
                    break
                # Where nothing ages, nobody asks when the slot was freed.
                quick = release_quiet(state, options, slot, record, driver.monotonic() if options.ages else record[2])
                if quick is None:
                    break
                new, freed = quick
                for _ in atom.turns:  # the commit, as in ThreadAtom
                    if atom.value is state:
                        slot.record = freed
                        atom.value = new
                        leave()
                        return
                    leave()
                    break
            self._release_slowly()
        except StaleLease:
            raise
        except BaseException:
            if quick is not None:
                atom.recover(quick[0], ((slot, quick[1]),))
            if self.held:
                self._release_slowly()
            raise

    def discard(self) -> None:
        """End the lease and have the resource destroyed: it is broken.   Rows: DISCARD.   Cost: O(1).

        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        self._end(core.discard)
        self._driver.tend()

    def detach(self) -> R:
        """End the lease and keep the resource: it leaves the pool for good, undestroyed.   Rows: DETACH.
        Cost: O(1).

        Returns:
            The resource, which is the caller's now. The pool may build another in its place.
        Raises:
            StaleLease: the lease was ended already; nothing was changed [LEASE-ONCE].
            LeaseRevoked: the pool had taken the resource back; nothing was changed [LEASE-REVOKED].
        """
        resource = self._take_out()
        self._driver.tend()
        return resource

    def __enter__(self) -> R:
        slot = self._slot
        resource: R = slot.resource
        return resource if slot.record is self._record else self.resource

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self.release()
            except StaleLease:
                if self._revoked():
                    raise  # and no word if it was ended inside the block
            return
        with contextlib.suppress(StaleLease):  # the exception by which the block is left says more
            (self.discard if self._interrupted_by(kind) else self.release)()

    def _release_slowly(self) -> None:
        self._end(core.release, reset=self._resets())
        self._driver.tend(thoroughly=False)


class ResettingLease(Lease[R]):
    """A lease with a reset of its own, which stands in its slot and is used instead of the pool's."""

    __slots__ = ()

    def release(self) -> None:
        self._release_slowly()

    def _resets(self) -> bool:
        return True
