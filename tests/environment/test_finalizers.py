"""Leases that the collector ends: in the middle of any operation, and those that were forgotten."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, ClassVar

import pytest

from environment.rig import Maker, StagedRuntime, Thing, Thread, at_rest, complaints, quiet_surroundings, reached
from poolproof import AcquireTimeout, Lease, Pool, PoolEvent, PoolWarning

ROUNDS = 3_000


class Holder:
    """Garbage in a cycle that ends a lease, itself no garbage, when it is collected."""

    leases: ClassVar[dict[int, Lease[Thing]]] = {}

    def __init__(self, lease: Lease[Thing], how: Callable[[Lease[Thing]], object]) -> None:
        self.me = self
        self.how = how
        self.leases[id(self)] = lease

    def __del__(self) -> None:
        self.how(self.leases.pop(id(self)))


@contextmanager
def collecting_always() -> Iterator[None]:
    """The collector runs at every allocation that it watches, and has few objects to look at."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(1, 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def acquire_and_release(pool: Pool[Thing]) -> None:
    lease = pool.try_acquire()
    if lease is not None:
        lease.release()


def acquire_in_vain(pool: Pool[Thing]) -> None:
    leases = [lease for _ in range(4) if (lease := pool.try_acquire())]
    for lease in leases:
        lease.release()


def use_and_discard(pool: Pool[Thing]) -> None:
    lease = pool.try_acquire()
    if lease is not None:
        lease.discard()


def use_and_detach(pool: Pool[Thing]) -> None:
    lease = pool.try_acquire()
    if lease is not None:
        lease.detach()


def resize(pool: Pool[Thing]) -> None:
    pool.resize(2)
    pool.resize(4)


def look(pool: Pool[Thing]) -> None:
    pool.stats()
    pool.holders()


OPERATIONS: list[Callable[[Pool[Thing]], object]] = [
    acquire_and_release, acquire_in_vain, use_and_discard, use_and_detach, resize, look,
    Pool.maintain, Pool.expire_all,
]  # fmt: skip
# The last ends it by forgetting it.
ENDS: list[Callable[[Lease[Thing]], object]] = [Lease.release, Lease.discard, Lease.__repr__]


@pytest.mark.clause("GC-SAFE", "LEASE-ABANDONED", "COUNTS-RECOUNT")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
@pytest.mark.parametrize("options", [{}, {"reset": lambda thing: None, "observer": lambda event: None}])
def test_lease_ended_by_the_collector_in_any_operation(
    operation: Callable[[Pool[Thing]], object], options: dict[str, Any]
) -> None:
    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=4, **options)
    dropped = 0
    with quiet_surroundings() as unraisable, collecting_always():
        for turn in range(ROUNDS):
            lease = pool.try_acquire()
            if lease is not None:
                Holder(lease, ENDS[turn % len(ENDS)])
                dropped += 1
            del lease
            operation(pool)
        gc.collect()
    pool.maintain()
    assert [] == unraisable
    assert dropped > ROUNDS // 4
    assert {} == Holder.leases
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


@pytest.mark.clause("LEASE-ABANDONED")
def test_forgotten_lease_is_reported_and_its_slot_free_again() -> None:
    events: list[PoolEvent] = []
    maker = Maker()
    pool = Pool(resources=maker.several(1), destroy=maker.destroy, observer=events.append, name="db")
    with pytest.warns(PoolWarning, match=r"lease 1 of pool 'db', acquired by \w+ .* s ago, .*LEASE-ABANDONED"):
        pool.acquire()
    assert [] == at_rest(pool)
    assert ["GRANT-FREE", "RELEASE"] == [fired.row for event in events for fired in event.fired]


@pytest.mark.clause("LEASE-ABANDONED", "RESET-BEFORE-REUSE")
@pytest.mark.parametrize("own", [False, True], ids=["the pool's reset", "a reset of its own"])
def test_forgotten_lease_is_reset_by_the_next_operation_and_not_in_the_finalizer(own: bool) -> None:
    def reset(thing: Thing) -> None:
        resets.append(thing)

    resets: list[Thing] = []
    maker = Maker()
    [thing] = maker.several(1)
    pool = Pool(resources=[thing], reset=None if own else reset)
    with pytest.warns(PoolWarning):
        pool.acquire(reset=reset if own else None)
    assert [] == resets
    assert [] == complaints(pool)
    lease = pool.acquire(0)
    assert lease.resource is thing
    assert [thing] == resets
    lease.detach()


@pytest.mark.clause("LEASE-ABANDONED", "FAILURE-PROGRESS")
@pytest.mark.parametrize("own", [False, True], ids=["the pool's reset", "a reset of its own"])
@pytest.mark.parametrize("reset", [None, lambda thing: None], ids=["no reset", "reset"])
def test_waiter_is_served_by_a_forgotten_lease(reset: Callable[[Thing], object] | None, own: bool) -> None:
    asleep, maker, runtime = Event(), Maker(), StagedRuntime()
    pool = Pool(resources=maker.several(1), reset=None if own else reset, runtime=runtime)
    runtime.before_park = asleep.set
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PoolWarning)
        lease = pool.acquire(0, reset=reset if own else None)
        waiter = Thread(lambda: pool.acquire().release())
        reached(asleep)
        del lease
        gc.collect()
        waiter.join()
    assert [] == at_rest(pool)


@pytest.mark.clause("LEASE-ABANDONED", "GC-SAFE")
def test_finalizer_may_acquire() -> None:
    """A finalizer that acquires, runs in the middle of an acquire that finds nothing."""

    class Greedy:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            try:
                pool.acquire(0).release()
            except AcquireTimeout:
                refused.append(True)

    maker, refused = Maker(), list[bool]()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1)
    with collecting_always():
        for _ in range(ROUNDS // 10):
            Greedy()
            pool.acquire(0).release()
    gc.collect()
    assert [] == at_rest(pool)
    assert [] == refused or all(refused)
