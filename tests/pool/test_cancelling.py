"""A caller that is cancelled while it waits leaves no trace, and a grant that comes too late goes back."""

from __future__ import annotations

from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Raises, Workshop
from poolproof import AcquireTimeout, Lease, PoolClosed

CANCELLATIONS = [KeyboardInterrupt(), SystemExit(1), type("Kill", (BaseException,), {})()]


class _Once:
    """Does something the first time it is called."""

    def __init__(self, *acts: Any) -> None:
        self.acts = list(acts)

    def __call__(self) -> None:
        acts, self.acts = self.acts, []
        for act in acts:
            act()


@pytest.mark.clause("CANCELLATION-SURVIVES", "WITHDRAW-PROMPT", "COUNTS-RECOUNT")
@pytest.mark.parametrize("error", CANCELLATIONS, ids=repr)
def test_a_cancelled_waiter_leaves_no_trace(make: MakePool, clock: ClockRuntime, error: BaseException) -> None:
    pool = make(max_size=1)
    with pool.acquire():
        clock.on_park = Raises(error, times=1)
        with pytest.raises(type(error)) as caught:
            pool.acquire()
        assert caught.value is error
        assert 0 == pool.stats().waiting
    assert 1 == pool.stats().free


@pytest.mark.clause("GRANT-STANDS", "ONE-OUTCOME", "WORK-CONSERVING")
def test_a_grant_that_loses_against_cancellation_serves_the_next(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    following: list[Call[Lease[Any]]] = []

    def next_comes() -> None:
        following.append(Call(pool.acquire))
        clock.until_asleep(1)

    clock.on_park = _Once(next_comes, lease.release, Raises(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        pool.acquire()
    following[0].result().release()
    assert (0, 1) == (pool.stats().waiting, pool.stats().free)


@pytest.mark.clause("GRANT-STANDS", "ONE-OUTCOME")
def test_a_grant_stands_although_the_deadline_passes_before_it_is_seen(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    clock.on_park = _Once(lambda: clock.advance(9))  # it finds its time gone as soon as it sleeps
    clock.on_timeout = lease.release
    with pool.acquire(5):
        assert 1 == pool.stats().checked_out


@pytest.mark.clause("ONE-OUTCOME", "CLOSE-REFUSES")
def test_a_close_that_races_with_a_deadline_gives_one_outcome(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    clock.on_park = _Once(lambda: clock.advance(9))
    clock.on_timeout = pool.close
    with pytest.raises(PoolClosed):
        pool.acquire(5)
    lease.release()


@pytest.mark.clause("ONE-OUTCOME")
def test_a_ticket_granted_before_close_keeps_its_lease(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    clock.on_park = _Once(lease.release, pool.close)
    with pool.acquire():
        assert "closing" == pool.stats().phase
    assert "closed" == pool.stats().phase


@pytest.mark.clause("CREATE-DEMAND", "FAILURE-PROGRESS")
def test_a_builder_that_gave_up_in_time_does_not_call_create(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    clock.on_park = _Once(lambda: clock.advance(9))
    clock.on_timeout = lease.discard  # there is room now, and the build is bound to a ticket whose time is over
    with pytest.raises(AcquireTimeout):
        pool.acquire(5)
    assert (1, 0) == (len(shop.made), pool.stats().live)


@pytest.mark.clause("FAILURE-PROGRESS", "WORK-CONSERVING")
def test_a_cancelled_builder_hands_its_build_to_the_next(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    following: list[Call[Lease[Any]]] = []

    def next_comes() -> None:
        following.append(Call(pool.acquire))
        clock.until_asleep(1)

    clock.on_park = _Once(next_comes, lease.discard, Raises(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        pool.acquire()
    following[0].result().release()
    assert 2 == len(shop.made)


@pytest.mark.clause("CANCELLATION-SURVIVES")
def test_an_interrupted_close_is_finished_by_the_next(make: MakePool, clock: ClockRuntime) -> None:
    pool = make()
    lease = pool.acquire()
    clock.on_park = Raises(KeyboardInterrupt(), times=1)
    with pytest.raises(KeyboardInterrupt):
        pool.close(None)
    assert "closing" == pool.stats().phase
    lease.release()
    assert pool.close(None).closed
