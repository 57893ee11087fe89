"""Builds: as many as are wanted, by whoever is told to, and min_size for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import WATCHDOG, Call, ClockRuntime, Gate, Raises, Thing, Workshop, same
from poolproof import AcquireTimeout, Lease, Pool, PoolClosed


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as two:
        yield two


def settle(executor: ThreadPoolExecutor) -> None:
    """Return when everything submitted so far is done."""
    barrier = threading.Barrier(executor._max_workers + 1)
    for _ in range(executor._max_workers):
        executor.submit(barrier.wait, WATCHDOG)
    barrier.wait(WATCHDOG)


@pytest.mark.clause("CREATE-DEMAND", "CAPACITY")
def test_never_more_builds_than_waiters_or_room(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(max_size=3)
    gates = [Gate() for _ in range(3)]
    on_the_way = iter(gates)
    shop.on_create = lambda: next(on_the_way).pass_through()
    callers: list[Call[Lease[Any]]] = []
    for number in range(3):
        callers.append(Call(pool.acquire))
        gates[number].reached()
        assert (number + 1, number + 1) == (pool.stats().creating, pool.stats().waiting)
    callers.append(Call(pool.acquire))
    clock.until_asleep(1)
    assert (3, 4) == (pool.stats().creating, pool.stats().waiting)
    gates[2].open()  # whoever built it, the longest-waiting gets it
    clock.until_asleep(2)
    assert (2, 3) == (pool.stats().creating, pool.stats().waiting)
    gates[0].open()
    callers[0].result().release()
    gates[1].open()
    for caller in callers[1:]:
        caller.result().release()
    assert 3 == len(shop.made)


@pytest.mark.clause("ERRORS-UNCHANGED", "WORK-CONSERVING")
def test_a_builder_served_by_another_keeps_its_lease_when_its_own_create_fails(
    make: MakePool, shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(max_size=2, min_size=1)
    lease = pool.acquire()
    gate = Gate()

    def fail() -> None:
        gate.pass_through()
        raise OSError("too late to matter")

    shop.on_create = fail
    caller = Call(pool.acquire)
    gate.reached()
    thing = lease.resource
    lease.release()
    gate.open()
    assert caller.result().resource is thing
    caller.result().release()
    assert "nobody waits for it any more" in caplog.text


@pytest.mark.clause("FAILURE-PROGRESS", "ERRORS-UNCHANGED", "WORK-CONSERVING")
def test_a_failed_create_costs_one_caller_and_the_next_builds(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=1)
    gate = Gate()
    errors = iter([OSError("first"), OSError("second")])

    def fail_twice() -> None:
        gate.pass_through()
        for error in errors:
            raise error

    shop.on_create = fail_twice
    callers = []
    for number in range(3):
        callers.append(Call(pool.acquire))
        clock.until_asleep(number) if number else gate.reached()
    gate.open()
    assert ["first", "second"] == [str(caller.raised(OSError)) for caller in callers[:2]]
    callers[2].result().release()


def removed(pool: Pool[Any], lease: Lease[Any]) -> None:
    pool.remove(lease.resource)
    lease.release()


def renewed(pool: Pool[Any], lease: Lease[Any]) -> None:
    pool.expire_all()
    lease.release()


LOSSES: dict[str, Callable[[Pool[Any], Lease[Any]], object]] = {
    "discard": lambda pool, lease: lease.discard(),
    "detach": lambda pool, lease: lease.detach(),
    "remove": removed,
    "expire_all": renewed,
    "reset fails": lambda pool, lease: lease.release(),
}


@pytest.mark.clause("MIN-SIZE", "FAILURE-PROGRESS")
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_min_size_is_restored_by_the_operation_that_lost_a_slot(
    make: MakePool, shop: Workshop, request: pytest.FixtureRequest, loss: Callable[[Pool[Any], Lease[Any]], object]
) -> None:
    failing = loss is LOSSES["reset fails"]
    pool = make(min_size=2, max_size=3, reset=Raises(OSError()) if failing else None)
    loss(pool, pool.acquire())
    assert (2, 2) == (pool.stats().live, pool.stats().free)


@pytest.mark.clause("MIN-SIZE", "EXPIRY-REACHES-ALL")
def test_min_size_is_restored_after_age_check_and_revoke(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=3, max_age=10, max_lease=4, revoke_overdue=True, check=shop.check)
    clock.advance(10)
    pool.maintain()
    assert (3, 3) == (pool.stats().free, len(shop.destroyed))
    shop.on_check = Raises(OSError(), times=2)
    pool.maintain()
    assert (3, 5) == (pool.stats().free, len(shop.destroyed))
    lease = pool.acquire()
    clock.advance(5)
    pool.maintain()
    assert (False, 3) == (lease.held, pool.stats().free)


@pytest.mark.clause("RETRY-BACKOFF", "MIN-SIZE")
def test_the_pool_backs_off_ever_longer_and_never_gives_up(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=1, retry_delay=1, retry_delay_max=6)
    attempts: list[float] = []

    def fail() -> None:
        attempts.append(clock.now - 1000)
        raise OSError

    shop.on_create = fail
    pool.acquire().discard()
    for _ in range(80):
        clock.advance(0.5)
        pool.maintain()
    assert [0.0, 1.0, 3.0, 7.0, 13.0, 19.0, 25.0, 31.0, 37.0] == attempts
    shop.on_create = None
    clock.advance(6)
    pool.maintain()
    assert 1 == pool.stats().free
    shop.on_create = fail
    attempts.clear()
    pool.acquire().discard()
    start = clock.now - 1000
    for _ in range(4):
        clock.advance(0.5)
        pool.maintain()
    assert [start, start + 1] == attempts


@pytest.mark.clause("RETRY-BACKOFF")
def test_back_off_never_delays_a_caller(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=1)
    shop.on_create = Raises(OSError(), times=1)
    pool.acquire().discard()
    assert 0 == pool.stats().live
    with pool.acquire(0):
        pass


@pytest.mark.clause("MIN-SIZE")
def test_an_acquire_does_not_restore_min_size(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(min_size=2, max_age=5, check=shop.check)
    clock.advance(5)
    lease = pool.acquire()
    assert 3 == len(shop.made)
    lease.release()
    stats = pool.stats()
    assert 2 == stats.live - stats.discarded


@pytest.mark.clause("MIN-SIZE")
def test_a_pool_that_keeps_more_than_may_stay_free_still_works(make: MakePool) -> None:
    pool = make(min_size=3, max_free=1)
    pool.maintain()
    with pool.acquire():
        pass
    pool.acquire().discard()
    assert 3 == pool.stats().free


@pytest.mark.clause("BUILD-OUTLIVES", "TIMEOUT-VALUES", "WAIT-DEADLINE")
def test_in_an_executor_the_deadline_bounds_the_build_and_the_build_is_kept(
    make: MakePool, shop: Workshop, clock: ClockRuntime, executor: ThreadPoolExecutor
) -> None:
    pool = make(max_size=1, executor=executor)
    gate = Gate()
    shop.on_create = gate.pass_through
    assert pool.try_acquire() is None
    gate.reached()
    caller = Call(lambda: pool.acquire(5))
    clock.until_asleep(1)
    clock.advance(5)
    caller.raised(AcquireTimeout)
    gate.open()
    settle(executor)
    assert (1, 1) == (pool.stats().free, len(shop.made))


@pytest.mark.clause("ERRORS-UNCHANGED", "CALLBACK-FAULTS")
@pytest.mark.parametrize("error", [OSError("down"), KeyboardInterrupt()], ids=repr)
def test_what_create_raises_in_an_executor_reaches_its_caller(
    make: MakePool, shop: Workshop, executor: ThreadPoolExecutor, error: BaseException
) -> None:
    pool = make(executor=executor)
    shop.on_create = Raises(error, times=1)
    with pytest.raises(type(error)) as caught:
        pool.acquire()
    assert caught.value is error
    pool.acquire().release()
    settle(executor)
    assert 0 == pool.stats().creating


@pytest.mark.clause("CALLBACK-FAULTS", "FAULTS-CONTAINED")
@pytest.mark.parametrize("kind", ["build", "reset", "destroy"])
def test_only_the_work_named_goes_to_the_executor(
    make: MakePool, shop: Workshop, executor: ThreadPoolExecutor, kind: str
) -> None:
    where: dict[str, bool] = {}
    here = threading.get_ident()

    def note(what: str) -> None:
        where[what] = threading.get_ident() != here

    shop.on_create = lambda: note("build")
    shop.on_reset, shop.on_destroy = (lambda _: note("reset")), (lambda _: note("destroy"))
    pool = make(executor=executor, executor_for=kind, reset=shop.reset, max_size=1)
    pool.acquire().release()
    pool.acquire().discard()
    settle(executor)
    assert {"build": kind == "build", "reset": kind == "reset", "destroy": kind == "destroy"} == where


@pytest.mark.clause("FAILURE-PROGRESS", "DUTY-OWNED", "DESTROY-ONCE")
@pytest.mark.parametrize("cancel", [False, True])
def test_an_executor_shut_down_in_the_middle_loses_nothing(
    make: MakePool, shop: Workshop, clock: ClockRuntime, cancel: bool
) -> None:
    executor = ThreadPoolExecutor(1)
    pool = make(max_size=3, executor=executor, reset=shop.reset)
    leases = [pool.acquire() for _ in range(3)]
    gate = Gate()
    shop.on_reset = gate.pass_through
    leases[0].release()
    gate.reached()
    leases[1].release()
    leases[2].discard()  # these two stand in the executor's queue
    caller = Call(pool.acquire)
    clock.until_asleep(1)
    shop.on_reset = None
    executor.shutdown(wait=False, cancel_futures=cancel)
    gate.open()
    caller.result().release()
    executor.shutdown()
    pool.maintain()
    stats = pool.stats()
    assert (0, 0, 0) == (stats.returning, stats.discarded, stats.backlog)
    assert leases[2]._slot.resource is None
    assert len(shop.destroyed) == len({id(thing) for thing in shop.destroyed})
    assert 3 - len(shop.destroyed) + (len(shop.made) - 3) == stats.free


@pytest.mark.clause("FAILURE-PROGRESS", "WAIT-ENDS")
def test_a_build_that_the_executor_drops_is_done_by_the_caller(make: MakePool, shop: Workshop) -> None:
    class Drops(Executor):
        def submit(self, *job: Any, **options: Any) -> Future[Any]:
            if self.dropped:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self.dropped = True
            return Future()

        dropped = False

    pool = make(executor=Drops(), max_size=1)
    pool.acquire().release()
    assert 1 == len(shop.made)


@pytest.mark.clause("DUTY-OWNED", "DESTROY-ONCE", "CANCELLATION-SURVIVES")
def test_an_interrupted_submit_gives_work_away_at_most_once(make: MakePool, shop: Workshop) -> None:
    jobs: list[Call[Any]] = []

    class Interrupted(Executor):
        def submit(self, job: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            jobs.append(Call(job))
            raise KeyboardInterrupt

    pool = make(executor=Interrupted(), executor_for=["destroy"])
    gate = Gate()
    shop.on_destroy = gate.pass_through
    with pytest.raises(KeyboardInterrupt):
        pool.acquire().discard()
    gate.reached()
    pool.maintain()
    gate.open()
    jobs[0].join()
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("CLOSE-TERMINATES", "CLOSE-FINAL")
def test_a_build_under_way_at_close_is_discarded(make: MakePool, shop: Workshop, executor: ThreadPoolExecutor) -> None:
    pool = make(executor=executor, executor_for="build")
    gate = Gate()
    shop.on_create = gate.pass_through
    caller = Call(pool.acquire)
    gate.reached()
    assert not pool.close().closed
    caller.raised(PoolClosed)
    closing = Call(lambda: pool.close(None))
    gate.open()
    assert closing.result().closed
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("RENEW-ALL", "WAIT-ENDS")
def test_a_build_under_way_at_expire_all_is_replaced(make: MakePool, shop: Workshop) -> None:
    pool = make(max_size=1)
    hits: list[int] = []

    def renew() -> None:
        if not hits:
            hits.append(1)
            pool.expire_all()

    shop.on_create = renew
    with pool.acquire() as thing:
        assert thing is shop.made[1]
    assert same(shop.made[:1], shop.destroyed)


@pytest.mark.clause("NO-DUPLICATES", "RETRY-BACKOFF")
def test_a_refill_that_returns_a_pooled_object_backs_off(make: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    things = [Thing(), Thing()]
    made = iter([things[0], things[1], things[1]])
    pool = make(lambda: next(made), min_size=2)
    pool.acquire().discard()
    assert 1 == pool.stats().live
    assert "is in it already" in caplog.text
