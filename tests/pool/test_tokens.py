"""A pool of mere capacity keeps every promise of a pool."""

from __future__ import annotations

import inspect

import pytest

from pool.rig import Call, ClockRuntime, complaints
from poolproof import AcquireTimeout, Pool, PoolBusy, PoolEvent, StaleLease
from poolproof.tokens import Token, TokenPool


@pytest.mark.clause("CAPACITY", "WAIT-FIFO")
def test_no_more_hold_a_token_than_there_are_and_waiters_are_served_in_order(clock: ClockRuntime) -> None:
    limit = TokenPool(2, runtime=clock)
    first, second = limit.acquire(), limit.acquire()
    waiters = []
    for number in range(2):
        waiters.append(Call(limit.acquire))
        clock.until_asleep(number + 1)
    assert limit.try_acquire() is None
    first.release()
    lease = waiters[0].result()
    assert limit.stats().waiting == 1
    second.release()
    for each in (lease, waiters[1].result()):
        each.release()
    assert complaints(limit) == []
    assert limit.stats().live == 2


@pytest.mark.clause("LEASE-ONCE", "STALE-UNCHANGED")
def test_ending_a_lease_twice_makes_no_room(clock: ClockRuntime) -> None:
    limit = TokenPool(1, runtime=clock)
    lease = limit.acquire()
    lease.release()
    again = limit.acquire()
    with pytest.raises(StaleLease):
        lease.release()
    assert limit.try_acquire() is None
    again.release()


@pytest.mark.clause("EXCLUSIVE")
def test_tokens_are_told_apart(clock: ClockRuntime) -> None:
    limit = TokenPool(None, runtime=clock)
    with limit.acquire() as one, limit.acquire() as other:
        assert isinstance(one, Token)
        assert one != other
        assert limit.stats().checked_out == 2


@pytest.mark.clause("RESIZE-BOTH-WAYS")
def test_a_limit_changes_at_once_upwards_and_as_tokens_come_back_downwards(clock: ClockRuntime) -> None:
    limit = TokenPool(0, runtime=clock)
    waiter = Call(limit.acquire)
    clock.until_asleep(1)
    limit.resize(2)
    leases = [waiter.result(), limit.acquire()]
    limit.resize(1)
    leases[0].release()
    assert limit.try_acquire() is None
    leases[1].release()
    with limit.acquire():
        assert limit.stats().live == 1


@pytest.mark.clause("WAIT-DEADLINE", "WAIT-BOUND", "LEASE-OVERDUE")
def test_options_are_those_of_a_pool(clock: ClockRuntime) -> None:
    events: list[PoolEvent] = []
    limit = TokenPool(
        1, timeout=0, max_waiting=0, max_lease=5, revoke_overdue=True, name="gate", observer=events.append,
        runtime=clock,
    )  # fmt: skip
    lease = limit.acquire()
    with pytest.raises(PoolBusy, match="pool 'gate'"):
        limit.acquire()
    clock.advance(6)
    limit.maintain()
    assert not lease.held
    assert events
    with limit.acquire(), pytest.raises((AcquireTimeout, PoolBusy)):
        limit.acquire()


def test_every_option_means_what_it_means_to_a_pool() -> None:
    of_pool = inspect.signature(Pool).parameters
    of_tokens = inspect.signature(TokenPool).parameters
    assert {name: each for name, each in of_tokens.items() if name != "max_size"} == {
        name: of_pool[name] for name in of_tokens if name != "max_size"
    }


@pytest.mark.clause("INPUTS-VALIDATED")
@pytest.mark.parametrize("size", [-1, 1.5, "1", True])
def test_a_limit_is_a_whole_number(size: object) -> None:
    with pytest.raises((TypeError, ValueError), match="max_size"):
        TokenPool(size)  # type: ignore[arg-type]
