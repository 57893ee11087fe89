"""poolproof: the resource pool that correctness-critical code can rely on."""

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
)
from poolproof.lease import Lease
from poolproof.pool import Pool
from poolproof.reports import CloseReport, Holder, PoolEvent, PoolStats

__all__ = [
    "AcquireTimeout",
    "CheckFailed",
    "CloseReport",
    "DuplicateResource",
    "Holder",
    "Lease",
    "LeaseRevoked",
    "NotPooled",
    "Pool",
    "PoolBusy",
    "PoolClosed",
    "PoolEmpty",
    "PoolError",
    "PoolEvent",
    "PoolFull",
    "PoolStats",
    "PoolWarning",
    "StaleLease",
]

__version__ = "0.1.0"
