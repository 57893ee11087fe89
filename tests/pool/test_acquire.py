"""Acquire: at once, after waiting in order, or not at all; one deadline on one clock."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Raises, Thing, Workshop, same
from poolproof import AcquireTimeout, CheckFailed, Lease, PoolBusy, PoolClosed, PoolEmpty


@pytest.mark.clause("TIMEOUT-VALUES")
def test_timeout_zero_takes_a_free_slot_or_builds_but_never_waits(make: MakePool, clock: ClockRuntime) -> None:
    def nobody_sleeps() -> None:
        raise AssertionError("timeout 0 waited")

    clock.on_park = nobody_sleeps
    pool = make(max_size=1)
    lease = pool.acquire(0)
    with pytest.raises(AcquireTimeout):
        pool.acquire(0)
    with pytest.raises(AcquireTimeout):
        pool.acquire(0.0)
    assert pool.try_acquire() is None
    lease.release()
    again = pool.try_acquire()
    assert again is not None
    again.release()


@pytest.mark.clause("TIMEOUT-VALUES")
def test_timeout_none_waits_without_limit_whatever_the_default(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1, timeout=3)
    lease = pool.acquire()
    waiter = Call(lambda: pool.acquire(None))
    clock.until_asleep(1)
    clock.advance(10.0**9)
    clock.until_asleep(1)
    lease.release()
    waiter.result().release()


@pytest.mark.clause("TIMEOUT-VALUES", "WAIT-DEADLINE")
def test_default_timeout_applies_to_those_who_name_none(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1, timeout=3)
    lease = pool.acquire()
    waiter = Call(pool.acquire)
    clock.until_asleep(1)
    clock.advance(2.999)
    clock.until_asleep(1)
    clock.advance(0.001)
    waiter.raised(AcquireTimeout)
    assert 0 == pool.stats().waiting
    lease.release()


@pytest.mark.clause("WAIT-DEADLINE")
def test_a_timeout_names_pool_counts_holder_and_clause(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = Call(pool.acquire, name="worker-3").result()
    clock.advance(39)
    waiters = [Call(lambda: pool.acquire(2)), Call(lambda: pool.acquire(9))]
    clock.until_asleep(2)
    clock.advance(2)
    error = waiters[0].raised(AcquireTimeout)
    assert isinstance(error, TimeoutError)
    for part in ("'db'", "1/1 checked out", "1 waiting", "2", "41 s", "[WAIT-DEADLINE]"):
        assert part in str(error)
    lease.release()
    waiters[1].result().release()


@pytest.mark.clause("CLOCK-ONLY")
def test_the_wall_clock_has_no_say(make: MakePool, clock: ClockRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make(max_size=1, max_age=50, max_idle=50, max_lease=50, housekeeping=None)
    monkeypatch.setattr(time, "time", lambda: -1e9)
    lease = pool.acquire()
    waiter = Call(lambda: pool.acquire(5))
    clock.until_asleep(1)
    monkeypatch.setattr(time, "time", lambda: 1e18)
    pool.maintain()
    clock.until_asleep(1)
    lease.release()
    waiter.result().release()
    pool.maintain()
    assert 1 == pool.stats().free


@pytest.mark.clause("WAIT-FIFO")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_waiters_are_served_in_the_order_of_arrival(make: MakePool, clock: ClockRuntime, order: str) -> None:
    pool = make(max_size=1, order=order)
    lease = pool.acquire()
    served: list[int] = []

    def serve(number: int) -> None:
        with pool.acquire():
            served.append(number)

    waiters = []
    for number in range(12):
        waiters.append(Call(lambda number=number: serve(number)))  # type: ignore[misc]
        clock.until_asleep(number + 1)
    lease.release()
    for waiter in waiters:
        waiter.result()
    assert list(range(12)) == served


@pytest.mark.clause("WAIT-FIFO")
def test_a_newcomer_never_overtakes(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    waiter = Call(pool.acquire)
    clock.until_asleep(1)
    lease.release()
    with pytest.raises(AcquireTimeout):
        pool.acquire(0)  # whether or not the waiter has run yet
    waiter.result().release()


@pytest.mark.clause("PROMPT-GRANT", "WAIT-ENDS")
def test_a_grant_returns_while_the_clock_stands_still(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    waiter = Call(lambda: pool.acquire(1e-9))
    clock.until_asleep(1)
    thing = lease.resource
    lease.release()
    assert waiter.result().resource is thing
    waiter.result().release()


@pytest.mark.clause("WITHDRAW-PROMPT", "COUNTS-RECOUNT")
def test_a_timed_out_waiter_in_the_middle_leaves_no_trace(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    waiters: list[Call[Lease[Any]]] = []
    for timeout in (9, 1, 9, 1, 1):
        waiters.append(Call(lambda timeout=timeout: pool.acquire(timeout)))  # type: ignore[misc]
        clock.until_asleep(len(waiters))
    clock.advance(1)
    for late in (1, 3, 4):
        waiters[late].raised(AcquireTimeout)
    assert 2 == pool.stats().waiting
    lease.release()
    waiters[0].result().release()
    waiters[2].result().release()
    assert (0, 1) == (pool.stats().waiting, pool.stats().free)


@pytest.mark.clause("WAIT-BOUND")
def test_one_too_many_is_refused_and_withdrawn_ones_do_not_count(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1, max_waiting=1)
    lease = pool.acquire()
    first = Call(lambda: pool.acquire(1))
    clock.until_asleep(1)
    before = pool.stats()
    with pytest.raises(PoolBusy, match=r"'db' \(1/1 checked out, 1 waiting\).*max_waiting.*\[WAIT-BOUND\]"):
        pool.acquire()
    assert pool.try_acquire() is None
    assert before == pool.stats()
    clock.advance(1)
    first.raised(AcquireTimeout)
    second = Call(pool.acquire)
    clock.until_asleep(1)
    lease.release()
    second.result().release()


@pytest.mark.clause("WAIT-BOUND")
def test_max_waiting_zero_still_grants_and_builds(make: MakePool) -> None:
    pool = make(max_size=2, max_waiting=0)
    leases = [pool.acquire(), pool.acquire(0)]
    with pytest.raises(PoolBusy):
        pool.acquire()
    with pytest.raises(PoolBusy):
        pool.acquire(0)
    for lease in leases:
        lease.release()


@pytest.mark.clause("EMPTY-RAISES")
def test_an_empty_pool_raises_only_while_nothing_is_staying(make: MakePool) -> None:
    pool = make(resources=[], when_empty="raise")
    before = pool.stats()
    for attempt in (pool.acquire, pool.try_acquire):
        with pytest.raises(PoolEmpty, match=r"'db' .*\[EMPTY-RAISES\]"):
            attempt()
    assert before == pool.stats()
    pool.add(Thing())
    lease = pool.acquire()
    with pytest.raises(AcquireTimeout):
        pool.acquire(0)
    lease.detach()
    with pytest.raises(PoolEmpty):
        pool.acquire()


@pytest.mark.clause("EMPTY-RAISES")
def test_an_empty_pool_that_waits_is_served_by_add(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(resources=[])
    waiters: list[Call[Lease[Any]]] = []
    for _ in range(2):
        waiters.append(Call(pool.acquire))
        clock.until_asleep(len(waiters))
    things = [Thing(), Thing()]
    for thing in things:
        pool.add(thing)
    assert same(things, [waiter.result().resource for waiter in waiters])
    for waiter in waiters:
        waiter.result().release()


@pytest.mark.clause("EMPTY-RAISES")
def test_a_pool_with_create_is_never_empty(make: MakePool) -> None:
    pool = make(when_empty="raise", max_size=1)
    lease = pool.acquire()
    assert pool.try_acquire() is None
    lease.detach()
    with pool.acquire():
        pass


@pytest.mark.clause("FREE-ORDER")
@pytest.mark.parametrize(("order", "expected"), [("lifo", [2, 1, 0]), ("fifo", [0, 1, 2])])
def test_free_slots_are_granted_in_the_chosen_order(
    make: MakePool, shop: Workshop, order: str, expected: list[int]
) -> None:
    pool = make(order=order)
    leases = [pool.acquire() for _ in range(3)]
    for lease in leases:
        lease.release()
    again = [pool.acquire() for _ in range(3)]
    assert same([shop.made[number] for number in expected], [lease.resource for lease in again])
    for lease in again:
        lease.release()


@pytest.mark.clause("CHECK-KEEPS-TURN", "CHECK-TERMINATES", "WAIT-DEADLINE")
def test_a_check_that_always_fails_ends_in_an_error_after_each_resource_once(make: MakePool, shop: Workshop) -> None:
    pool = make(min_size=3, max_size=3, check=shop.check)
    shop.verdict = False
    with pytest.raises(CheckFailed, match=r"'db'.*\[CHECK-TERMINATES\]"):
        pool.acquire()
    assert 4 == len(shop.checked) == len({id(thing) for thing in shop.checked})
    assert same(shop.checked, shop.destroyed)
    assert 0 == pool.stats().checked_out


@pytest.mark.clause("CHECK-TERMINATES")
def test_what_check_raised_is_the_cause(make: MakePool, shop: Workshop) -> None:
    shop.on_check = Raises(OSError("broken pipe"))
    with pytest.raises(CheckFailed) as caught:
        make(check=shop.check).acquire()
    assert caught.value.__cause__ is shop.on_check.error


@pytest.mark.clause("CHECK-KEEPS-TURN", "NEVER-STALE")
def test_a_failed_check_costs_the_resource_and_not_the_turn(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(resources=[good := Thing(), bad := Thing()][::-1], max_size=2, check=lambda thing: thing is not bad)
    holder = pool.acquire()
    assert holder.resource is good
    assert same([bad], shop.destroyed)
    first = Call(pool.acquire)
    clock.until_asleep(1)
    second = Call(pool.acquire)
    clock.until_asleep(2)
    pool.add(bad)  # it is granted to the first, who goes on waiting in front of the second
    clock.until_asleep(2)
    holder.release()
    first.result().release()
    second.result().release()
    assert same([bad, bad], shop.destroyed)


@pytest.mark.clause("CHECK-KEEPS-TURN", "WAIT-DEADLINE")
def test_waiting_again_after_a_failed_check_keeps_the_deadline(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(resources=[Thing(), Thing()], max_size=2, check=shop.check)
    held = [pool.acquire(), pool.acquire()]
    shop.verdict = False
    waiter = Call(lambda: pool.acquire(10))
    clock.until_asleep(1)
    clock.advance(6)
    held[0].release()
    clock.until_asleep(1)
    assert 1 == pool.stats().waiting
    clock.advance(4)
    waiter.raised(AcquireTimeout)
    held[1].release()


@pytest.mark.clause("NEVER-STALE")
def test_check_is_asked_at_every_grant_and_any_truth_will_do(make: MakePool, shop: Workshop) -> None:
    pool = make(check=shop.check)
    for shop.verdict in (1, "yes", [0]):
        pool.acquire().release()
    assert (3, 1) == (len(shop.checked), len(shop.made))


@pytest.mark.clause("NEVER-STALE")
def test_a_worn_out_resource_is_replaced(make: MakePool, shop: Workshop) -> None:
    pool = make(max_uses=2, max_size=1)
    for _ in range(5):
        pool.acquire().release()
    assert (3, 2) == (len(shop.made), len(shop.destroyed))


@pytest.mark.clause("NEVER-STALE", "EXPIRY-REACHES-ALL")
@pytest.mark.parametrize("origin", ["built", "given", "prefilled", "added"])
def test_an_old_resource_is_never_granted_wherever_it_came_from(
    make: MakePool, shop: Workshop, clock: ClockRuntime, origin: str
) -> None:
    given = [Thing()] if origin == "given" else []
    pool = make(shop.create, resources=given, min_size=int(origin == "prefilled"), max_age=10, max_size=1)
    if origin == "added":
        pool.add(Thing())
    with pool.acquire() as old:
        pass
    clock.advance(9.9)
    with pool.acquire() as still:
        assert still is old
        clock.advance(0.1)
    assert same([old], shop.destroyed)
    with pool.acquire() as new:
        assert new is not old
    clock.advance(10)
    with pool.acquire() as newer:
        assert newer is not new


@pytest.mark.clause("NEVER-STALE")
def test_jitter_only_shortens_the_age(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=50, max_age=100, max_age_jitter=0.5)
    clock.advance(49.999)
    pool.maintain()
    assert [] == shop.destroyed
    clock.advance(50.001)
    pool.maintain()
    assert same(sorted(shop.made[:50], key=id), sorted(shop.destroyed, key=id))


@pytest.mark.clause("CLOSE-REFUSES", "INVALID-UNCHANGED")
def test_every_acquire_of_an_ended_pool_is_refused(make: MakePool) -> None:
    pool = make()
    lease = pool.acquire()
    for phase in ("closing", "closed"):
        pool.close()
        before = pool.stats()
        assert phase == before.phase
        for attempt in (pool.acquire, pool.try_acquire, lambda: pool.acquire(0), pool.__enter__):
            with pytest.raises(PoolClosed, match=rf"'db' .*the pool is {phase} \[CLOSE-REFUSES\]"):
                attempt()
        assert before == pool.stats()
        if lease.held:
            lease.release()


@pytest.mark.clause("WAIT-DEADLINE")
def test_a_create_that_is_always_late_does_not_outrun_the_deadline(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=1)

    def renew() -> None:
        clock.advance(1)
        assert len(shop.made) < 20, "the deadline is never looked at"
        pool.expire_all()

    shop.on_create = renew
    with pytest.raises(AcquireTimeout):
        pool.acquire(5)
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("TIMEOUT-VALUES")
def test_the_longest_timeout_is_not_too_long(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire(sys.float_info.max)
    waiter = Call(lambda: pool.acquire(sys.float_info.max))
    clock.until_asleep(1)
    lease.release()
    waiter.result().release()
