"""A pool of threads used by tasks, and a pool of tasks used by threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from poolproof import AcquireTimeout, AsyncPool, Pool, PoolClosed, StaleLease, WrongLoop
from poolproof.aio import PoolInThreads, PoolOfTasks
from poolproof.aio.bridge import BridgingParker

WATCHDOG = 20.0


class Thing:
    """A resource."""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WATCHDOG):
        while not true():
            await asyncio.sleep(0.001)


@pytest.mark.clause("BRIDGE-SAFE")
def test_tasks_use_a_pool_of_threads() -> None:
    loops, callbacks = threading.get_ident(), set[int]()

    def noted(*_: object) -> Thing:
        callbacks.add(threading.get_ident())
        return Thing()

    async def main() -> None:
        pool = Pool(noted, reset=noted, destroy=noted, max_size=2)
        bridge = PoolInThreads(pool, threads=1)

        async def one() -> None:
            for _ in range(5):
                async with bridge.acquire(timeout=WATCHDOG) as thing:
                    assert isinstance(thing, Thing)
                    await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(8)))
        lease = await bridge.acquire()
        await lease.release()
        with pytest.raises(StaleLease):
            await lease.release()
        kept = await (await bridge.acquire()).detach()
        assert isinstance(kept, Thing)
        await (await bridge.acquire()).discard()
        assert (await bridge.close(grace=WATCHDOG)).closed
        with pytest.raises(PoolClosed):
            await bridge.acquire()

    asyncio.run(main())
    assert loops not in callbacks
    assert callbacks


@pytest.mark.clause("BRIDGE-SAFE", "WITHDRAW-PROMPT")
def test_waiting_for_a_pool_of_threads_takes_no_thread_and_loses_nothing() -> None:
    async def main() -> None:
        pool = Pool(resources=[Thing()])
        bridge = PoolInThreads(pool, threads=1)
        held = await bridge.acquire()
        with pytest.raises(AcquireTimeout):
            await bridge.acquire(timeout=0.001)
        waiting = [asyncio.ensure_future(bridge.acquire()) for _ in range(20)]
        await until(lambda: pool.stats().waiting == 20)
        for task in waiting[::2]:
            task.cancel()
        await until(lambda: pool.stats().waiting == 10)
        await held.release()
        for task in waiting[1::2]:
            await (await task).release()
        await until(lambda: pool.stats().free == 1)

    asyncio.run(main())


@pytest.mark.clause("BRIDGE-SAFE", "CANCELLATION-SURVIVES")
def test_cancelled_in_the_middle_of_a_callback_in_a_thread() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slowly() -> Thing:
        inside.set()
        assert go_on.wait(WATCHDOG)
        return Thing()

    async def main() -> None:
        pool = Pool(slowly, max_size=1)
        bridge = PoolInThreads(pool, threads=1)
        task = asyncio.ensure_future(bridge.acquire())
        await until(inside.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await until(lambda: pool.stats().free == 1)
        assert (0, 0) == (pool.stats().waiting, pool.stats().checked_out)

    asyncio.run(main())


@contextmanager
def loop_beside() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WATCHDOG)
        loop.close()


@pytest.mark.clause("BRIDGE-SAFE")
def test_threads_use_a_pool_of_tasks() -> None:
    async def create() -> Thing:
        await asyncio.sleep(0)
        return Thing()

    with loop_beside() as loop:
        pool = AsyncPool(create, max_size=2)
        bridge = PoolOfTasks(pool, loop)

        def one(_: int) -> None:
            for _ in range(20):
                with bridge.acquire(timeout=WATCHDOG) as thing:
                    assert isinstance(thing, Thing)

        with ThreadPoolExecutor(6) as threads:
            assert 6 == len(list(threads.map(one, range(6))))
        assert 2 >= pool.stats().live
        lease = bridge.acquire()
        with bridge.acquire(), pytest.raises(AcquireTimeout):
            bridge.acquire(timeout=0.001)
        lease.discard()
        assert isinstance(bridge.acquire().detach(), Thing)
        assert bridge.close(grace=WATCHDOG).closed
        with pytest.raises(PoolClosed):
            bridge.acquire()


@pytest.mark.clause("BRIDGE-SAFE", "LOOP-OWN")
def test_calls_that_would_hang_are_refused() -> None:
    pool = AsyncPool(resources=[Thing()])
    with loop_beside() as loop:
        bridge = PoolOfTasks(pool, loop)

        async def inside() -> None:
            with pytest.raises(WrongLoop, match="its own event loop"):
                bridge.acquire()

        asyncio.run_coroutine_threadsafe(inside(), loop).result(WATCHDOG)
    with pytest.raises(WrongLoop, match="does not run"):
        bridge.acquire()
    parker = BridgingParker(loop)
    with pytest.raises(WrongLoop, match="sleep in a thread"):
        parker.park(None)


@pytest.mark.clause("BRIDGE-SAFE")
def test_thread_that_is_interrupted_while_it_waits_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with loop_beside() as loop:
        pool = AsyncPool(resources=[Thing()])
        bridge = PoolOfTasks(pool, loop)
        lease = bridge.acquire()

        def struck(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("poolproof.aio.bridge.wait", struck)
        with pytest.raises(KeyboardInterrupt):
            bridge.acquire()
        with pytest.raises(KeyboardInterrupt):
            lease.release()  # which happens all the same
        monkeypatch.undo()
        with bridge.acquire(timeout=WATCHDOG):
            assert 0 == pool.stats().waiting
        assert 1 == pool.stats().free
