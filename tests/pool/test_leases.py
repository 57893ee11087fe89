"""Leases: ended once, by whoever comes first; everything later changes nothing and says so."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import WATCHDOG, Call, ClockRuntime, Gate, Raises, Thing, Workshop, same
from poolproof import Lease, LeaseRevoked, Pool, StaleLease

End = Callable[[Lease[Any]], object]
ENDS: list[End] = [Lease.release, Lease.discard, Lease.detach]
USES: list[End] = [*ENDS, lambda lease: lease.resource, Lease.__enter__]


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", function))


@pytest.mark.clause("LEASE-ONCE", "STALE-UNCHANGED", "INVALID-UNCHANGED")
@pytest.mark.parametrize("end", ENDS, ids=_name)
@pytest.mark.parametrize("use", USES, ids=_name)
def test_an_ended_lease_changes_nothing_and_says_so(make: MakePool, end: End, use: End) -> None:
    pool = make()
    lease = pool.acquire()
    end(lease)
    before = pool.stats()
    with pytest.raises(StaleLease, match=rf"lease {lease.number} of pool 'db'.*\[LEASE-ONCE\]") as caught:
        use(lease)
    assert not isinstance(caught.value, LeaseRevoked)
    assert before == pool.stats()
    assert not lease.held


@pytest.mark.clause("LEASE-IDENTITY", "STALE-UNCHANGED", "EXCLUSIVE")
@pytest.mark.parametrize("use", USES, ids=_name)
def test_a_stale_lease_does_not_touch_the_next_holder(make: MakePool, use: End) -> None:
    pool = make(max_size=1)
    old = pool.acquire()
    thing = old.resource
    old.release()
    new = pool.acquire()
    assert new.resource is thing
    before = pool.stats()
    with pytest.raises(StaleLease):
        use(old)
    assert before == pool.stats()
    assert new.held
    new.release()


@pytest.mark.clause("LEASE-ONCE")
@pytest.mark.parametrize("reset", [False, True])
def test_of_many_threads_that_end_a_lease_one_succeeds(make: MakePool, shop: Workshop, reset: bool) -> None:
    pool = make(max_size=1, reset=shop.reset if reset else None)
    for _ in range(30):
        lease = pool.acquire()
        start = threading.Barrier(4)

        def end(how: End, lease: Lease[Any] = lease, start: threading.Barrier = start) -> None:
            start.wait(WATCHDOG)
            how(lease)

        ways: list[End] = [Lease.release, Lease.release, Lease.discard, Lease.detach]
        calls = [Call(lambda how=how: end(how)) for how in ways]  # type: ignore[misc]
        errors = [call.join().error for call in calls]
        assert 1 == errors.count(None)
        assert all(error is None or type(error) is StaleLease for error in errors)
        assert 0 == pool.stats().checked_out


@pytest.mark.clause("LEASE-REVOKED", "STALE-UNCHANGED")
@pytest.mark.parametrize("use", USES, ids=_name)
def test_a_revoked_lease_says_that_it_was_revoked(make: MakePool, clock: ClockRuntime, use: End) -> None:
    pool = make(max_lease=5, revoke_overdue=True, max_size=1)
    lease = pool.acquire()
    clock.advance(5.1)
    pool.maintain()
    with pool.acquire():
        before = pool.stats()
        with pytest.raises(LeaseRevoked, match=r"'db'.*\[LEASE-REVOKED\]"):
            use(lease)
        assert before == pool.stats()


def close_and_fail(pool: Pool[Any]) -> None:
    pool.close(force=True)
    raise KeyError


def end_and_fail(end: End, lease: Lease[Any]) -> None:
    end(lease)
    raise KeyError


@pytest.mark.clause("LEASE-REVOKED")
def test_a_lease_revoked_in_its_with_block_is_told_at_the_end_unless_something_else_is_raised(
    make: MakePool,
) -> None:
    pool = make()
    with pytest.raises(LeaseRevoked), pool.acquire():
        assert 1 == len(pool.close(force=True).revoked)
    pool = make()
    with pytest.raises(KeyError), pool.acquire():
        close_and_fail(pool)


class _Meddler(type):
    """Revokes while `except` and the like ask about its classes."""

    meddle: Callable[[], object]

    def __subclasscheck__(cls, other: type) -> bool:
        cls.meddle()
        return False


@pytest.mark.clause("LEASE-REVOKED", "WITH-DISCARDS")
def test_a_revoke_while_a_block_is_being_left_does_not_replace_its_exception(make: MakePool) -> None:
    class Nosy(Exception, metaclass=_Meddler):
        pass

    pool = make(discard_on=[Nosy])
    Nosy.meddle = lambda: pool.close(force=True)
    with pytest.raises(KeyError), pool.acquire():
        raise KeyError
    assert "closed" == pool.stats().phase


@pytest.mark.clause("WITH-DISCARDS")
@pytest.mark.parametrize(
    ("error", "discards"),
    [
        (KeyError(), False),
        (TimeoutError(), False),
        (KeyboardInterrupt(), True),
        (SystemExit(), True),
        (GeneratorExit(), True),
        (type("Kill", (BaseException,), {})(), True),
    ],
    ids=repr,
)
def test_leaving_by_an_interruption_discards_and_by_an_error_releases(
    make: MakePool, error: BaseException, discards: bool
) -> None:
    pool = make()
    with pytest.raises(type(error)) as caught, pool.acquire():
        raise error
    assert caught.value is error
    assert (int(discards), int(not discards)) == (pool.stats().destroyed, pool.stats().free)


@pytest.mark.clause("WITH-DISCARDS")
def test_discard_on_replaces_the_default(make: MakePool) -> None:
    for kinds, error, left in (((OSError,), BrokenPipeError, 0), ((OSError,), KeyboardInterrupt, 1), ((), OSError, 1)):
        pool = make(discard_on=kinds)
        with pytest.raises(error), pool.acquire():
            raise error
        assert left == pool.stats().free


@pytest.mark.clause("WITH-DISCARDS")
@pytest.mark.parametrize("end", ENDS, ids=_name)
def test_a_block_whose_lease_was_ended_inside_is_left_in_peace(make: MakePool, end: End) -> None:
    pool = make()
    lease = pool.acquire()
    with lease:
        end(lease)
    lease = pool.acquire()
    with pytest.raises(KeyError), lease:
        end_and_fail(end, lease)


@pytest.mark.clause("DETACH-KEEPS", "CAPACITY-UNTIL-DESTROYED")
def test_a_detached_resource_is_the_holders_and_may_come_back(make: MakePool, shop: Workshop) -> None:
    pool = make(reset=shop.reset, check=shop.check, max_size=1)
    lease = pool.acquire()
    thing = lease.detach()
    assert thing is shop.made[0]
    stats = pool.stats()
    assert (0, 1, 0) == (stats.live, stats.detached, stats.destroyed)
    checks = len(shop.checked)
    pool.maintain()
    assert ([], [], checks) == (shop.reset_done, shop.destroyed, len(shop.checked))
    pool.add(thing)
    with pool.acquire() as again:
        assert again is thing
    assert (1, 1, 1) == (pool.stats().created, pool.stats().added, pool.stats().detached)


@pytest.mark.clause("DETACH-KEEPS")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_a_retired_or_old_lease_may_still_be_detached(make: MakePool, shop: Workshop, order: str) -> None:
    pool = make(order=order)
    leases = [pool.acquire(), pool.acquire()]
    pool.remove(leases[0].resource)
    pool.expire_all()
    for lease in leases:
        lease.detach()
    assert ([], 0) == (shop.destroyed, pool.stats().live)


@pytest.mark.clause("LEASE-ONCE")
def test_a_lease_may_be_ended_by_another_thread(make: MakePool) -> None:
    pool = make()
    for end in ENDS:
        lease = pool.acquire()
        Call(lambda end=end, lease=lease: end(lease)).result()  # type: ignore[misc]
        assert not lease.held


@pytest.mark.clause("EXCLUSIVE")
def test_leases_and_pools_are_neither_copied_nor_pickled(make: MakePool) -> None:
    pool = make()
    with pool.acquire():
        for thing in (pool, lease := pool.acquire()):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError):
                    duplicate(thing)
        lease.release()


@pytest.mark.clause("RESET-BEFORE-REUSE")
def test_the_reset_of_a_lease_replaces_the_pools_for_that_lease_only(make: MakePool, shop: Workshop) -> None:
    special: list[Thing] = []
    pool = make(max_size=1, reset=shop.reset)
    with pool.acquire(reset=special.append) as thing:
        pass
    assert (1, 0) == (len(special), len(shop.reset_done))
    with pool.acquire():
        pass
    assert (1, 1) == (len(special), len(shop.reset_done))
    lease = pool.try_acquire(reset=special.append)
    assert lease is not None
    lease.release()
    assert same([thing, thing], special)
    lease = pool.acquire(reset=special.append)
    lease.discard()
    lease = pool.acquire(reset=special.append)
    lease.detach()
    assert (2, 1) == (len(special), len(shop.reset_done))


@pytest.mark.clause("RESET-BEFORE-REUSE")
def test_nobody_gets_a_resource_while_it_is_reset(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=1, reset=shop.reset)
    gate = Gate()
    shop.on_reset = gate.pass_through
    lease = pool.acquire()
    release = Call(lease.release)
    gate.reached()
    assert pool.try_acquire() is None
    assert (1, 0) == (pool.stats().returning, pool.stats().free)
    with pytest.raises(StaleLease):
        lease.release()
    waiter = Call(pool.acquire)
    clock.until_asleep(1)
    gate.open()
    release.result()
    waiter.result().release()
    assert 1 == len(shop.made)


@pytest.mark.clause("RESET-BEFORE-REUSE", "FAULTS-CONTAINED")
def test_a_resource_whose_reset_fails_is_destroyed_and_the_releaser_not_blamed(
    make: MakePool, shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(max_size=1, reset=shop.reset)
    shop.on_reset = Raises(OSError("lost"), times=1)
    with pool.acquire() as thing:
        pass
    assert same([thing], shop.destroyed)
    assert "reset failed" in caplog.text
    with pool.acquire() as other:
        assert other is not thing


@pytest.mark.clause("RESET-BEFORE-REUSE")
def test_what_will_not_be_used_again_is_not_reset(make: MakePool, shop: Workshop) -> None:
    pool = make(reset=shop.reset, max_uses=1)
    pool.acquire().release()
    pool.acquire().discard()
    leases = [pool.acquire(), pool.acquire()]
    pool.remove(leases[0].resource)
    pool.close()
    for lease in leases:
        lease.release()
    assert ([], 4) == (shop.reset_done, len(shop.destroyed))
