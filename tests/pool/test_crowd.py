"""Many threads at once, real time, no plan: nothing that must never happen happens."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pool.rig import Call, Thing, complaints
from poolproof import AcquireTimeout, CheckFailed, DuplicateResource, Pool, PoolError


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Yard:
    """Counts who uses what, and how much exists."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.guard = threading.Lock()
        self.existing = 0
        self.using: set[int] = set()
        self.destroyed: set[int] = set()
        self.faults: list[str] = []
        self.kept: list[Thing] = []

    def create(self) -> Thing:
        with self.guard:
            if self.existing >= self.limit:
                self.faults.append("CAPACITY")
            self.existing += 1
            self.kept.append(Thing())
            thing = self.kept[-1]
        if random.random() < 0.1:
            with self.guard:
                self.existing -= 1
            raise OSError("down")
        return thing

    def destroy(self, thing: Any) -> None:
        with self.guard:
            self.existing -= 1
            if id(thing) in self.destroyed or id(thing) in self.using:
                self.faults.append("DESTROY-ONCE")
            self.destroyed.add(id(thing))
        if random.random() < 0.1:
            raise OSError("stuck")

    def use(self, thing: Any) -> None:
        with self.guard:
            if id(thing) in self.using or id(thing) in self.destroyed:
                self.faults.append("EXCLUSIVE")
            self.using.add(id(thing))

    def leave(self, thing: Any) -> None:
        with self.guard:
            self.using.discard(id(thing))

    def touch(self, thing: Any) -> bool:
        self.use(thing)
        self.leave(thing)
        return random.random() > 0.05


@pytest.mark.usefixtures("hurried")
@pytest.mark.clause("EXCLUSIVE", "CAPACITY", "CONSERVATION", "DESTROY-ONCE", "COUNTS-RECOUNT", "WAIT-ENDS")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
@pytest.mark.parametrize("where", ["here", "executor"])
def test_a_crowd_breaks_nothing(where: str, order: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "poolproof")
    yard = Yard(limit=3)
    executor = ThreadPoolExecutor(2) if where == "executor" else None
    pool: Pool[Thing] = Pool(
        yard.create, destroy=yard.destroy, check=yard.touch, reset=yard.touch, max_size=3, min_size=0, max_uses=7,
        max_free=2, order=order, executor=executor,
    )  # fmt: skip

    def work(seed: int) -> int:
        chance, served = random.Random(seed), 0
        for _ in range(60):
            try:
                lease = pool.acquire(chance.choice([0, 0.001, 20, None]))
            except (AcquireTimeout, CheckFailed, OSError):
                continue
            thing = lease.resource
            yard.use(thing)
            served += 1
            yard.leave(thing)
            (lease.discard if chance.random() < 0.1 else lease.release)()
        return served

    def meddle() -> None:
        for number in range(60):
            (pool.maintain, pool.expire_all, lambda: pool.resize(1), lambda: pool.resize(3))[number % 4]()
            assert pool.stats().live >= 0

    calls: list[Call[Any]] = [*(Call(lambda seed=seed: work(seed)) for seed in range(6)), Call(meddle)]  # type: ignore[misc]
    for call in calls:
        call.result()
    if executor is not None:
        executor.shutdown()
    pool.maintain()
    assert [] == yard.faults == complaints(pool)
    assert 0 == pool.stats().checked_out == pool.stats().waiting
    assert pool.close().closed
    assert 0 == yard.existing


@pytest.mark.usefixtures("hurried")
@pytest.mark.clause("NO-DUPLICATES", "LEASE-ONCE", "DETACH-KEEPS", "REMOVE-LEAVES", "CLOSE-TERMINATES")
def test_resources_that_come_and_go_are_never_held_twice() -> None:
    things = [Thing() for _ in range(3)]
    pool: Pool[Thing] = Pool(resources=things)
    held: set[int] = set()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(80):
            try:
                if chance.random() < 0.3:
                    pool.add(chance.choice(things))
                lease = pool.acquire(0)
                thing = lease.resource
                assert id(thing) not in held
                held.add(id(thing))
                held.remove(id(thing))
                if chance.random() < 0.3:
                    lease.detach()
                else:
                    lease.release()
                if chance.random() < 0.1:
                    pool.remove(thing)
            except (DuplicateResource, PoolError):
                continue

    calls = [Call(lambda seed=seed: work(seed)) for seed in range(5)]  # type: ignore[misc]
    for call in calls:
        call.result()
    assert [] == complaints(pool)
    assert pool.close().closed
