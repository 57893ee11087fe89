"""Poolproof's own pool, spoilt on purpose: one promise at a time that the plain pool does not make at all."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from poolproof import CheckFailed, Lease
from poolproof.conformance import PoolSpec
from poolproof.conformance.suite.own import Own


class Altered:
    """A spec of which some options are other than they were asked for."""

    def __init__(self, spec: PoolSpec, **other: Any) -> None:
        self.spec = spec
        self.other = other

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.spec, name)
        return self.other.get(name, asked)


def without(name: str, value: Any = None) -> type[Own]:
    """A pool that takes an option and ignores it."""

    def init(self: Own, spec: PoolSpec) -> None:
        Own.__init__(self, Altered(spec, **{name: value}))  # type: ignore[arg-type]

    return type("Without", (Own,), {"__init__": init})


def ignoring(name: str) -> type[Own]:
    """A pool one of whose operations does nothing."""

    def init(self: Own, spec: PoolSpec) -> None:
        Own.__init__(self, spec)
        setattr(self, name, lambda *arguments: None)

    return type("Ignoring", (Own,), {"__init__": init})


class AddsCopies(Own):
    """Takes in the same object twice, in a box."""

    def __init__(self, spec: PoolSpec) -> None:
        super().__init__(spec)
        self.add = lambda resource: self.pool.add([resource])


class DestroysDetached(Own):
    def __init__(self, spec: PoolSpec) -> None:
        super().__init__(spec)
        self.destroy = spec.destroy

    def detach(self, lease: Lease[Any]) -> Any:
        resource = lease.detach()
        assert self.destroy is not None
        self.destroy(resource)
        return resource


class Reverses(Own):
    def __init__(self, spec: PoolSpec) -> None:
        other = {"lifo": "fifo", "fifo": "lifo", None: "lifo"}[spec.order]
        super().__init__(Altered(spec, order=other))  # type: ignore[arg-type]


class CheckCostsTurn(Own):
    def __init__(self, spec: PoolSpec) -> None:
        check, self.failed = spec.check, False

        def looks(resource: Any) -> bool:
            try:
                good = check is None or check(resource)
            except Exception:
                good = False
            self.failed = self.failed or not good
            return good

        super().__init__(Altered(spec, check=looks))  # type: ignore[arg-type]

    def acquire(self, timeout: float | None) -> Lease[Any]:
        lease = super().acquire(timeout)
        if self.failed:
            self.failed = False
            lease.release()
            raise CheckFailed("the resource was bad")
        return lease


class TriesForEver(Own):
    def acquire(self, timeout: float | None) -> Lease[Any]:
        while True:
            try:
                return super().acquire(timeout)
            except CheckFailed:
                continue


class ResetsLate(Own):
    """Runs the reset when it likes: after the next holder has the resource."""

    def __init__(self, spec: PoolSpec) -> None:
        self.late = spec.reset
        super().__init__(Altered(spec, reset=None))  # type: ignore[arg-type]

    def release(self, lease: Lease[Any]) -> None:
        resource = lease.resource
        lease.release()
        if self.late is not None:
            self.late(resource)


class EatsTheList(Own):
    def __init__(self, spec: PoolSpec) -> None:
        super().__init__(spec)
        if isinstance(spec.resources, list):
            spec.resources.clear()


class LeavesRuins(Own):
    def __init__(self, spec: PoolSpec) -> None:
        create, size = spec.create, spec.min_size or 0
        built = [create() for _ in range(size)] if create is not None else []
        super().__init__(Altered(spec, min_size=0, resources=[*spec.resources, *built]))  # type: ignore[arg-type]


class Miscounts(Own):
    waited = 0

    def acquire(self, timeout: float | None) -> Lease[Any]:
        self.waited += 1
        lease = super().acquire(timeout)
        self.waited -= 1
        return lease

    def stats(self) -> dict[str, Any]:
        return {**super().stats(), "waiting": self.waited}


class Serial(Own):
    """One operation at a time, callbacks included."""

    def __init__(self, spec: PoolSpec) -> None:
        super().__init__(spec)
        self.turn = threading.Lock()

    def acquire(self, timeout: float | None) -> Lease[Any]:
        with self.turn:
            return super().acquire(timeout)

    def release(self, lease: Lease[Any]) -> None:
        with self.turn:
            super().release(lease)


class Unstoppable(Own):
    """Goes on whatever strikes."""

    def release(self, lease: Lease[Any]) -> None:
        with contextlib.suppress(BaseException):
            super().release(lease)


class KeepsSlot(Own):
    """Detached resources still count."""

    def detach(self, lease: Lease[Any]) -> Any:
        return lease.resource


class LosesUnclean(ResetsLate):
    """What cannot be reset is kept, and its slot with it."""

    def release(self, lease: Lease[Any]) -> None:
        if self.late is not None:
            self.late(lease.resource)
        lease.release()


class LeaksUnchecked(Own):
    """Checks what it has acquired, and is not prepared for a check that raises."""

    def __init__(self, spec: PoolSpec) -> None:
        self.look = spec.check
        self.lost: list[Lease[Any]] = []
        super().__init__(Altered(spec, check=None))  # type: ignore[arg-type]

    def acquire(self, timeout: float | None) -> Lease[Any]:
        lease = super().acquire(timeout)
        self.lost.append(lease)
        if self.look is not None:
            self.look(lease.resource)
        self.lost.pop()
        return lease
