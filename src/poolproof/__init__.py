"""poolproof: the resource pool that correctness-critical code can rely on."""

from typing import TYPE_CHECKING, Any

from poolproof.errors import (
    AcquireTimeout,
    CheckFailed,
    DuplicateResource,
    LeaseRevoked,
    NotPooled,
    PoolBusy,
    PoolClosed,
    PoolEmpty,
    PoolError,
    PoolFull,
    PoolWarning,
    StaleLease,
    WrongLoop,
)
from poolproof.lease import Lease
from poolproof.metrics import Metrics, PoolMetrics
from poolproof.pool import Pool
from poolproof.reports import CloseReport, Holder, Pooled, PoolEvent, PoolStats
from poolproof.tokens import Token, TokenPool

if TYPE_CHECKING:
    from poolproof.aio import AsyncLease, AsyncPool

__all__ = [
    "AcquireTimeout",
    "AsyncLease",
    "AsyncPool",
    "CheckFailed",
    "CloseReport",
    "DuplicateResource",
    "Holder",
    "Lease",
    "LeaseRevoked",
    "Metrics",
    "NotPooled",
    "Pool",
    "PoolBusy",
    "PoolClosed",
    "PoolEmpty",
    "PoolError",
    "PoolEvent",
    "PoolFull",
    "PoolMetrics",
    "PoolStats",
    "PoolWarning",
    "Pooled",
    "StaleLease",
    "Token",
    "TokenPool",
    "WrongLoop",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The pool for tasks, which alone needs asyncio, is imported when it is asked for."""
    if name in ("AsyncLease", "AsyncPool"):
        from poolproof import aio

        return getattr(aio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
