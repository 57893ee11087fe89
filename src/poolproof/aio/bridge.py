"""A pool of threads used by tasks, and a pool of tasks used by threads; each tells who is on the wrong side."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

from poolproof.aio.lease import AsyncLease
from poolproof.aio.pool import AsyncPool
from poolproof.errors import WrongLoop
from poolproof.lease import Lease
from poolproof.pool import Pool
from poolproof.reports import CloseReport
from poolproof.settings import DEFAULT, callable_or_none, count, seconds
from poolproof.waiting import Waiter

R = TypeVar("R")
T = TypeVar("T")

# A thread that waits for the loop looks so often whether the loop is still there to answer.
LOOK_AGAIN = 1.0


class PoolInThreads(Generic[R]):
    """A `Pool` of threads for the tasks of an event loop.

    Waiting is done in the loop and takes no thread. Callbacks (create, check, reset, destroy) and the ends of leases
    run in the threads of this object, so that they never block the loop. Whoever is cancelled leaves what it had
    begun to such a thread, which finishes or undoes it.

    Args:
        pool: the pool, which threads may go on using.
        threads: how many callbacks may run at the same time.
    """

    def __init__(self, pool: Pool[R], *, threads: int = 4) -> None:
        count("threads", threads, least=1, optional=False)
        self.pool = pool
        self._runner = ThreadPoolExecutor(threads, thread_name_prefix=f"callbacks of {pool.name}")

    def acquire(self, timeout: float | None = DEFAULT, *, reset: Callable[[R], object] | None = None) -> Lending[R]:
        """As `Pool.acquire`, to be awaited or entered."""
        if timeout is not DEFAULT:
            seconds("timeout", timeout)
        callable_or_none("reset", reset)
        return Lending(self, timeout, reset)

    async def close(self, grace: float | None = 0.0, *, force: bool = False) -> CloseReport:
        """As `Pool.close`; whoever is cancelled leaves it closing."""
        closing = partial(self.pool.close, grace, force=force)
        # In a thread of its own: it sleeps, and those it waits for need the others.
        runner = ThreadPoolExecutor(1, thread_name_prefix=f"close of {self.pool.name}")
        try:
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(runner, closing))
        finally:
            runner.shutdown(wait=False)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Have a thread do it. Whoever is cancelled meanwhile does not stop it."""
        return await asyncio.shield(self.begin(function, *arguments))

    def begin(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Have a thread do it, and return the future of what it returns."""
        return asyncio.get_running_loop().run_in_executor(self._runner, partial(function, *arguments))

    def leave(self, function: Callable[[], object]) -> None:
        """Have a thread do it, and do not wait."""
        self._runner.submit(function)


class Lending(Generic[R]):
    """An acquire on its way, of a `PoolInThreads`: ``await`` gives the lease, ``async with`` the resource."""

    def __init__(self, bridge: PoolInThreads[R], timeout: float | None, reset: Callable[[R], object] | None) -> None:
        self._bridge = bridge
        self._timeout = timeout
        self._reset = reset
        self._lease: LeaseInThread[R] | None = None

    def __await__(self) -> Generator[Any, None, LeaseInThread[R]]:
        return self._begin().__await__()

    async def _begin(self) -> LeaseInThread[R]:
        driver = self._bridge.pool._driver
        asked = driver.settings.timeout if self._timeout is DEFAULT else self._timeout
        deadline = None if asked is None or math.isinf(asked) else driver.monotonic() + asked
        waiter = BridgingWaiter(driver, deadline, asked is None or asked > 0, asked, self._reset)
        return LeaseInThread(self._bridge, await waiter.wait_for(self._bridge))

    async def __aenter__(self) -> R:
        lease = self._lease = await self._begin()
        return lease.resource

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._lease is not None
        await self._lease.__aexit__(kind, error, trace)


class LeaseInThread(Generic[R]):
    """The lease of a pool of threads, held by a task."""

    def __init__(self, bridge: PoolInThreads[R], lease: Lease[R]) -> None:
        self._bridge = bridge
        self.lease = lease

    @property
    def resource(self) -> R:
        """The resource, as `Lease.resource`."""
        return self.lease.resource

    async def release(self) -> None:
        """As `Lease.release`; it happens even if this is cancelled."""
        await self._bridge.run(self.lease.release)

    async def discard(self) -> None:
        """As `Lease.discard`; it happens even if this is cancelled."""
        await self._bridge.run(self.lease.discard)

    async def detach(self) -> R:
        """As `Lease.detach`, and done here: what it takes besides is left to a thread, so it is not interrupted."""
        resource = self.lease._take_out()
        self._bridge.leave(self._bridge.pool._driver.tend)
        return resource

    async def __aenter__(self) -> R:
        return self.resource

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._bridge.run(self.lease.__exit__, kind, error, trace)


class BridgingParker:
    """A future of the loop that any thread may wake."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._woken = asyncio.Event()

    def park(self, timeout: float | None) -> bool:
        raise WrongLoop("a task does not sleep in a thread")

    async def rest(self, timeout: float | None) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    def unpark(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:  # the loop is closed: nobody sleeps there any more
            return


class BridgingWaiter(Waiter):
    """One acquire call of a task on a pool of threads: it looks in a thread, and sleeps in the loop."""

    __slots__ = ("tired",)

    def __init__(self, driver: Any, deadline: float | None, patient: bool, asked: float | None, reset: Any) -> None:
        super().__init__(driver, deadline, patient, asked, reset)
        self.ticket = type(self.ticket)(0, self.ticket.who, BridgingParker(asyncio.get_running_loop()))

    def sleep(self) -> None:
        self.tired = True

    async def wait_for(self, bridge: PoolInThreads[Any]) -> Lease[Any]:
        """`Waiter.wait`, where the loop waits for the thread that looks."""
        looking: asyncio.Future[Any] | None = None
        try:
            while True:
                self.tired = False
                looking = bridge.begin(self.look)
                lease: Lease[Any] | None = await asyncio.shield(looking)
                if self.tired:
                    patience = None if self.deadline is None else self.deadline - self.driver.monotonic()
                    await self.ticket.parker.rest(patience)
                elif lease is not None:
                    self.leased = True
                    return lease
        except BaseException:
            if looking is None or looking.done():
                bridge.leave(self.give_up)
            else:  # the thread that looks finishes first
                looking.add_done_callback(lambda _: bridge.leave(self.give_up))
            raise

    def give_up(self) -> None:
        self.cancel()
        self.leased = True


class PoolOfTasks(Generic[R]):
    """An `AsyncPool` for threads beside its event loop: every call is carried out in the loop, and waited for.

    Args:
        pool: the pool, which the tasks of the loop go on using.
        loop: its event loop, which must be running in another thread.
    """

    def __init__(self, pool: AsyncPool[R], loop: asyncio.AbstractEventLoop) -> None:
        self.pool = pool
        self._loop = loop

    def acquire(self, timeout: float | None = DEFAULT) -> LeaseOfTask[R]:
        """As `AsyncPool.acquire`, but waits here.

        Raises:
            WrongLoop: this is the loop's own thread, or the loop does not run [LOOP-OWN].
        """

        async def acquire() -> AsyncLease[R]:
            return await self.pool.acquire(timeout)

        return LeaseOfTask(self, self.call(acquire, undo=AsyncLease.release_soon))

    def close(self, grace: float | None = 0.0, *, force: bool = False) -> CloseReport:
        """As `AsyncPool.close`, but waits here."""
        return self.call(partial(self.pool.close, grace, force=force))

    def call(self, begin: Callable[[], Coroutine[Any, Any, T]], undo: Callable[[T], object] | None = None) -> T:
        """What this returns in the loop. What can be undone is cancelled there, or undone, if this is interrupted."""
        name = self.pool.name
        try:
            here: object = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            raise WrongLoop(f"pool {name!r}: this is its own event loop, which cannot wait here: await it [LOOP-OWN]")
        if not self._loop.is_running():
            raise WrongLoop(f"pool {name!r}: its event loop does not run [LOOP-OWN]")
        future = asyncio.run_coroutine_threadsafe(outcome(begin()), self._loop)
        try:
            while not wait([future], LOOK_AGAIN).done:
                if not self._loop.is_running():
                    raise WrongLoop(f"pool {name!r}: its event loop has stopped [LOOP-OWN]")
            result, error = future.result()
        except BaseException:
            if undo is not None and not future.cancel():  # what ends a lease goes on
                future.add_done_callback(partial(undone, undo))
            raise
        if error is not None:
            raise error
        return result[0]


async def outcome(work: Coroutine[Any, Any, T]) -> tuple[list[T], Exception | None]:
    """What *work* returned, in a list, or the very error that it raised, which asyncio may replace on the way."""
    try:
        return [await work], None
    except Exception as error:
        return [], error


def undone(undo: Callable[[T], object], future: Future[tuple[list[T], Exception | None]]) -> None:
    """Undo what came too late."""
    if not future.cancelled() and future.exception() is None:
        for result in future.result()[0]:
            undo(result)


class LeaseOfTask(Generic[R]):
    """The lease of a pool of tasks, held by a thread."""

    def __init__(self, bridge: PoolOfTasks[R], lease: AsyncLease[R]) -> None:
        self._bridge = bridge
        self.lease = lease

    @property
    def resource(self) -> R:
        """The resource, as `AsyncLease.resource`."""
        return self.lease.resource

    def release(self) -> None:
        """As `AsyncLease.release`, but waits here."""
        self._bridge.call(self.lease.release)

    def discard(self) -> None:
        """As `AsyncLease.discard`, but waits here."""
        self._bridge.call(self.lease.discard)

    def detach(self) -> R:
        """As `AsyncLease.detach`, but waits here."""
        return self._bridge.call(self.lease.detach)

    def __enter__(self) -> R:
        return self.resource

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bridge.call(partial(self.lease.__aexit__, kind, error, trace))
