"""Adapters of the page, right and wrong. Each wrong one is named after what is wrong with it."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from conformance_patched.page import CLOSED, Closed, Lease, Pool, Stale, Timeout
from poolproof.conformance.suite.adapter import Adapter, PoolSpec


class Right(Adapter):
    timeout_error, closed_error, misuse_error = Timeout, Closed, Stale
    pool_class: ClassVar[type[Pool]] = Pool

    def __init__(self, spec: PoolSpec) -> None:
        assert spec.create is not None
        self.pool = self.pool_class(spec.create, spec.destroy or (lambda resource: None), spec.max_size)
        self.release, self.discard, self.close = self.pool.release, self.pool.discard, self.pool.close  # type: ignore[method-assign]

    def acquire(self, timeout: float | None) -> Lease:
        return self.pool.acquire(timeout)

    def resource(self, lease: Lease) -> Any:
        return lease.resource


def adapter(pool_class: type[Pool], **more: Any) -> type[Right]:
    return type(pool_class.__name__, (Right,), {"pool_class": pool_class, **more})


class LostNotify(Pool):
    def release(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
            self.free.append(lease.resource)


class NotifyBeforeUpdate(Pool):
    def release(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
            self.balance()
        with self.changed:
            self.free.append(lease.resource)


class IfForWhile(Pool):
    """One wait, and then it takes what it expects to be there."""

    def acquire(self, timeout: float | None = None) -> Lease:
        with self.changed:
            if not self.free and self.live >= self.limit:
                self.changed.wait(timeout)
            if self.live >= self.limit:
                return Lease(self.free.pop())
            self.live += 1
        return Lease(self.build())


class CheckOutsideLock(Pool):
    """Whether there is room is looked up before the lock is taken."""

    def acquire(self, timeout: float | None = None) -> Lease:
        if self.live < self.limit and not self.free:
            with self.changed:
                self.live += 1
            return Lease(self.build())
        return super().acquire(timeout)


class NoLock(Pool):
    """The free list is used without a lock: the last one is read, and later it is taken off."""

    def acquire(self, timeout: float | None = None) -> Lease:
        if self.free:
            resource = self.free[-1]
            self.free.remove(resource)
            return Lease(resource)
        return super().acquire(timeout)


class TwiceAccepted(Pool):
    def mark_ended(self, lease: Lease) -> None:
        return None


class TimeoutTakesOne(Pool):
    """A waiter whose time is up takes a free resource along."""

    def acquire(self, timeout: float | None = None) -> Lease:
        try:
            return super().acquire(timeout)
        except Timeout:
            with self.changed:
                if self.free:
                    self.free.pop()
            raise


class TrustsWait(Pool):
    """What wait() returns is taken for the whole truth: a notify that comes late is lost."""

    def acquire(self, timeout: float | None = None) -> Lease:
        with self.changed:
            while not self.free and self.live >= self.limit:
                if not self.changed.wait(timeout):
                    raise Timeout
            if self.free:
                return Lease(self.free.pop())
            self.live += 1
        return Lease(self.build())

    def release(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
            self.free.append(lease.resource)
            self.changed.notify()


class FailedCreateLeaks(Pool):
    def build(self) -> Any:
        return self.create()


class FailedCreateIsSilent(Pool):
    """The capacity comes back, and nobody is told."""

    def build(self) -> Any:
        try:
            return self.create()
        except BaseException:
            with self.changed:
                self.live -= 1
            raise


class CloseForgetsWaiters(Pool):
    def close(self) -> None:
        with self.changed:
            self.closed = True
            free, self.free = self.free, []
        for resource in free:
            self.end(resource)

    def balance(self) -> None:
        if not self.closed:
            super().balance()


class CloseForgetsBuilds(Pool):
    """What is being built when close is called is lent, and kept when it comes back."""

    def build(self) -> Any:
        try:
            return self.create()
        except BaseException:
            self.gone()
            raise

    def release(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
            self.free.append(lease.resource)
            self.balance()


class GrantAfterClose(Pool):
    """What was free when close was called stays, and is lent."""

    def refuse_if_closed(self) -> None:
        if self.closed and not self.free:
            raise Closed

    def close(self) -> None:
        with self.changed:
            self.closed = True
            while self.queue:
                self.queue.popleft().given = CLOSED
            self.changed.notify_all()


class DestroyUnderLock(Pool):
    def end(self, resource: Any) -> None:
        with self.changed:
            self.destroy(resource)
            self.live -= 1
            self.balance()


class CapacityBeforeDestroy(Pool):
    def end(self, resource: Any) -> None:
        self.gone()
        self.destroy(resource)


class CloseDestroysHeld(Pool):
    """Close destroys what it lent, too."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lent: list[Any] = []

    def acquire(self, timeout: float | None = None) -> Lease:
        lease = super().acquire(timeout)
        self.lent.append(lease.resource)
        return lease

    def close(self) -> None:
        super().close()
        for resource in self.lent:
            self.destroy(resource)


class DiscardKeeps(Pool):
    """The broken resource is destroyed, and goes back to the free list."""

    def discard(self, lease: Lease) -> None:
        self.destroy(lease.resource)
        self.release(lease)


class Barging(Pool):
    """Whoever comes first to what is free takes it; who waited longest does not matter."""

    def acquire(self, timeout: float | None = None) -> Lease:
        with self.changed:
            while not self.free and self.live >= self.limit:
                self.refuse_if_closed()
                self.changed.wait(timeout)
            self.refuse_if_closed()
            if self.free:
                return Lease(self.free.pop())
            self.live += 1
        return Lease(self.build())


class WaitsFirst(Pool):
    """Whoever brings a timeout waits for a notify, whether or not something is free."""

    def acquire(self, timeout: float | None = None) -> Lease:
        with self.changed:
            if timeout is not None and not self.changed.wait(timeout):
                raise Timeout
        return super().acquire(timeout)


class CloseSpins(Pool):
    """Close looks again and again whether everything has come back."""

    def close(self) -> None:
        super().close()
        while True:
            with self.changed:
                if self.live == 0:
                    return


class LockOrder(Pool):
    """Two locks, taken in one order here and in the other there."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.second = threading.Lock()

    def release(self, lease: Lease) -> None:
        with self.second:
            super().release(lease)

    def close(self) -> None:
        with self.changed, self.second:
            pass
        super().close()


class OneLine(Pool):
    """Whether something is there is asked, and it is taken, on one line without a lock."""

    def acquire(self, timeout: float | None = None) -> Lease:
        return Lease(self.free.pop()) if self.free else super().acquire(timeout)
