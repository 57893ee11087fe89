"""Closing: one way, at once for those who wait, and never hanging on those who hold."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Thing, Workshop, same
from poolproof import Lease, LeaseRevoked, PoolClosed


@pytest.mark.clause("CLOSE-REFUSES", "COUNTS-RECOUNT")
def test_close_refuses_every_waiter_at_once(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    calls = []
    for number in range(5):
        calls.append(Call(lambda number=number: pool.acquire(None if number % 2 else 50)))  # type: ignore[misc]
        clock.until_asleep(number + 1)
    report = pool.close()
    for call in calls:
        assert "[CLOSE-REFUSES]" in str(call.raised(PoolClosed))
    assert (False, 5, 0, ()) == (report.closed, report.refused, report.destroyed, report.revoked)
    assert 0 == pool.stats().waiting
    lease.release()


@pytest.mark.clause("CLOSE-REPORTS", "CLOSE-TERMINATES")
def test_close_without_grace_waits_for_nobody_and_tells_who_holds(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(min_size=2)
    lease = pool.acquire()
    clock.advance(7)
    report = pool.close()
    assert (False, 1, ()) == (report.closed, report.destroyed, report.revoked)
    [holder] = report.holders
    assert (lease.number, "MainThread", 7.0) == (holder.lease, holder.who, holder.seconds)
    lease.release()
    assert ("closed", 0) == (pool.stats().phase, pool.stats().live)
    again = pool.close()
    assert (True, 0, 0, ()) == (again.closed, again.refused, again.destroyed, again.holders)


@pytest.mark.clause("CLOSE-REPORTS", "CLOSE-TERMINATES")
@pytest.mark.parametrize("grace", [5, 5.0, float("inf"), None])
def test_close_with_grace_ends_when_the_last_lease_does(
    make: MakePool, clock: ClockRuntime, grace: float | None
) -> None:
    pool = make()
    leases = [pool.acquire(), pool.acquire()]
    closing = Call(lambda: pool.close(grace))
    clock.until_asleep(1)
    leases[0].release()
    clock.advance(4)
    clock.until_asleep(1)
    leases[1].release()
    report = closing.result()
    assert (True, 2, ()) == (report.closed, report.destroyed, report.holders)


@pytest.mark.clause("CLOSE-REPORTS", "LEASE-REVOKED", "DESTROY-ONCE")
@pytest.mark.parametrize("force", [False, True])
def test_close_returns_when_its_grace_is_over(make: MakePool, shop: Workshop, clock: ClockRuntime, force: bool) -> None:
    pool = make()
    pool.acquire().release()
    lease, other = pool.acquire(), pool.acquire()
    other.release()
    closing = Call(lambda: pool.close(5, force=force))
    clock.until_asleep(1)
    assert lease.held
    clock.advance(5)
    report = closing.result()
    assert (force, int(force), int(not force)) == (report.closed, len(report.revoked), len(report.holders))
    if force:
        with pytest.raises(LeaseRevoked):
            lease.release()
    else:
        lease.release()
    assert 2 == len(shop.destroyed) == len({id(thing) for thing in shop.destroyed})


@pytest.mark.clause("CLOSE-TERMINATES", "CLOSE-FINAL")
def test_concurrent_and_repeated_closes_all_end(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=3)
    lease = pool.acquire()
    closes = [Call(lambda: pool.close(None)) for _ in range(3)]
    clock.until_asleep(3)
    pool.close()
    pool.close()
    lease.release()
    reports = [call.result() for call in closes]
    assert all(report.closed for report in reports)
    assert same(sorted(shop.made, key=id), sorted(shop.destroyed, key=id))
    assert pool.close(0, force=True).closed


@pytest.mark.clause("CLOSE-REPORTS")
def test_refused_waiters_are_reported_by_the_close_that_refused_them(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    calls = []
    for number in range(3):
        calls.append(Call(pool.acquire))
        clock.until_asleep(number + 1)
    closes = [Call(pool.close) for _ in range(3)]
    assert 3 == sum(call.result().refused for call in closes)
    for call in calls:
        call.raised(PoolClosed)
    lease.release()


def abandon(lease: list[Lease[Any]]) -> None:
    """Lose the last reference to a lease."""
    lease.clear()
    gc.collect()


@pytest.mark.clause("CLOSE-TERMINATES", "LEASE-ABANDONED")
def test_a_close_that_waits_takes_over_what_is_abandoned(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make()
    lease = [pool.acquire()]
    closing = Call(lambda: pool.close(None))
    clock.until_asleep(1)
    with pytest.warns(match="LEASE-ABANDONED"):
        abandon(lease)
    assert 0 == clock.untold()
    assert closing.result().closed
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("CLOSE-FINAL", "DESTROY-ONCE")
def test_whatever_ends_after_close_is_destroyed_once(make: MakePool, shop: Workshop) -> None:
    pool = make(reset=shop.reset)
    leases: list[Lease[Any]] = [pool.acquire() for _ in range(4)]
    pool.close()
    leases[0].release()
    leases[1].discard()
    kept = leases[2].detach()
    with leases[3]:
        pass
    assert "closed" == pool.stats().phase
    assert ([], 3) == (shop.reset_done, len(shop.destroyed))
    assert not any(thing is kept for thing in shop.destroyed)


@pytest.mark.clause("CLOSE-TERMINATES")
def test_the_with_block_of_a_pool_closes_it_and_lets_exceptions_go_on(make: MakePool, shop: Workshop) -> None:
    with make() as pool:
        pool.acquire().release()
    assert ("closed", 1) == (pool.stats().phase, len(shop.destroyed))
    with pytest.raises(KeyError), make() as pool:
        raise KeyError
    assert "closed" == pool.stats().phase
    with pytest.raises(PoolClosed), pool:
        pass


@pytest.mark.clause("CLOSE-TERMINATES")
def test_an_empty_pool_closes_at_once(make: MakePool) -> None:
    assert make(resources=[]).close(None).closed
    assert make().close(force=True).closed


@pytest.mark.clause("CLOSE-REFUSES", "CLOSE-FINAL")
def test_close_does_not_wait_for_a_create_but_its_result_is_destroyed(make: MakePool, shop: Workshop) -> None:
    pool = make()
    gate = Gate()
    shop.on_create = gate.pass_through
    call = Call(pool.acquire)
    gate.reached()
    report = pool.close()
    assert (False, 1, ()) == (report.closed, report.refused, report.holders)
    gate.open()
    call.raised(PoolClosed)
    assert same(shop.made, shop.destroyed)
    assert "closed" == pool.stats().phase


@pytest.mark.clause("CLOSE-FINAL", "CLOSE-TERMINATES")
def test_a_create_that_fails_after_close_still_ends_the_pool(make: MakePool, shop: Workshop) -> None:
    pool = make()
    gate = Gate()

    def fail() -> None:
        gate.pass_through()
        raise OSError

    shop.on_create = fail
    call = Call(pool.acquire)
    gate.reached()
    closing = Call(lambda: pool.close(None))
    gate.open()
    call.join()
    assert isinstance(call.error, PoolClosed | OSError)
    assert closing.result().closed


@pytest.mark.clause("CLOSE-TERMINATES")
def test_polling_close_costs_no_memory(make: MakePool) -> None:
    pool = make(resources=[Thing()])
    lease = pool.acquire()
    for _ in range(100):
        pool.close(0)
    assert len(pool._driver.state.ledger.closers) < 2
    lease.release()


@pytest.mark.clause("CLOSE-REPORTS")
def test_a_forced_close_tells_which_leases_it_revoked(make: MakePool, clock: ClockRuntime) -> None:
    pool = make()
    first = Call(pool.acquire, name="first").result()
    clock.advance(3)
    second = Call(pool.acquire, name="second").result()
    released = pool.acquire()
    clock.advance(1)
    released.release()
    report = pool.close(force=True)
    told = [(each.lease, each.who.split()[0], each.seconds) for each in report.revoked]
    assert [(first.number, "first", 4.0), (second.number, "second", 1.0)] == told
    assert (True, ()) == (report.closed, report.holders)
    assert () == pool.close(force=True).revoked
