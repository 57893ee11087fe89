"""A pool of mere capacity: how many may do something at once."""

from __future__ import annotations

from collections.abc import Callable

from poolproof.pool import Pool
from poolproof.reports import PoolEvent
from poolproof.runtime import Runtime


class Token:
    """A place among a limited number. It stands for nothing else, and is equal to no other."""


class TokenPool(Pool[Token]):
    """Limits how many hold a token at the same time. Everything else is as in `Pool`: the order of waiting,
    timeouts, leases, `resize`, `stats`, `holders`, `close`.

    ``with limit.acquire():`` is all there is to it. A lease cannot be ended twice, so no mistake makes room that is
    not there, as a semaphore's second release does; and one that is forgotten gives its place back.

    Args:
        max_size: how many tokens there are; None means any number, which is then only counted.
        timeout: seconds that an acquire waits if it does not say; None waits without limit.
        max_waiting: how many may wait; None means any number.
        max_lease: seconds after which a lease is overdue; `maintain` warns of it.
        revoke_overdue: whether `maintain` revokes overdue leases instead.
        housekeeping: seconds between calls of `maintain` by a thread of the pool; None means no thread.
        name: what messages call the pool.
        observer: called with a `PoolEvent` after every commit.
        runtime: clock, parking and commit; default: operating system threads.
    Raises:
        TypeError, ValueError: an argument makes no sense [INPUTS-VALIDATED].
    """

    __slots__ = ()

    def __init__(
        self,
        max_size: int | None,
        *,
        timeout: float | None = None,
        max_waiting: int | None = None,
        max_lease: float | None = None,
        revoke_overdue: bool = False,
        housekeeping: float | None = None,
        name: str | None = None,
        observer: Callable[[PoolEvent], object] | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(
            Token, max_size=max_size, timeout=timeout, max_waiting=max_waiting, max_lease=max_lease,
            revoke_overdue=revoke_overdue, housekeeping=housekeeping, name=name, observer=observer, runtime=runtime,
        )  # fmt: skip
