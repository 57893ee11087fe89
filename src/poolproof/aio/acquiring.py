"""What `AsyncPool.acquire` returns."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from poolproof.aio.lease import AsyncLease
from poolproof.aio.options import Maybe

if TYPE_CHECKING:
    from poolproof.aio.pool import AsyncPool

R = TypeVar("R")


class Acquiring(Generic[R]):
    """An acquire that begins when it is awaited: ``await`` gives the lease, ``async with`` gives the resource and
    ends the lease. Await it once; one that is never awaited warns as a coroutine does."""

    __slots__ = ("_lease", "_pool", "_reset", "_timeout")

    _lease: AsyncLease[R]
    _pool: AsyncPool[R] | None
    _reset: Callable[[R], Maybe] | None
    _timeout: float | None

    def __await__(self) -> Generator[Any, None, AsyncLease[R]]:
        pool = self._begin()
        lease = pool._at_once() if self._reset is None else None
        if lease is None:
            lease = yield from pool._slowly(self._timeout, self._reset).__await__()
        return lease

    async def __aenter__(self) -> R:
        pool = self._begin()
        lease = pool._at_once() if self._reset is None else None
        self._lease = await pool._slowly(self._timeout, self._reset) if lease is None else lease
        return self._lease.resource if lease is None else lease._slot.resource

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lease = self._lease
        if kind is not None or not lease._end_at_once():
            await lease.__aexit__(kind, error, trace)

    def _begin(self) -> AsyncPool[R]:
        pool, self._pool = self._pool, None
        if pool is None:
            raise RuntimeError("this acquire was awaited already")
        return pool

    def __del__(self) -> None:
        if self._pool is not None:
            warnings.warn(
                f"an acquire of pool {self._pool.name!r} was never awaited",
                RuntimeWarning,
                source=self,
                stacklevel=2,
            )
