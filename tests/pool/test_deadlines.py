"""A caller with a deadline, or with no time at all, is not kept by what others left undone."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Thing, Workshop
from poolproof import AcquireTimeout, Lease, Pool, PoolWarning

BACKLOG = 30


def leave_undone(pool: Pool[Any], count: int) -> None:
    """Forget leases of resources that are to be destroyed: nobody owns that work."""
    leases = [pool.acquire() for _ in range(count)]
    pool.expire_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PoolWarning)
        leases.clear()
    assert count == pool.stats().backlog


def in_no_time(acquire: Callable[[], object]) -> None:
    """It gives up, by an error or by None."""
    with suppress(AcquireTimeout):
        assert acquire() is None


@pytest.mark.clause("WAIT-DEADLINE", "BACKLOG-DRAINS")
def test_a_backlog_of_slow_work_does_not_outlast_a_deadline(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(resources=[Thing() for _ in range(BACKLOG)])
    leave_undone(pool, BACKLOG)
    shop.on_destroy = lambda _: clock.advance(1)
    before = clock.now
    with pytest.raises(AcquireTimeout):
        pool.acquire(2.5)
    # It helps while it would sleep anyway. The piece that it is at when its time is over is not cut short.
    assert (3, 3) == (clock.now - before, len(shop.destroyed))
    assert (BACKLOG - 3, 0) == (pool.stats().backlog, pool.stats().waiting)


@pytest.mark.clause("TIMEOUT-VALUES", "WAIT-DEADLINE")
@pytest.mark.parametrize("acquire", [Pool.try_acquire, lambda pool: pool.acquire(0)], ids=["try", "timeout 0"])
def test_a_caller_that_will_not_wait_does_one_piece_of_old_work_at_most(
    make: MakePool, shop: Workshop, acquire: Callable[[Pool[Any]], object]
) -> None:
    pool = make(resources=[Thing() for _ in range(BACKLOG)])
    leave_undone(pool, BACKLOG)
    in_no_time(lambda: acquire(pool))
    assert 1 == len(shop.destroyed)


@pytest.mark.clause("TIMEOUT-VALUES", "FAILURE-PROGRESS")
def test_a_caller_that_will_not_wait_is_served_by_the_one_piece_that_it_does(make: MakePool, shop: Workshop) -> None:
    pool = make(max_size=3)
    leave_undone(pool, 3)
    lease = pool.acquire(0)
    assert (1, 2) == (len(shop.destroyed), pool.stats().backlog)
    lease.release()


@pytest.mark.clause("BACKLOG-DRAINS")
def test_a_release_does_one_piece_of_old_work_at_most(make: MakePool, shop: Workshop) -> None:
    pool = make(resources=[Thing() for _ in range(BACKLOG + 1)])
    lease = pool.acquire()
    leave_undone(pool, BACKLOG)
    lease.release()
    assert 2 == len(shop.destroyed), "its own resource, and one that others left"
    assert BACKLOG - 1 == pool.stats().backlog


@pytest.mark.clause("TIMEOUT-VALUES", "NEVER-STALE")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
@pytest.mark.parametrize(
    ("options", "served"),
    [
        ({"max_age": 10}, False),
        ({"max_idle": 10}, False),
        ({"max_idle": 10, "builds": True, "min_size": 2}, True),
        ({"max_idle": 10, "builds": True, "min_size": 2, "check": lambda _: True}, True),
        ({"max_age": 10, "builds": True}, True),
        ({"max_age": 10, "builds": True, "max_size": 3}, True),
        ({"max_age": 10, "max_waiting": 0}, False),
        ({"max_age": 10, "when_empty": "raise", "builds": True, "observer": lambda _: None}, True),
    ],
    ids=["age", "idle", "kept", "kept and checked", "rebuilt", "full", "no waiting", "observed"],
)
def test_free_slots_that_are_all_too_old_end_in_an_answer(
    make: MakePool, shop: Workshop, clock: ClockRuntime, order: str, options: dict[str, Any], served: bool
) -> None:
    options = dict(options)
    create = shop.create if options.pop("builds", False) else None
    things = [Thing() for _ in range(3)]
    pool = make(create, resources=things, order=order, **options)
    clock.advance(11)
    lease = Call(pool.try_acquire).result()
    assert served == (lease is not None)
    if lease is not None:
        assert ("min_size" in options) == (lease.resource in things)
        lease.release()


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "check": {"check": lambda _: True},
    "busy": {"max_waiting": 0},
    "age": {"max_age": 50},
}


@pytest.mark.clause("TIMEOUT-VALUES", "ONE-OUTCOME")
@pytest.mark.parametrize("looks", [1, 2, 3, 4])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_free_slot_that_others_take_in_the_same_moment_ends_in_an_answer(
    make: MakePool, clock: ClockRuntime, looks: int, options: dict[str, Any]
) -> None:
    """Somebody else takes the only free slot just after it was seen, at the first look, the second, and so on."""

    def another_is_quicker() -> float:
        if left and left.pop() == "now":
            taken.append(Call(lambda: pool.acquire(0)).result())
        return clock.now

    left, taken = list[str](), list[Lease[Any]]()
    clock.monotonic = another_is_quicker  # type: ignore[method-assign]
    pool = make(resources=[Thing()], **options)
    left[:] = ["now", *["later"] * (looks - 1)]
    lease = Call(pool.try_acquire).result()
    left.clear()
    for each in (lease, *taken):
        if each is not None:
            each.release()
    assert 1 == pool.stats().free
