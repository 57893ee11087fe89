"""What `AsyncPool` does besides what every pool does: awaiting, its loop, its finalizers, its tasks."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import poolproof
from poolproof import (
    AcquireTimeout,
    AsyncPool,
    LeaseRevoked,
    PoolBusy,
    PoolClosed,
    PoolEmpty,
    PoolEvent,
    PoolWarning,
    StaleLease,
    WrongLoop,
)
from poolproof.conformance.aio import ScheduledLoop
from poolproof.replay import Recorder, replay
from poolproof.runtime.aio import AsyncRuntime

Main = Callable[[], Coroutine[Any, Any, Any]]


def run(main: Main) -> Any:
    """In a loop of asyncio itself, in debug mode, with nothing reported as unhandled."""
    reported: list[Any] = []

    async def whole() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        try:
            return await main()
        finally:
            gc.collect()

    result = asyncio.run(whole(), debug=True)
    assert [] == reported
    return result


class Thing:
    """A resource."""


async def build() -> Thing:
    await asyncio.sleep(0)
    return Thing()


@pytest.mark.clause("ERRORS-UNCHANGED", "CLOSE-REFUSES", "EMPTY-RAISES", "WAIT-BOUND", "TIMEOUT-VALUES", "LEASE-ONCE")
def test_every_error_of_the_surface() -> None:
    class Broken(Exception):
        pass

    async def fails() -> Thing:
        await asyncio.sleep(0)
        raise Broken

    async def main() -> None:
        with pytest.raises(Broken):
            await AsyncPool(fails).acquire()
        with pytest.raises(PoolEmpty):
            await AsyncPool[Thing](resources=[], when_empty="raise").acquire()
        pool = AsyncPool(resources=[Thing()], max_waiting=0)
        lease = await pool.acquire()
        with pytest.raises(PoolBusy):
            await pool.acquire()
        with pytest.raises(AcquireTimeout):
            await AsyncPool[Thing](resources=[]).acquire(timeout=0)
        with pytest.raises(ValueError, match="INPUTS-VALIDATED"):
            pool.acquire(-1)
        await lease.release()
        with pytest.raises(StaleLease):
            await lease.release()
        with pytest.raises(StaleLease):
            await lease.detach()
        lease = await pool.acquire()
        report = await pool.close(force=True)
        assert (True, 1) == (report.closed, len(report.revoked))
        with pytest.raises(LeaseRevoked):
            await lease.discard()
        with pytest.raises(PoolClosed):
            await pool.acquire()
        with pytest.raises(PoolClosed):
            async with pool:
                pass

    run(main)


@pytest.mark.clause("LOOP-OWN")
def test_pool_is_made_anywhere_and_belongs_to_its_first_loop() -> None:
    thing = Thing()
    pool = AsyncPool(resources=[thing])
    assert 1 == pool.stats().free

    async def first() -> None:
        async with pool.acquire() as resource:
            assert thing is resource

    async def second() -> None:
        before = pool.stats()
        for operation in (pool.acquire, pool.try_acquire, pool.maintain, pool.close, pool.expire_all, pool.open):
            with pytest.raises(WrongLoop, match="belongs to another event loop"):
                await operation()
        for changing in (pool.add(Thing()), pool.remove(thing), pool.resize(3)):
            with pytest.raises(WrongLoop):
                await changing
        assert before == pool.stats()

    run(first)
    run(second)
    hanging = pool.acquire()
    with pytest.raises(WrongLoop, match="no event loop runs"):
        hanging.__await__().send(None)


@pytest.mark.clause("LOOP-OWN")
def test_lease_used_in_another_loop_is_told_so() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[Thing()])
        lease = await pool.acquire()
        caught: list[BaseException] = []

        def elsewhere() -> None:
            for end in (lease.release, lease.discard, lease.detach):
                try:
                    asyncio.run(end())
                except WrongLoop as error:
                    caught.append(error)

        await asyncio.to_thread(elsewhere)
        assert 3 == len(caught)
        assert lease.held
        await lease.release()

    run(main)


def test_importing_poolproof_does_not_import_asyncio() -> None:
    code = "import sys, poolproof; assert 'asyncio' not in sys.modules; poolproof.AsyncPool; import asyncio"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError):
        poolproof.NoSuchPool  # noqa: B018


def test_acquire_that_is_never_awaited_warns() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[Thing()])
        with pytest.warns(RuntimeWarning, match="never awaited"):
            pool.acquire()
        acquiring = pool.acquire()
        lease = await acquiring
        with pytest.raises(RuntimeError, match="awaited already"):
            await acquiring
        assert 1 == pool.stats().checked_out
        await lease.release()

    run(main)


@pytest.mark.clause("LEASE-ABANDONED", "LOOP-ONLY")
def test_forgotten_lease_is_reported_and_its_slot_recovered() -> None:
    reset: list[Thing] = []

    async def cleaned(thing: Thing) -> None:
        await asyncio.sleep(0)
        reset.append(thing)

    async def main() -> None:
        pool = AsyncPool(resources=[Thing()], reset=cleaned)

        async def forgets() -> None:
            lease = await pool.acquire()
            assert lease.held

        with pytest.warns(PoolWarning, match=r"acquired by forgetful.*LEASE-ABANDONED"):
            await asyncio.create_task(forgets(), name="forgetful")
        async with asyncio.timeout(10):  # what it takes is done at once, by the pool
            while not pool.stats().free:
                await asyncio.sleep(0)
        assert 1 == len(reset)

    run(main)


@pytest.mark.clause("LEASE-ABANDONED")
def test_lease_that_is_the_result_of_its_own_task_is_in_no_cycle() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[Thing()])
        gc.disable()
        try:
            tasks = [asyncio.ensure_future(pool.acquire())]
            await tasks[0]
            tasks.clear()
            with pytest.warns(PoolWarning, match="LEASE-ABANDONED"):
                await asyncio.sleep(0)  # the loop remembers until then why it woke this task
            assert 1 == pool.stats().free
        finally:
            gc.enable()

    run(main)


@pytest.mark.clause("LOOP-ONLY", "GC-SAFE")
@pytest.mark.parametrize("how", ["collected", "release_soon", "discard_soon"])
def test_lease_ended_in_another_thread_ends_in_the_loop(how: str) -> None:
    where: list[int] = []

    async def main() -> None:
        pool = AsyncPool(build, max_size=1, observer=lambda event: where.append(threading.get_ident()))
        box = [await pool.acquire()]

        def elsewhere() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PoolWarning)
                if how == "collected":
                    box.clear()
                else:
                    getattr(box[0], how)()

        thread = threading.Thread(target=elsewhere)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PoolWarning)
            thread.start()
            async with pool.acquire(timeout=20):
                assert 1 == pool.stats().checked_out
        thread.join()
        assert {threading.get_ident()} == set(where)

    run(main)


@pytest.mark.clause("LOOP-ONLY")
def test_request_to_a_closed_loop_is_refused() -> None:
    async def main() -> Any:
        return await AsyncPool(resources=[Thing()]).acquire()

    lease = run(main)
    with pytest.raises(WrongLoop, match="is closed"):
        lease.release_soon()
    assert lease.held
    del lease  # changes nothing, and so says nothing
    gc.collect()


@pytest.mark.clause("TASK-LEASES")
def test_lease_that_outlives_its_task_is_reported_once() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[Thing(), Thing()])
        giver = asyncio.create_task(pool.try_acquire(), name="giver")
        lease = await giver
        assert lease is not None
        assert "giver (ended)" == pool.holders()[0].who
        with pytest.warns(PoolWarning, match=r"lease 1 .* giver \(ended\), is still held \[TASK-LEASES\]"):
            await pool.maintain()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await pool.maintain()
        assert lease.held
        await lease.release()

    run(main)


@pytest.mark.clause("CANCEL-SPARES", "BUILD-OUTLIVES", "DESTROY-ONCE")
def test_work_goes_on_without_the_one_who_was_cancelled() -> None:
    gate = asyncio.Event()
    done: list[str] = []

    async def slow(what: str, thing: Thing | None = None) -> Thing:
        await gate.wait()
        done.append(what)
        return Thing() if thing is None else thing

    async def main() -> None:
        pool = AsyncPool(
            lambda: slow("create"),
            reset=lambda thing: slow("reset", thing),
            destroy=lambda thing: slow("destroy", thing),
            max_size=1,
        )
        with pytest.raises(AcquireTimeout):
            await pool.acquire(timeout=0.001)  # the deadline bounds create, and create goes on
        assert 1 == pool.stats().creating
        gate.set()
        lease = await pool.acquire()
        for end in (lease.release, None):
            gate.clear()
            task = asyncio.create_task(end() if end is not None else (await pool.acquire()).discard())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gate.set()
            async with pool.acquire(timeout=20):
                pass
        assert ["create", "reset", "reset", "destroy", "create", "reset"] == done
        assert (await pool.close(grace=None)).closed

    run(main)


@pytest.mark.clause("CANCEL-SPARES", "DUTY-OWNED")
def test_work_whose_own_task_is_cancelled_before_it_began_is_done_by_another() -> None:
    loop, destroyed = ScheduledLoop(), list[Thing]()

    async def destroy(thing: Thing) -> None:
        await asyncio.sleep(0)
        destroyed.append(thing)

    pool = AsyncPool(resources=[Thing()], destroy=destroy, runtime=AsyncRuntime(loop.time))

    async def main() -> None:
        await (await pool.acquire()).discard()

    loop.create_task(main())
    loop.step()
    [task] = pool._driver.tasks
    task.cancel()
    loop.settle()
    assert 1 == len(destroyed)
    assert 0 == pool.stats().live


@pytest.mark.clause("TIMEOUT-VALUES")
def test_acquire_that_will_not_wait_waits_for_its_own_create() -> None:
    async def main() -> None:
        pool = AsyncPool(build, max_size=1)
        lease = await pool.try_acquire()
        assert lease is not None
        assert await pool.try_acquire() is None
        await lease.release()

    run(main)


@pytest.mark.clause("TIMEOUT-VALUES", "WAIT-FIFO")
def test_acquire_that_will_not_wait_does_not_wait_for_the_create_of_another() -> None:
    gate, calls = asyncio.Event(), list[int]()

    async def create() -> Thing:
        calls.append(len(calls))
        if len(calls) == 1:
            await gate.wait()
        return Thing()

    async def main() -> None:
        pool = AsyncPool(create, max_size=2)
        first = asyncio.ensure_future(pool.acquire())
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            assert await pool.try_acquire() is None  # what it built went to the first, which waits longer
            lease = await first
        gate.set()
        await lease.release()
        assert (await pool.close(grace=None)).closed

    run(main)


@pytest.mark.clause("BUILT-UNDONE", "MIN-SIZE")
def test_opening_builds_all_or_closes() -> None:
    made, destroyed = list[Thing](), list[Thing]()

    async def create() -> Thing:
        await asyncio.sleep(0)
        if len(made) == 2:
            raise ConnectionError
        made.append(Thing())
        return made[-1]

    async def main() -> None:
        pool = AsyncPool(create, destroy=destroyed.append, min_size=3)
        with pytest.raises(ConnectionError):
            async with pool:
                pass
        assert "closed" == pool.stats().phase
        assert 2 == len(made)
        assert {id(thing) for thing in made} == {id(thing) for thing in destroyed}
        async with AsyncPool(build, min_size=3) as whole:
            assert (3, 3) == (whole.stats().free, whole.stats().created)

    run(main)


@pytest.mark.clause("TRACE-REPLAYS", "DEBUG-INERT")
def test_awaited_observer_hears_every_commit_in_order() -> None:
    heard: list[PoolEvent] = []

    async def observe(event: PoolEvent) -> None:
        await asyncio.sleep(0)
        heard.append(event)
        if event.version == 3:
            raise LookupError

    async def main() -> None:
        async with AsyncPool(build, max_size=2, observer=observe) as pool:
            await asyncio.gather(*(one_use(pool) for _ in range(5)))

    async def at_once(event: PoolEvent) -> None:
        heard.append(event)

    async def eagerly() -> None:
        if sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with AsyncPool(build, max_size=2, observer=at_once) as pool:
            await asyncio.gather(*(one_use(pool) for _ in range(5)))

    run(eagerly)
    assert "CLOSED" == heard[-1].fired[-1].row
    heard.clear()
    run(main)
    assert sorted(heard, key=lambda event: event.version) == heard
    assert replay(heard).ok


async def one_use(pool: AsyncPool[Thing]) -> None:
    async with pool.acquire():
        await asyncio.sleep(0)


@pytest.mark.clause("COLLECTABLE")
def test_forgotten_pool_is_collected_without_the_collector() -> None:
    destroyed: list[Thing] = []

    async def destroy(thing: Thing) -> None:
        await asyncio.sleep(0)
        destroyed.append(thing)

    async def main() -> None:
        recorder = Recorder()
        pool = AsyncPool(build, destroy=destroy, min_size=2, housekeeping=3600, observer=recorder)
        await pool.open()
        async with pool.acquire(), pool.acquire():
            pass
        driver = weakref.ref(pool._driver)
        gc.disable()
        try:
            gone = weakref.ref(pool)
            del pool
            assert gone() is None
            for _ in range(20):
                await asyncio.sleep(0)
            assert driver() is None
        finally:
            gc.enable()
        assert 2 == len(destroyed)
        assert 1 == len(asyncio.all_tasks())

    run(main)


@pytest.mark.clause("COLLECTABLE")
def test_pool_forgotten_without_a_loop_destroys_what_it_can(caplog: pytest.LogCaptureFixture) -> None:
    destroyed: list[Thing] = []
    AsyncPool(resources=[Thing()], destroy=destroyed.append)
    gc.collect()
    assert 1 == len(destroyed)

    async def never(thing: Thing) -> None:
        destroyed.append(thing)

    with caplog.at_level(logging.WARNING, "poolproof"):
        AsyncPool(resources=[Thing()], destroy=never)
        gc.collect()
    assert 1 == len(destroyed)
    assert "there is no event loop" in caplog.text


@pytest.mark.clause("MIN-SIZE", "RETRY-BACKOFF")
def test_housekeeping_keeps_house_in_a_task() -> None:
    async def main() -> None:
        async with AsyncPool(build, min_size=1, max_idle=None, max_age=0.01, housekeeping=0.001) as pool:
            first = pool.stats().created
            async with asyncio.timeout(20):
                while pool.stats().created < first + 3:
                    await asyncio.sleep(0.001)
        async with asyncio.timeout(20):  # and its task ends with the pool
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)

    run(main)


@pytest.mark.clause("FORK-SAFE")
def test_pool_is_empty_and_usable_in_a_forked_child() -> None:
    code = """
import asyncio, os
from poolproof import AsyncPool
pool = AsyncPool(object, max_size=1, housekeeping=60)
async def use():
    async with pool.acquire(timeout=5):
        return pool.stats().created
assert asyncio.run(use()) == 1
child = os.fork()
if child == 0:
    assert pool.stats().live == 0
    os._exit(asyncio.run(use()) != 1)
assert os.waitpid(child, 0)[1] == 0
assert pool.stats().live == 1
"""
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", code], check=True, timeout=60)
