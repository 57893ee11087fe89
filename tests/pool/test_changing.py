"""The limit moves both ways at once, everything can be renewed, and nobody waits beside capacity."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Raises, Thing, Workshop, same
from poolproof import AcquireTimeout, CheckFailed, Lease, Pool, PoolClosed, PoolFull


def waiting(pool: Pool[Any], clock: ClockRuntime, count: int) -> list[Call[Lease[Any]]]:
    """So many callers, asleep in this order."""
    calls: list[Call[Lease[Any]]] = []
    for number in range(count):
        calls.append(Call(pool.acquire))
        clock.until_asleep(number + 1)
    return calls


@pytest.mark.clause("RESIZE-BOTH-WAYS", "WORK-CONSERVING", "CREATE-DEMAND")
@pytest.mark.parametrize(("size", "served"), [(3, 2), (6, 5), (100, 5), (None, 5)])
def test_a_greater_limit_serves_waiters_at_once(
    make: MakePool, shop: Workshop, clock: ClockRuntime, size: int | None, served: int
) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    calls = waiting(pool, clock, 5)
    pool.resize(size)
    clock.until_asleep(5 - served)
    assert (served + 1, 5 - served, size) == (len(shop.made), pool.stats().waiting, pool.stats().limit)
    lease.release()
    for call in calls:
        call.result().release()


@pytest.mark.clause("RESIZE-BOTH-WAYS", "OLDEST-FIRST", "CAPACITY")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_a_smaller_limit_discards_free_slots_now_and_others_later(
    make: MakePool, shop: Workshop, clock: ClockRuntime, order: str
) -> None:
    pool = make(max_size=6, order=order)
    leases = [pool.acquire() for _ in range(6)]
    for lease in leases[:3]:
        lease.release()
    pool.resize(5)
    assert same(shop.made[:1], shop.destroyed)
    pool.resize(1)
    assert (0, 3, 3) == (pool.stats().free, pool.stats().checked_out, len(shop.destroyed))
    assert pool.try_acquire() is None
    call = Call(pool.acquire)
    clock.until_asleep(1)
    for lease in leases[3:5]:
        assert lease.held
        lease.release()
        clock.until_asleep(1)
    assert 5 == len(shop.destroyed)
    leases[5].release()
    call.result().release()
    assert (1, 6) == (pool.stats().live, len(shop.made))


@pytest.mark.clause("RESIZE-BOTH-WAYS", "CAPACITY")
def test_a_build_or_reset_that_ends_above_a_smaller_limit_is_discarded(make: MakePool, shop: Workshop) -> None:
    pool = make(max_size=2, reset=shop.reset)
    gate = Gate()
    lease = pool.acquire()
    shop.on_create = shop.on_reset = gate.pass_through
    call = Call(lambda: pool.acquire(0))
    gate.reached()
    pool.resize(0)
    gate.open()
    call.raised(AcquireTimeout)
    shop.on_reset = lambda _: None
    lease.release()
    assert (0, 2) == (pool.stats().live, len(shop.destroyed))


@pytest.mark.clause("RESIZE-BOTH-WAYS")
def test_concurrent_resizes_end_at_one_of_their_limits(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    calls = waiting(pool, clock, 4)
    resizes = [Call(lambda size=size: pool.resize(size)) for size in (2, 5, 3, 9)]  # type: ignore[misc]
    for resize in resizes:
        resize.result()
    assert pool.stats().limit in (2, 3, 5, 9)
    lease.release()
    for call in calls:
        call.result().release()


@pytest.mark.clause("CLOSE-FINAL", "INVALID-UNCHANGED")
def test_an_ended_pool_is_neither_resized_nor_renewed(make: MakePool) -> None:
    pool = make(max_size=2)
    lease = pool.acquire()
    for phase in ("closing", "closed"):
        pool.close()
        before = pool.stats()
        with pytest.raises(PoolClosed, match=phase):
            pool.resize(5)
        with pytest.raises(PoolClosed, match=phase):
            pool.resize(2)
        with pytest.raises(PoolClosed, match=phase):
            pool.expire_all()
        assert before == pool.stats()
        if lease.held:
            lease.release()


@pytest.mark.clause("RENEW-ALL", "NEVER-STALE")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_expire_all_replaces_everything_without_breaking_holders(make: MakePool, shop: Workshop, order: str) -> None:
    pool = make(min_size=3, order=order, reset=shop.reset)
    lease = pool.acquire()
    pool.expire_all()
    assert (True, 2, 2) == (lease.held, len(shop.destroyed), pool.stats().free)
    old = lease.resource
    lease.release()
    assert shop.destroyed[-1] is old
    assert [] == shop.reset_done
    old_ones = list(shop.made[:3])
    leases = [pool.acquire() for _ in range(3)]
    for each in leases:
        assert not any(each.resource is thing for thing in old_ones)
        each.release()


@pytest.mark.clause("RENEW-ALL")
def test_expire_all_with_waiters_serves_them_new_ones(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    [call] = waiting(pool, clock, 1)
    pool.expire_all()
    lease.release()
    assert call.result().resource is shop.made[1]
    call.result().release()


def removed(pool: Pool[Any], lease: Lease[Any]) -> None:
    pool.remove(lease.resource)
    lease.release()


def renewed(pool: Pool[Any], lease: Lease[Any]) -> None:
    pool.expire_all()
    lease.release()


def exchanged(pool: Pool[Any], lease: Lease[Any]) -> None:
    thing = lease.detach()
    with contextlib.suppress(PoolFull):  # a waiter may have built meanwhile
        pool.add(thing)


ENDS: dict[str, Callable[[Pool[Any], Lease[Any]], object]] = {
    "release": lambda pool, lease: lease.release(),
    "discard": lambda pool, lease: lease.discard(),
    "detach": lambda pool, lease: lease.detach(),
    "remove, then release": removed,
    "expire_all, then release": renewed,
    "detach, then add": exchanged,
}


@pytest.mark.clause("WORK-CONSERVING", "FAILURE-PROGRESS", "WAIT-ENDS", "PROMPT-GRANT")
@pytest.mark.parametrize("faulty", ["", "reset", "destroy", "check"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_however_a_lease_ends_the_next_waiter_proceeds(
    make: MakePool, shop: Workshop, clock: ClockRuntime, faulty: str, end: Callable[[Pool[Any], Lease[Any]], object]
) -> None:
    pool = make(max_size=2, reset=shop.reset, check=shop.check)
    leases = [pool.acquire(), pool.acquire()]
    calls = waiting(pool, clock, 3)
    if faulty:
        setattr(shop, f"on_{faulty}", Raises(OSError(), times=1))
    end(pool, leases[0])
    calls[0].join()
    leases[1].release()
    for call in calls:
        if faulty == "check" and call.join().error is not None:
            call.raised(CheckFailed)
        else:
            call.result().release()
    assert 0 == pool.stats().waiting


@pytest.mark.clause("CAPACITY-UNTIL-DESTROYED", "CAPACITY")
def test_capacity_is_free_only_when_destroy_has_finished(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    gate = Gate()
    shop.on_destroy = gate.pass_through
    lease = pool.acquire()
    discard = Call(lease.discard)
    gate.reached()
    assert pool.try_acquire() is None
    assert (1, 1) == (pool.stats().live, pool.stats().discarded)
    [call] = waiting(pool, clock, 1)
    assert 1 == len(shop.made)
    gate.open()
    call.result().release()
    discard.result()


def abandon(pool: Pool[Any], lease: list[Lease[Any]]) -> None:
    """Lose the last reference to a lease."""
    lease.clear()
    gc.collect()


@pytest.mark.clause("BACKLOG-DRAINS", "LEASE-ABANDONED", "DUTY-OWNED")
@pytest.mark.filterwarnings("default::poolproof.PoolWarning")
def test_an_abandoned_lease_serves_whoever_waits(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=1, reset=shop.reset)
    lease = [pool.acquire()]
    [call] = waiting(pool, clock, 1)
    with pytest.warns(match="LEASE-ABANDONED"):
        abandon(pool, lease)
    call.result().release()
    assert (1, 2) == (len(shop.made), len(shop.reset_done))


@pytest.mark.clause("BACKLOG-DRAINS")
@pytest.mark.filterwarnings("default::poolproof.PoolWarning")
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda pool: pool.acquire().release(), id="acquire and release"),
        pytest.param(lambda pool: pool.acquire().discard(), id="discard"),
        pytest.param(lambda pool: pool.acquire().detach(), id="detach"),
        pytest.param(lambda pool: pool.add(Thing()), id="add"),
        pytest.param(lambda pool: pool.resize(7), id="resize"),
        pytest.param(lambda pool: pool.expire_all(), id="expire_all"),
        pytest.param(lambda pool: pool.maintain(), id="maintain"),
        pytest.param(lambda pool: pool.close(), id="close"),
    ],
)
def test_every_operation_takes_over_unowned_work(
    make: MakePool, shop: Workshop, act: Callable[[Pool[Any]], object]
) -> None:
    pool = make(resources=[Thing(), Thing()], reset=shop.reset)
    lease = [pool.acquire()]
    with pytest.warns(match="LEASE-ABANDONED"):
        abandon(pool, lease)
    assert (1, 1) == (pool.stats().backlog, pool.stats().returning)
    act(pool)
    assert 0 == pool.stats().backlog


@pytest.mark.clause("BACKLOG-DRAINS")
@pytest.mark.filterwarnings("default::poolproof.PoolWarning")
def test_work_told_to_a_waiter_that_gives_up_is_told_to_the_next(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=1, reset=shop.reset)
    lease = [pool.acquire()]
    following: list[Call[Lease[Any]]] = []

    def next_comes() -> None:
        clock.on_park = None
        following.append(Call(pool.acquire))
        clock.until_asleep(1)
        clock.advance(9)

    clock.on_park = next_comes
    clock.on_timeout = lambda: abandon(pool, lease)  # the one that is told has no time left
    with pytest.warns(match="LEASE-ABANDONED"), pytest.raises(AcquireTimeout):
        pool.acquire(5)
    assert 0 == clock.untold()
    following[0].result().release()


@pytest.mark.clause("BACKLOG-DRAINS")
@pytest.mark.filterwarnings("default::poolproof.PoolWarning")
def test_work_told_to_a_waiter_that_is_granted_a_slot_is_told_to_the_next(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=2)
    leases = [[pool.acquire(reset=shop.reset)], [pool.acquire()]]
    following: list[Call[Lease[Any]]] = []

    def next_comes() -> None:
        clock.on_park = None
        following.append(Call(pool.acquire))
        clock.until_asleep(1)
        for lease in leases:
            abandon(pool, lease)

    clock.on_park = next_comes
    with pytest.warns(match="LEASE-ABANDONED"), pool.acquire():
        assert 0 == clock.untold()
    following[0].result().release()
