"""The options of `AsyncPool` once more, for type checkers: so they can tell what a coroutine function creates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypedDict, TypeVar

from poolproof.reports import PoolEvent
from poolproof.runtime.aio import AsyncRuntime

R = TypeVar("R")
Maybe = Awaitable[object] | object


class AsyncPoolOptions(TypedDict, Generic[R], total=False):
    """See `AsyncPool`."""

    resources: Iterable[R] | None
    destroy: Callable[[R], Maybe] | None
    check: Callable[[R], Maybe] | None
    reset: Callable[[R], Maybe] | None
    max_size: int | None
    min_size: int
    max_free: int | None
    shrink_to: int | None
    max_age: float | None
    max_age_jitter: float
    max_idle: float | None
    max_uses: int | None
    max_lease: float | None
    revoke_overdue: bool
    max_waiting: int | None
    timeout: float | None
    order: str
    when_empty: str
    discard_on: Iterable[type[BaseException]] | None
    retry_delay: float
    retry_delay_max: float
    housekeeping: float | None
    name: str | None
    observer: Callable[[PoolEvent], Maybe] | None
    runtime: AsyncRuntime | None
