"""What a pool tells when asked: its resources, where leases were acquired, and how long callers waited."""

from __future__ import annotations

from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Raises, Thing, Workshop, complaints
from poolproof import AcquireTimeout, Metrics, Pool, PoolClosed, PoolEvent, PoolWarning
from poolproof.reports import Fired


@pytest.mark.clause("COUNTS-RECOUNT")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_resources_are_listed_the_next_to_be_granted_first(order: str) -> None:
    things = [Thing() for _ in range(4)]
    pool = Pool(resources=things, order=order)
    held = pool.acquire()
    pool.acquire().release()
    listed = pool.resources()
    assert [each.state for each in listed] == ["free"] * 3 + ["checked_out"]
    assert listed[-1].resource is held.resource
    assert [pool.acquire(0).detach() for _ in range(3)] == [each.resource for each in listed[:3]]
    assert [each.uses for each in pool.resources()] == [1]
    held.release()


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_idle_seconds_are_told(clock: ClockRuntime) -> None:
    pool = Pool(resources=[Thing()], max_idle=100.0, runtime=clock)
    pool.acquire().release()
    clock.advance(5.0)
    assert [each.seconds for each in pool.resources()] == [5.0]
    held = pool.acquire()
    clock.advance(2.0)
    assert [(each.seconds, each.uses) for each in pool.resources()] == [(2.0, 2)]
    held.release()


@pytest.mark.clause("MIN-SIZE")
def test_pool_that_is_not_filled_at_once_is_filled_by_maintenance(make: MakePool, shop: Workshop) -> None:
    shop.on_create = Raises(OSError("no"), times=1)
    runtime = ClockRuntime()
    pool = make(min_size=2, prefill=False, runtime=runtime)
    assert (shop.made, pool.stats().live) == ([], 0)
    pool.maintain()
    assert (len(shop.made), complaints(pool)) == (0, [])
    runtime.advance(60.0)
    pool.maintain()
    assert (len(shop.made), pool.stats().free) == (2, 2)


@pytest.mark.clause("INPUTS-VALIDATED")
@pytest.mark.parametrize("option", ["prefill", "trace_leases"])
def test_choices_are_yes_or_no(option: str) -> None:
    options: dict[str, Any] = {option: 1}
    with pytest.raises(TypeError, match=option):
        Pool(Thing, **options)


# Stacks


def here(pool: Pool[Any]) -> Any:
    return pool.acquire()


@pytest.mark.clause("LEASE-ABANDONED")
def test_holders_and_warnings_tell_where_a_lease_was_acquired() -> None:
    told: list[PoolEvent] = []
    pool = Pool(Thing, max_lease=0.0001, trace_leases=True, observer=told.append)
    leases = [here(pool)]
    stack = pool.holders()[0].stack
    assert "in here\n    return pool.acquire()" in stack
    assert "poolproof/pool.py" not in stack
    while pool.holders()[0].seconds < 0.0002:
        pass
    with pytest.warns(PoolWarning, match=r"LEASE-OVERDUE\]; it was acquired at\n(.|\n)*in here"):
        pool.maintain()
    with pytest.warns(PoolWarning, match=r"LEASE-ABANDONED\]; it was acquired at\n(.|\n)*in here"):
        leases.clear()
    assert [one.row for event in told for one in event.fired][-1] == "RELEASE"


def test_waiter_s_stack_is_its_own(clock: ClockRuntime) -> None:
    pool = Pool(Thing, max_size=1, trace_leases=True, runtime=clock)
    first = pool.acquire()
    call = Call(lambda: here(pool))
    clock.until_asleep(1)
    first.release()
    second = call.result()
    assert "in here" in pool.holders()[0].stack
    second.release()
    observer: Any = pool._driver.settings.observer
    assert observer._stacks == {}


def test_stacks_cost_nothing_when_off() -> None:
    pool = Pool(Thing)
    with pool.acquire():
        assert pool.holders()[0].stack == ""
    assert pool._plain
    assert pool._driver.settings.observer is None


# Metrics


def test_waits_are_measured(clock: ClockRuntime, shop: Workshop) -> None:
    seen: list[PoolEvent] = []
    metrics = Metrics([1.0, 10.0], then=seen.append, clock=clock.monotonic)
    pool = Pool(shop.create, max_size=1, runtime=clock, observer=metrics)
    lease = pool.acquire()
    waiters = []
    for number, timeout in enumerate([None, 5.0, None], 1):
        waiters.append(Call(lambda timeout=timeout: pool.acquire(timeout)))  # type: ignore[misc]
        clock.until_asleep(number)
    clock.advance(0.5)
    lease.release()
    lease = waiters[0].result()
    clock.advance(5.0)
    waiters[1].raised(AcquireTimeout)
    with pytest.raises(AcquireTimeout):
        pool.acquire(0)
    clock.advance(10.0)
    pool.close()
    waiters[2].raised(PoolClosed)
    lease.release()
    told = metrics.snapshot()
    assert (told.acquired, told.gave_up) == (2, 2)
    # The first one waited as well, while it built, for no time.
    assert told.waits == ((1.0, 2), (10.0, 1), (float("inf"), 1))
    assert (told.waited, told.longest_wait) == (0.5 + 5.5 + 15.5, 15.5)
    assert told.rows["RELEASE"] == 1
    assert sum(len(event.fired) for event in seen) == sum(told.rows.values())


def test_events_may_come_in_any_order() -> None:
    times = iter([1.0, 3.0])
    metrics = Metrics(clock=lambda: next(times))
    event = PoolEvent(5, (), 1.0)
    for row in ("HAND-OFF", "QUEUE"):
        metrics(event._replace(fired=(Fired(row, 1, 4),)))
    assert (metrics.snapshot().waited, metrics._begun, metrics._ended) == (0.0, {}, {})
    nothing: Any = 5
    with pytest.raises(TypeError, match="then"):
        Metrics(then=nothing)
