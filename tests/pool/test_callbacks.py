"""Callbacks may fail at any place in any way, and use the pool they serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Raises, Thing, Workshop, same
from poolproof import AcquireTimeout, CheckFailed, Pool, PoolClosed, PoolEvent

CANCELLATIONS = [KeyboardInterrupt(), SystemExit(2), GeneratorExit(), type("Kill", (BaseException,), {})()]
Act = Callable[[Pool[Any]], object]


def _whole(pool: Pool[Any]) -> tuple[int, int, int]:
    """No capacity is lost: live, and what is out or in work."""
    stats = pool.stats()
    return (stats.checked_out, stats.creating + stats.returning + stats.discarded, stats.waiting)


@pytest.mark.clause("ERRORS-UNCHANGED", "CALLBACK-FAULTS", "CANCELLATION-SURVIVES")
@pytest.mark.parametrize("error", [OSError("down"), StopIteration(), AssertionError(), *CANCELLATIONS], ids=repr)
def test_what_create_raises_reaches_its_caller_unchanged(make: MakePool, shop: Workshop, error: BaseException) -> None:
    pool = make(max_size=1)
    shop.on_create = Raises(error, times=2)
    for attempt in (pool.acquire, pool.try_acquire):
        with pytest.raises(type(error)) as caught:
            attempt()
        assert caught.value is error
        assert (0, 0, 0) == _whole(pool)
        assert 0 == pool.stats().live
    with pool.acquire():
        pass


@pytest.mark.clause("ERRORS-UNCHANGED")
def test_a_timeout_of_create_is_not_taken_for_one_of_the_pool(make: MakePool) -> None:
    inner = make(max_size=1)
    outer = make(lambda: inner.acquire(0))
    with inner.acquire(), pytest.raises(AcquireTimeout):
        outer.try_acquire()


@pytest.mark.clause("CALLBACK-FAULTS", "CANCELLATION-SURVIVES", "DESTROY-ONCE")
@pytest.mark.parametrize("error", CANCELLATIONS, ids=repr)
@pytest.mark.parametrize("place", ["create", "check", "reset", "destroy", "destroy on discard"])
def test_a_cancellation_in_a_callback_goes_on_and_loses_nothing(
    make: MakePool, shop: Workshop, place: str, error: BaseException
) -> None:
    pool = make(max_size=1, reset=shop.reset, check=shop.check)
    strike = Raises(error, times=1)
    lease = pool.acquire()
    act: Callable[[], object]
    if place == "create":
        lease.discard()
        shop.on_create, act = strike, pool.acquire
    elif place == "check":
        lease.release()
        shop.on_check, act = strike, pool.acquire
    elif place == "reset":
        shop.on_reset, act = strike, lease.release
    elif place == "destroy":
        pool.remove(lease.resource)
        shop.on_destroy, act = strike, lease.release
    else:
        shop.on_destroy, act = strike, lease.discard
    with pytest.raises(type(error)) as caught:
        act()
    assert caught.value is error
    pool.maintain()
    assert (0, 0, 0) == _whole(pool)
    assert 0 == pool.stats().live
    assert same(shop.made, shop.destroyed)
    with pool.acquire():
        pass


@pytest.mark.clause("FAULTS-CONTAINED", "CALLBACK-FAULTS", "DESTROY-ONCE")
@pytest.mark.parametrize(
    "act",
    [
        # A release takes over one piece of unowned work, not all: it was not asked for more.
        pytest.param(lambda pool: [pool.acquire().release() for _ in range(3)], id="release"),
        pytest.param(lambda pool: pool.acquire().discard(), id="discard"),
        pytest.param(lambda pool: pool.expire_all(), id="expire_all"),
        pytest.param(lambda pool: pool.resize(0), id="resize"),
        pytest.param(lambda pool: pool.maintain(), id="maintain"),
        pytest.param(lambda pool: pool.close(), id="close"),
        pytest.param(lambda pool: pool.close(force=True), id="close with force"),
    ],
)
def test_an_error_of_destroy_or_reset_is_logged_and_raised_at_nobody(
    make: MakePool, shop: Workshop, clock: ClockRuntime, caplog: pytest.LogCaptureFixture, act: Act
) -> None:
    pool = make(max_size=3, max_idle=1, reset=Raises(OSError("reset")))
    for thing in (Thing(), Thing()):
        pool.add(thing)
    shop.on_destroy = Raises(OSError("destroy"))
    clock.advance(2)
    act(pool)
    assert (0, 0, 0) == _whole(pool)
    assert shop.destroyed
    assert len(shop.destroyed) == pool.stats().destroyed == len({id(thing) for thing in shop.destroyed})
    assert {("poolproof", "WARNING")} == {(record.name, record.levelname) for record in caplog.records}


@pytest.mark.clause("CALLBACK-FAULTS")
@pytest.mark.parametrize("error", [OSError(), KeyboardInterrupt()], ids=repr)
def test_an_error_raised_while_another_is_handled_loses_nothing(
    make: MakePool, shop: Workshop, error: BaseException
) -> None:
    pool = make(max_size=1, reset=shop.reset, check=shop.check)
    shop.on_reset, shop.on_destroy = Raises(error), Raises(error)
    lease = pool.acquire()
    if isinstance(error, Exception):
        lease.release()
    else:
        with pytest.raises(KeyboardInterrupt):
            lease.release()
    shop.on_check = Raises(error, times=1)
    with pytest.raises(CheckFailed if isinstance(error, Exception) else KeyboardInterrupt):
        pool.acquire()
    shop.on_reset = shop.on_destroy = None
    pool.maintain()
    assert ((0, 0, 0), 0) == (_whole(pool), pool.stats().live)
    assert 2 == len(shop.destroyed)


@pytest.mark.clause("CANCELLATION-SURVIVES", "DESTROY-ONCE")
def test_a_cancelled_round_of_destroys_leaves_the_rest_to_the_next(make: MakePool, shop: Workshop) -> None:
    pool = make(min_size=0, resources=[Thing() for _ in range(4)])
    shop.on_destroy = Raises(KeyboardInterrupt(), times=2)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            pool.close()
    before = pool.stats()
    with pytest.raises(PoolClosed):
        pool.acquire()
    assert before == pool.stats()  # a refused caller works for nobody
    assert pool.close().closed
    assert 4 == len(shop.destroyed) == len({id(thing) for thing in shop.destroyed})


@pytest.mark.clause("NO-CALLS-UNDER-LOCK")
@pytest.mark.parametrize("place", ["create", "check", "reset", "destroy", "observer"])
def test_a_callback_may_wait_for_a_thread_that_uses_the_pool(make: MakePool, shop: Workshop, place: str) -> None:
    visits: list[str] = []

    def visit() -> None:
        visits.append(place)
        assert 4 >= pool.stats().live
        lease = pool.try_acquire()
        if lease is not None:
            lease.release()
        assert pool.holders() is not None
        pool.maintain()
        pool.resize(4)

    def callback(*_: object) -> None:
        if len(visits) < 3:
            Call(visit).result()

    pool = make(max_size=4, reset=shop.reset, check=shop.check, observer=callback if place == "observer" else None)
    if place != "observer":
        setattr(shop, f"on_{place}", callback)
    pool.acquire().release()
    pool.acquire().discard()
    assert visits


@pytest.mark.clause("NO-CALLS-UNDER-LOCK", "CLOSE-FINAL", "DESTROY-ONCE")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("place", ["create", "check", "reset", "destroy"])
def test_a_callback_may_close_the_pool(make: MakePool, shop: Workshop, place: str, force: bool) -> None:
    pool = make(reset=shop.reset, check=shop.check)
    setattr(shop, f"on_{place}", lambda *_: pool.close(force=force))
    try:
        lease = pool.acquire()
    except PoolClosed:
        assert place == "create" or (place, force) == ("check", True)
    else:
        if lease.held and place == "destroy":
            lease.discard()
        elif lease.held:
            lease.release()
    assert "closed" == pool.stats().phase
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("CHECK-TERMINATES", "CLOSE-REFUSES")
@pytest.mark.parametrize("fresh", [True, False])
def test_a_check_that_closes_by_force_and_fails_ends_in_a_refusal(make: MakePool, shop: Workshop, fresh: bool) -> None:
    pool = make(min_size=int(not fresh), check=shop.check)
    shop.verdict, shop.on_check = False, lambda _: pool.close(force=True)
    with pytest.raises(PoolClosed):
        pool.acquire()
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("CANCELLATION-SURVIVES")
def test_a_cancelled_check_of_a_lease_revoked_meanwhile_is_still_the_cancellation(
    make: MakePool, shop: Workshop
) -> None:
    pool = make(check=shop.check)

    def revoke(_: object) -> None:
        pool.close(force=True)
        raise KeyboardInterrupt

    shop.on_check = revoke
    with pytest.raises(KeyboardInterrupt):
        pool.acquire()
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("NO-CALLS-UNDER-LOCK")
def test_callbacks_may_acquire_from_their_own_pool(make: MakePool, shop: Workshop) -> None:
    depth: list[int] = []

    def nested(*_: object) -> None:
        if len(depth) < 3:
            depth.append(1)
            with pool.acquire():
                pass

    pool = make(max_size=8, reset=shop.reset, check=shop.check)
    shop.on_check = shop.on_reset = shop.on_destroy = nested
    with pool.acquire():
        pass
    pool.expire_all()
    assert 3 == len(depth)


@pytest.mark.clause("DEBUG-INERT", "CALLBACK-FAULTS")
def test_an_observer_that_raises_is_logged_and_changes_nothing(
    make: MakePool, shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    def trail(pool: Pool[Any]) -> list[object]:
        with pool.acquire():
            pool.acquire().discard()
        pool.maintain()
        pool.close()
        stats = pool.stats()
        return [stats.version, stats.created, stats.destroyed, stats.phase]

    assert trail(make()) == trail(make(observer=Raises(OSError("observer"))))
    assert "the observer raised" in caplog.text


@pytest.mark.clause("CANCELLATION-SURVIVES", "CALLBACK-FAULTS")
@pytest.mark.parametrize("nth", range(12))
def test_a_cancellation_in_the_observer_loses_nothing(make: MakePool, shop: Workshop, nth: int) -> None:
    seen: list[PoolEvent] = []
    done = [True]  # construction is observed, too

    def observer(event: PoolEvent) -> None:
        seen.append(event)
        if len(seen) == nth + 1 and not done:
            raise KeyboardInterrupt

    pool = make(max_size=2, reset=shop.reset, check=shop.check, observer=observer)
    seen.clear()
    done.clear()

    def work() -> None:
        with pool.acquire():
            pool.acquire().discard()
        pool.add(Thing())
        pool.expire_all()

    try:
        work()
    except KeyboardInterrupt:
        assert len(seen) > nth
    done.append(True)
    pool.maintain()
    assert (0, 0, 0) == _whole(pool)
    made = [*shop.made]
    pool.close(force=True)
    assert {id(thing) for thing in made} <= {id(thing) for thing in shop.destroyed}
    assert len(shop.destroyed) == len({id(thing) for thing in shop.destroyed})


@pytest.mark.clause("CALLBACK-FAULTS")
def test_an_interrupted_detach_is_forgotten_by_the_pool(make: MakePool) -> None:
    strike = Raises(KeyboardInterrupt(), times=0)
    pool = make(observer=strike)
    lease = pool.acquire()
    thing = lease.resource
    strike.left = 1
    with pytest.raises(KeyboardInterrupt):
        lease.detach()
    assert (0, 1) == (pool.stats().live, pool.stats().detached)
    pool.add(thing)
    assert 1 == pool.stats().free


@pytest.mark.clause("DUTY-OWNED", "DESTROY-ONCE", "CANCELLATION-SURVIVES")
def test_struck_work_can_be_taken_over_while_the_exception_is_still_looked_at(make: MakePool, shop: Workshop) -> None:
    """It does not wait for the traceback, which keeps all that it went through, to go."""
    strikes = Raises(KeyboardInterrupt(), times=0)
    pool = make(observer=strikes)
    lease = pool.acquire()
    strikes.left = 1
    with pytest.raises(KeyboardInterrupt) as caught:
        lease.discard()
    assert [] == shop.destroyed
    pool.maintain()
    assert same(shop.made, shop.destroyed)
    assert caught.value is strikes.error
