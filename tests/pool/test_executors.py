"""Executors that misbehave: work is done once, by somebody, whatever they say and whatever they drop."""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Raises, Thing, Workshop, same
from poolproof import Lease, NotPooled, Pool, PoolEvent, PoolWarning

KINDS = ["build", "reset", "destroy"]
Job = Callable[[], object]


class TakesAndRefuses(Executor):
    """Begins every job in a thread of its own, and says that it takes none."""

    def __init__(self, begun: Callable[[], object]) -> None:
        self.calls: list[Call[object]] = []
        self.begun = begun

    def submit(self, job: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.calls.append(Call(job))
        self.begun()
        raise RuntimeError("the queue is full")


class Hoards(Executor):
    """Queues jobs and runs none."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, job: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.jobs.append(job)
        return Future()


class Drops(Executor):
    """Takes jobs and lets them go."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, *_: Any, **options: Any) -> Future[Any]:
        self.asked += 1
        if self.asked > 5:
            raise RuntimeError("asked again and again")
        return Future()


def work_of(kind: str, pool: Pool[Any]) -> Callable[[], object]:
    """An operation with one piece of work of this kind."""
    if kind == "build":
        return pool.acquire
    lease = pool.acquire()
    return lease.release if kind == "reset" else lease.discard


@pytest.mark.clause("DUTY-OWNED", "DESTROY-ONCE", "CREATE-DEMAND")
@pytest.mark.parametrize("kind", KINDS)
def test_work_that_an_executor_began_and_refused_is_done_once(make: MakePool, shop: Workshop, kind: str) -> None:
    """It is begun over there when the caller hears no. The caller does not begin it a second time beside that."""

    def count(*_: object) -> None:
        entered.append(kind)
        if len(entered) == 1:
            gate.pass_through()

    entered, gate = list[str](), Gate()
    refusing = TakesAndRefuses(gate.reached)
    pool = make(executor=refusing, executor_for=kind, reset=shop.reset, max_size=1)
    work = work_of(kind, pool)
    setattr(shop, {"build": "on_create", "reset": "on_reset", "destroy": "on_destroy"}[kind], count)
    operation = Call(work)
    gate.reached()
    if kind != "build":
        operation.join()  # while the work is still going on over there
        assert 0 == pool.stats().free
    gate.open()
    lease = operation.result()
    refusing.calls[0].result()
    assert [kind] == entered
    if isinstance(lease, Lease):
        lease.release()
    assert 0 == pool.stats().returning + pool.stats().discarded


@pytest.mark.clause("DUTY-OWNED", "FAILURE-PROGRESS", "DESTROY-ONCE")
@pytest.mark.parametrize("kind", KINDS)
def test_an_executor_that_drops_work_is_not_used_again(
    make: MakePool, shop: Workshop, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    dropping = Drops()
    pool = make(executor=dropping, executor_for=kind, reset=shop.reset, max_size=1)
    for _ in range(3):
        lease = work_of(kind, pool)()
        if isinstance(lease, Lease):
            lease.discard()
    pool.maintain()
    assert 1 == dropping.asked
    assert 1 == caplog.text.count("the executor dropped work")
    stats = pool.stats()
    assert (0, 0, 0, 0) == (stats.creating, stats.returning, stats.discarded, stats.backlog)


@pytest.mark.clause("DUTY-OWNED", "EXCLUSIVE", "DESTROY-ONCE", "RESET-BEFORE-REUSE")
def test_work_that_was_given_back_is_not_done_by_its_former_owner(make: MakePool, shop: Workshop) -> None:
    """RETIRE marks a slot while it is reset; the owner of the reset dies (ORPHAN), and acts all the same: the
    collector may finalize the duty first, and the queue that holds it, and that runs what it holds, afterwards."""

    class LastMinute:
        def __init__(self, job: Job) -> None:
            self.me, self.job = self, job

        def __del__(self) -> None:
            rows_before.extend(rows())
            self.job()

    def rows() -> list[str]:
        return [fired.row for event in events for fired in event.fired]

    events, rows_before = list[PoolEvent](), list[str]()
    hoarding = Hoards()
    pool = make(executor=hoarding, executor_for="reset", reset=shop.reset, max_size=1, observer=events.append)
    lease = pool.acquire()
    resource = lease.resource
    lease.release()
    pool.remove(resource)
    LastMinute(hoarding.jobs.pop())
    gc.collect()
    assert ["RELEASE-RESET", "RETIRE", "ORPHAN"] == rows_before[-3:]
    assert [] == shop.reset_done
    assert rows_before == rows()
    taken = Gate()
    shop.on_destroy = taken.pass_through
    adopter = Call(pool.maintain)
    taken.reached()
    with pytest.raises(NotPooled):
        pool.remove(resource)
    taken.open()
    adopter.result()
    assert same([resource], shop.destroyed)


@pytest.mark.clause("DUTY-OWNED", "EXCLUSIVE", "DESTROY-ONCE")
@pytest.mark.parametrize("state", ["on the backlog", "taken over"])
def test_the_former_owner_of_a_retired_slot_is_a_stranger_to_it(make: MakePool, shop: Workshop, state: str) -> None:
    """The same without the collector: forsaken twice, as two exceptions in a row have it."""
    hoarding = Hoards()
    pool = make(executor=hoarding, executor_for="reset", reset=shop.reset, resources=[Thing()], max_size=1)
    lease = pool.acquire()
    resource = lease.resource
    lease.release()
    [job] = hoarding.jobs
    duty = job.__self__  # type: ignore[attr-defined]
    pool.remove(resource)
    duty.forsake()
    gate = Gate()
    shop.on_destroy = gate.pass_through
    adopters = [Call(pool.maintain)] if state == "taken over" else []
    for _ in adopters:
        gate.reached()
    before = pool.stats()
    duty.forsake()
    job()
    assert before == pool.stats()
    assert [] == shop.reset_done
    gate.open()
    for adopter in adopters:
        adopter.result()
    pool.maintain()
    assert same([resource], shop.destroyed)
    assert 0 == pool.stats().live


@pytest.mark.clause("DUTY-OWNED", "DESTROY-ONCE", "LEASE-ABANDONED")
def test_a_retired_slot_taken_over_is_its_new_owners_alone(make: MakePool, shop: Workshop) -> None:
    """Its mark must not name a holder who is gone: maintain would think that nobody works on it."""
    pool = make(resources=[Thing()], reset=shop.reset)
    lease = pool.acquire()
    resource = lease.resource
    with pytest.warns(PoolWarning):
        del lease
    gate = Gate()
    shop.on_reset = gate.pass_through
    adopter = Call(lambda: pool.remove(resource))  # while nobody owns its reset, which this call then takes over
    gate.reached()
    pool.maintain()
    assert [] == shop.destroyed
    assert 1 == pool.stats().returning
    gate.open()
    adopter.result()
    assert same([resource], shop.destroyed)


@pytest.mark.clause("ERRORS-UNCHANGED", "CHECK-KEEPS-TURN", "ONE-OUTCOME")
def test_a_build_from_before_the_check_failed_is_nobodys_and_its_error_reaches_nobody(
    make: MakePool, clock: ClockRuntime, shop: Workshop
) -> None:
    """The waiter was granted another slot while its build was under way; when it waits again, it owes that no more."""
    executor = Hoards()
    options = {"check": shop.check, "executor": executor, "executor_for": ["build"], "max_size": 2}
    pool = make(shop.create, resources=[Thing()], **options)
    first = pool.acquire()
    waiter = Call(pool.acquire)
    clock.until_asleep(1)
    shop.verdict = False
    first.release()  # goes to the waiter, and fails its check
    clock.until_asleep(1)
    shop.verdict = True
    assert 1 == len(executor.jobs) == len(shop.destroyed)
    shop.on_create = Raises(OSError("refused"), times=1)
    executor.jobs[0]()  # fails, which makes room for another build
    clock.until_asleep(1)
    executor.jobs[1]()
    lease = waiter.result()
    assert shop.made == [lease.resource]
    lease.release()
