"""The errors of a pool. Each names the pool, its counts, who and since when, and the clause of the spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class PoolError(Exception):
    """The base of every error that the pool itself raises."""

    # A token of the pool that refused an acquire: tells its errors from those of another pool that create used.
    of: object = None


class AcquireTimeout(PoolError, TimeoutError):
    """The deadline passed while waiting, or nothing was to be had at once with timeout 0 [WAIT-DEADLINE].

    The counts in the message are those of the moment when it was raised. Who has held a resource for longest takes a
    look at every slot, so that is left until somebody reads the message: it names the longest holder of then who
    holds it still. Thousands of deadlines that pass at once, and callers that only want to know whether, do not pay
    for it. `args` gets it at the first reading, too; a copy and a pickle hold the whole message. The error does not
    keep the pool alive.
    """

    # What the message is to tell besides, until it is read.
    besides: Callable[[], str] | None = None

    def __str__(self) -> str:
        besides, self.besides = self.besides, None
        if besides is not None:
            text, bracket, clause = super().__str__().rpartition(" [")
            self.args = (f"{text}{besides()}{bracket}{clause}",)
        return super().__str__()

    def __reduce__(self) -> str | tuple[Any, ...]:
        str(self)
        return super().__reduce__()


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


class WrongLoop(PoolError, RuntimeError):
    """This pool belongs to another event loop, or there is none to wait in [LOOP-OWN]."""
