"""The adapter of poolproof's own pool: an example, and what this project runs the suite on."""

from __future__ import annotations

from typing import Any

from poolproof import AcquireTimeout, Lease, Pool, PoolClosed, StaleLease
from poolproof.conformance.suite.adapter import Adapter, PoolSpec


class Own(Adapter):
    """`poolproof.Pool`."""

    timeout_error = AcquireTimeout
    closed_error = PoolClosed
    misuse_error = StaleLease

    def __init__(self, spec: PoolSpec) -> None:
        self.pool: Pool[Any] = Pool(
            spec.create, resources=spec.resources, destroy=spec.destroy, check=spec.check, reset=spec.reset,
            max_size=spec.max_size, min_size=spec.min_size or 0, max_uses=spec.max_uses, max_age=spec.max_age,
            max_waiting=spec.max_waiting, order=spec.order or "lifo",
        )  # fmt: skip
        for name in ("add", "remove", "resize", "close", "expire_all", "maintain"):
            setattr(self, name, getattr(self.pool, name))

    def acquire(self, timeout: float | None) -> Lease[Any]:
        return self.pool.acquire(timeout)

    def release(self, lease: Lease[Any]) -> None:
        lease.release()

    def resource(self, lease: Lease[Any]) -> Any:
        return lease.resource

    def discard(self, lease: Lease[Any]) -> None:
        lease.discard()

    def detach(self, lease: Lease[Any]) -> Any:
        return lease.detach()

    def stats(self) -> dict[str, Any]:
        stats = self.pool.stats()
        return {name: getattr(stats, name) for name in ("live", "free", "checked_out", "waiting")}


make_pool = Own
