"""What generated mutants survived until these tests were written; each says which."""

from __future__ import annotations

import contextlib
import gc
from concurrent.futures import Executor, Future
from typing import Any

import pytest

import poolmodel
from environment.rig import Maker, StagedRuntime, Thread, complaints
from poolmodel.machine import NotEnabled
from poolproof import AcquireTimeout, Pool, PoolWarning
from poolproof.core.lists import length
from poolproof.core.values import PlainState, Slot, State, Step, Ticket
from poolproof.registry import Registry
from poolproof.reports import PoolEvent
from poolproof.runtime.base import Moves
from poolproof.runtime.threads import ThreadAtom


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def runtime() -> StagedRuntime:
    return StagedRuntime()


@pytest.mark.clause("RETENTION")
def test_idle_for_exactly_max_idle_is_not_too_long(maker: Maker, runtime: StagedRuntime) -> None:
    """upkeep.shrink: ``>`` and not ``>=``."""
    pool = Pool(maker.create, max_size=1, max_idle=5.0, runtime=runtime)
    pool.acquire().release()
    runtime.now = 5.0
    pool.maintain()
    assert 1 == pool.stats().free
    runtime.now = 5.5
    pool.maintain()
    assert 0 == pool.stats().free


@pytest.mark.clause("WITHDRAW-PROMPT")
def test_the_withdrawn_do_not_pile_up_behind_one_who_waits(maker: Maker, runtime: StagedRuntime) -> None:
    """draft.leave_queue: without the making anew the queue keeps every ticket that ever gave up."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    lease = pool.acquire()
    first = Thread(lambda: pool.acquire().release())
    while pool.stats().waiting < 1:
        assert first.alive
    for _ in range(50):
        with contextlib.suppress(AcquireTimeout):
            pool.acquire(timeout=1.0)
    ledger = pool._driver.state.ledger
    kept = length(ledger.queue) + length(ledger.tail)
    lease.release()
    first.join()
    assert kept <= 3


@pytest.mark.clause("CLOSE-TERMINATES")
def test_who_waited_in_vain_for_the_end_of_closing_is_forgotten(maker: Maker, runtime: StagedRuntime) -> None:
    """change.leave_closers: its ticket leaves the list."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    lease = pool.acquire()
    for _ in range(3):
        assert not pool.close(grace=1.0).closed
        assert () == pool._driver.state.ledger.closers
    lease.release()
    assert pool.close().closed


class LookedAt(ThreadAtom):
    """An atom whose pool is recounted right before each commit: what a step prepares is not seen before it is done."""

    __slots__ = ("found", "pool")

    def __init__(self, value: PlainState) -> None:
        super().__init__(value)
        self.pool: Pool[Any] | None = None
        self.found: list[str] = []

    def commit(self, old: PlainState, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...]) -> bool:
        if self.pool is not None:
            self.found += complaints(self.pool)
        return super().commit(old, new, moves, wakes)


class LookedAtRuntime(StagedRuntime):
    __slots__ = ()

    def atom(self, value: PlainState) -> ThreadAtom:
        return LookedAt(value)


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_a_resource_that_is_being_added_is_not_seen_before_it_is(maker: Maker) -> None:
    """change.add: the register says absent until the commit."""
    pool = Pool(maker.create, max_size=3, min_size=1, runtime=LookedAtRuntime())
    atom = pool._driver.atom
    assert isinstance(atom, LookedAt)
    atom.pool = pool
    pool.add(maker.create())
    pool.acquire().release()
    pool.maintain()
    pool.expire_all()
    assert [] == atom.found


@pytest.mark.clause("MIN-SIZE")
def test_whoever_passes_by_after_the_delay_tries_again(maker: Maker, runtime: StagedRuntime) -> None:
    """driver.tend: without `retry` only a round of housekeeping would."""
    works = True

    def create() -> object:
        if not works:
            raise OSError("no connection")
        return maker.create()

    pool = Pool(create, max_size=2, min_size=1, runtime=runtime)
    works = False
    pool.acquire().discard()
    assert 0 == pool.stats().live
    works = True
    runtime.now += 1_000.0
    pool.resize(3)
    assert 1 == pool.stats().live


@pytest.mark.clause("CANCELLATION-SURVIVES")
def test_an_interruption_is_no_mixture_of_old_and_new(maker: Maker, runtime: StagedRuntime) -> None:
    """driver.proposal: what is thrown away when the state has changed meanwhile is an `Exception`."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    tries = 0

    def propose(state: State, now: float) -> Step | None:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise AssertionError("it is tried again")
        pool.acquire().release()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool._driver.step(propose)


class NoAtom(StagedRuntime):
    __slots__ = ()

    def atom(self, value: PlainState) -> ThreadAtom:
        raise MemoryError("no atom")


def test_a_pool_that_was_never_made_has_nothing_to_look_after(maker: Maker) -> None:
    """driver.__del__: it comes for a half-made driver too; an error in it would be an unraisable one."""
    with pytest.raises(MemoryError, match="no atom"):
        Pool(maker.create, max_size=1, runtime=NoAtom())
    gc.collect()


class Restless(Registry):
    """A registry in front of which the pool moves whenever it is read."""

    def __init__(self, pool: Pool[Any]) -> None:
        super().__init__("restless")
        self.pool = pool
        self.read = 0

    def all(self) -> list[Slot]:
        self.read += 1
        assert self.read < 10, "it is never given up"
        self.pool.acquire().release()
        return []


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_a_picture_for_a_message_is_given_up_when_the_pool_never_rests(maker: Maker, runtime: StagedRuntime) -> None:
    """driver.world: the tries are counted down."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    pool.acquire().release()
    real, restless = pool._driver.registry, Restless(pool)
    pool._driver.registry = restless
    pool._driver.world(tries=3)
    pool._driver.registry = real
    assert 3 == restless.read


@pytest.mark.clause("LEASE-ABANDONED")
def test_who_forgot_a_lease_is_told_since_when(maker: Maker, runtime: StagedRuntime) -> None:
    """lease._collected: now minus then."""
    runtime.now = 100.0
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    lease = pool.acquire()
    runtime.now = 105.0
    with pytest.warns(PoolWarning, match=r" 5 s ago"):
        del lease


@pytest.mark.clause("LEASE-ABANDONED", "ASYNC-EXCEPTION-SAFE")
def test_what_strikes_in_a_finalizer_is_logged(
    maker: Maker, runtime: StagedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    """lease._collected: the interpreter would drop it without a word."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    lease = pool.acquire()

    def strike() -> None:
        runtime.at_clock = lambda: None
        raise KeyboardInterrupt

    runtime.at_clock = strike
    with pytest.warns(PoolWarning, match="LEASE-ABANDONED"):
        del lease
    assert 1 == pool.stats().free
    assert ["a finalizer was interrupted"] == [each.getMessage().partition(": ")[2] for each in caplog.records]


def test_nothing_is_reset_for_a_pool_that_has_closed(maker: Maker, runtime: StagedRuntime) -> None:
    """work.reset: it would go to the destroyer next."""
    done: list[object] = []
    pool = Pool(maker.create, destroy=maker.destroy, reset=done.append, max_size=1, runtime=runtime)
    lease = pool.acquire()
    with pytest.warns(PoolWarning, match="LEASE-ABANDONED"):
        del lease
    assert pool.close(grace=1.0).closed
    assert ([], 1) == (done, maker.things[0].destroyed)


@pytest.mark.clause("CANCELLATION-SURVIVES")
def test_an_interrupted_inspection_lets_the_interruption_pass(maker: Maker, runtime: StagedRuntime) -> None:
    """work.inspect: a check that fails costs the resource; an interruption does that and goes on."""
    verdicts: list[bool] = [True]

    def check(_: object) -> bool:
        if not verdicts:
            raise KeyboardInterrupt
        return verdicts.pop()

    pool = Pool(maker.create, destroy=maker.destroy, check=check, max_size=1, runtime=runtime)
    pool.acquire().release()
    with pytest.raises(KeyboardInterrupt):
        pool.maintain()
    pool.maintain()
    assert (0, 1) == (pool.stats().live, maker.things[0].destroyed)


class Inline(Executor):
    """Does the work at once, and keeps what it raises to itself."""

    def __init__(self) -> None:
        self.jobs = 0

    def submit(self, job: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.jobs += 1
        with contextlib.suppress(BaseException):
            job(*arguments, **options)
        return Future()


@pytest.mark.clause("DUTY-OWNED")
def test_an_executor_whose_work_was_interrupted_is_trusted_still(maker: Maker, runtime: StagedRuntime) -> None:
    """work.Duty.forsake: it took the work, so it dropped nothing."""
    strikes = 2  # when the reset is handed in, and when its failure is

    def reset(_: object) -> None:
        runtime.at_clock = interrupt

    def interrupt() -> None:
        nonlocal strikes
        if strikes:
            strikes -= 1
            raise KeyboardInterrupt

    executor = Inline()
    pool = Pool(maker.create, reset=reset, executor=executor, executor_for="reset", max_size=1, runtime=runtime)
    pool.acquire().release()
    assert pool._driver.trusts_executor
    pool.acquire().release()
    assert (2, 0) == (executor.jobs, strikes)


@pytest.mark.clause("DUTY-OWNED")
def test_an_executor_is_not_blamed_for_work_that_it_was_never_given(maker: Maker, runtime: StagedRuntime) -> None:
    """work.Duty.forsake: the destruction was to be done here."""

    def observer(event: PoolEvent) -> None:
        if any(fired.row == "DISCARD" for fired in event.fired):
            raise KeyboardInterrupt

    pool = Pool(maker.create, executor=Inline(), executor_for="reset", max_size=1, runtime=runtime, observer=observer)
    with pytest.raises(KeyboardInterrupt):
        pool.acquire().discard()
    assert pool._driver.trusts_executor


@pytest.mark.clause("CANCELLATION-SURVIVES", "MIN-SIZE")
def test_an_interrupted_build_for_nobody_lets_the_interruption_pass(maker: Maker, runtime: StagedRuntime) -> None:
    """work.build: an error would only be logged."""
    things = [maker.create()]

    def create() -> object:
        if not things:
            raise KeyboardInterrupt
        return things.pop()

    pool = Pool(create, max_size=1, min_size=1, runtime=runtime)
    lease = pool.acquire()
    with pytest.raises(KeyboardInterrupt):
        lease.discard()
    assert 0 == pool.stats().live


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE")
def test_an_interrupted_discard_has_ended_the_lease(maker: Maker, runtime: StagedRuntime) -> None:
    """lease._end: it is tried once more, and the interruption goes on."""
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1, runtime=runtime)
    lease = pool.acquire()

    def strike() -> None:
        runtime.at_clock = lambda: None
        raise KeyboardInterrupt

    runtime.at_clock = strike
    with pytest.raises(KeyboardInterrupt):
        lease.discard()
    assert not lease.held
    assert "ended" in repr(lease)


def test_a_revoked_lease_says_so(maker: Maker, runtime: StagedRuntime) -> None:
    """lease.__repr__ tells the three ends apart; runtime.threads.name_of names whoever is no thread."""
    pool = Pool(maker.create, max_size=1, runtime=runtime)
    ended, revoked = pool.acquire(), None
    assert "held" in repr(ended)
    ended.release()
    revoked = pool.acquire()
    pool.close(force=True)
    assert ("ended" in repr(ended), "revoked" in repr(revoked)) == (True, True)
    assert "7" == runtime.name_of(7)


@pytest.mark.parametrize("row", [row.id for row in poolmodel.ROWS.values() if row.inside])
def test_rows_of_the_balance_do_not_happen_by_themselves(row: str) -> None:
    """machine.step, and the error that names the event."""
    config = poolmodel.Config(limit=1)
    event = poolmodel.Event(row, slot=1, ticket=1)
    with pytest.raises(NotEnabled) as caught:
        poolmodel.step(poolmodel.initial(config), config, event)
    assert event == caught.value.event
