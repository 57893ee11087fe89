"""The errors of a pool. Each names the pool, its counts, who and since when, and the clause of the spec."""

from __future__ import annotations


class PoolError(Exception):
    """The base of every error that the pool itself raises."""

    # A token of the pool that refused an acquire: tells its errors from those of another pool that create used.
    of: object = None


class AcquireTimeout(PoolError, TimeoutError):
    """The deadline passed while waiting, or nothing was to be had at once with timeout 0 [WAIT-DEADLINE]."""


class PoolClosed(PoolError):
    """The pool is closing or closed [CLOSE-REFUSES]."""


class PoolEmpty(PoolError):
    """Nothing is in the pool, nothing can be built, and the pool is told to raise then [EMPTY-RAISES]."""


class PoolBusy(PoolError):
    """As many wait already as are allowed to [WAIT-BOUND]."""


class CheckFailed(PoolError):
    """A resource failed its check right after it was built [CHECK-TERMINATES]."""


class DuplicateResource(PoolError, ValueError):
    """This very object is in the pool already [IDENTITY-ONLY]."""


class NotPooled(PoolError, LookupError):
    """This object is not in the pool [REMOVE-LEAVES]."""


class StaleLease(PoolError):
    """The lease was ended already; nothing was changed [LEASE-ONCE]."""


class LeaseRevoked(StaleLease):
    """The pool had taken the resource back; nothing was changed [LEASE-REVOKED]."""


class PoolWarning(RuntimeWarning):
    """A lease was abandoned, or is held for longer than allowed [LEASE-ABANDONED]."""


class PoolFull(PoolError):
    """There is no room for one more resource [CAPACITY]."""
