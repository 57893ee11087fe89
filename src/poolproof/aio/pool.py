"""The pool for tasks."""

from __future__ import annotations

import asyncio
import itertools
import math
from asyncio import current_task
from collections.abc import Awaitable, Callable, Iterable
from threading import get_ident
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar, Unpack, overload
from weakref import ref

from poolproof import operations
from poolproof.aio.acquiring import Acquiring
from poolproof.aio.driver import AsyncDriver
from poolproof.aio.housekeeping import Housekeeper, maintain
from poolproof.aio.lease import AsyncLease
from poolproof.aio.options import AsyncPoolOptions, Maybe
from poolproof.aio.waiting import AsyncWaiter, wait_until_closed
from poolproof.core import grant_free
from poolproof.core.values import Build
from poolproof.errors import AcquireTimeout, PoolBusy
from poolproof.filling import put_in
from poolproof.forks import watch_forks
from poolproof.maintenance import revoke_all
from poolproof.messages import holders_of, pooled
from poolproof.reports import CloseReport, Holder, Pooled, PoolEvent, PoolStats, stats_of
from poolproof.runtime.aio import AsyncRuntime
from poolproof.settings import DEFAULT, callable_or_none, checked_settings, of_type, seconds

R = TypeVar("R")
_numbers = itertools.count(1)


class AsyncPool(Generic[R]):
    """A pool of resources for the tasks of one event loop.

    ``async with pool.acquire() as resource`` lends a resource for the block; ``await pool.acquire()`` gives an
    `AsyncLease`. ``async with`` on the pool builds min_size resources and closes it in the end.

    A pool may be made anywhere, and belongs to the first event loop that uses it [LOOP-OWN]. Every callback may be a
    plain function or return something to be awaited. What is awaited of create, reset, destroy and inspections runs
    in tasks of the pool: whoever is cancelled leaves it undisturbed [CANCEL-SPARES], and a timeout bounds the time
    that create takes, too. Only the check of an acquire runs in the task that acquires.

    Args:
        create: makes a resource; called without arguments.
        resources: resources to begin with; copied, each object at most once.
        destroy: disposes of a resource that leaves the pool.
        check: called with a resource at each grant and each inspection; a false result or an exception discards it.
        reset: called with a resource after each release, before it is used again; an exception discards it.
        max_size: the limit of live slots; None means unbounded.
        min_size: how many slots are built when the pool is entered or opened, and kept in existence.
        max_free: how many may stay free; None means any number.
        shrink_to: how many stay free once there were more than max_free; default max_free.
        max_age: seconds after which a resource is not granted again.
        max_age_jitter: fraction from 0 to 1 by which each resource's own max_age may be shorter.
        max_idle: seconds after which a free resource is discarded, while more than min_size are there.
        max_uses: how often a resource is granted before it is replaced.
        max_lease: seconds after which a lease is overdue; `maintain` warns of it.
        revoke_overdue: whether `maintain` revokes overdue leases instead.
        max_waiting: how many may wait; None means any number.
        timeout: seconds that an acquire waits if it does not say; None waits without limit.
        order: "lifo" (the last freed is next) or "fifo".
        when_empty: "wait", or "raise" if nothing is in the pool and nothing can be built.
        discard_on: exception types which, leaving a block, discard the resource; default: all that are not an
            `Exception` (asyncio.CancelledError above all).
        retry_delay: seconds before a failed build for min_size is tried again; doubles with each failure.
        retry_delay_max: seconds that this delay never exceeds.
        housekeeping: seconds between calls of `maintain` by a task of the pool; None means no task.
        name: what messages call the pool.
        observer: called with a `PoolEvent` after every commit; what it returns to be awaited is awaited in order.
        runtime: clock, parking and commit; default: those of asyncio.
    Raises:
        TypeError, ValueError: an argument makes no sense; nothing was created [INPUTS-VALIDATED].
    """

    __slots__ = ("__weakref__", "_atom", "_driver", "_housekeeper", "_monotonic", "_options", "_plain")

    @overload
    def __init__(self, create: Callable[[], Awaitable[R]], **options: Unpack[AsyncPoolOptions[R]]) -> None: ...
    @overload
    def __init__(self, create: Callable[[], R] | None = None, **options: Unpack[AsyncPoolOptions[R]]) -> None: ...
    def __init__(
        self,
        create: Callable[[], Awaitable[R]] | Callable[[], R] | None = None,
        *,
        resources: Iterable[R] | None = None,
        destroy: Callable[[R], Maybe] | None = None,
        check: Callable[[R], Maybe] | None = None,
        reset: Callable[[R], Maybe] | None = None,
        max_size: int | None = None,
        min_size: int = 0,
        max_free: int | None = None,
        shrink_to: int | None = None,
        max_age: float | None = None,
        max_age_jitter: float = 0.0,
        max_idle: float | None = None,
        max_uses: int | None = None,
        max_lease: float | None = None,
        revoke_overdue: bool = False,
        max_waiting: int | None = None,
        timeout: float | None = None,
        order: str = "lifo",
        when_empty: str = "wait",
        discard_on: Iterable[type[BaseException]] | None = None,
        retry_delay: float = 1.0,
        retry_delay_max: float = 60.0,
        housekeeping: float | None = None,
        name: str | None = None,
        observer: Callable[[PoolEvent], Maybe] | None = None,
        runtime: AsyncRuntime | None = None,
    ) -> None:
        chosen: Any = AsyncRuntime() if runtime is None else runtime
        settings, given = checked_settings(
            create=create, resources=resources, destroy=destroy, check=check, reset=reset, max_size=max_size,
            min_size=min_size, prefill=False, max_free=max_free, shrink_to=shrink_to, max_age=max_age,
            max_age_jitter=max_age_jitter, max_idle=max_idle, max_uses=max_uses, max_lease=max_lease,
            revoke_overdue=revoke_overdue, max_waiting=max_waiting, timeout=timeout, order=order,
            when_empty=when_empty, discard_on=discard_on, executor=None, executor_for=None,
            retry_delay=retry_delay, retry_delay_max=retry_delay_max, housekeeping=housekeeping,
            name=f"async-pool-{next(_numbers)}" if name is None else name, observer=observer,
            runtime=chosen,
        )  # fmt: skip
        driver = AsyncDriver(settings)
        self._options = driver.options
        self._monotonic = driver.monotonic
        self._plain = settings.check is None and settings.observer is None
        put_in(driver, given, (), [driver.monotonic()] * len(given))
        self._driver = driver
        self._renew_atom()
        self._housekeeper: Housekeeper | None = None
        if settings.housekeeping is not None:
            self._housekeeper = Housekeeper(self, settings.housekeeping)
            driver.on_bound = self._housekeeper.start
        if driver.observer is not None:
            driver.observe(driver.state, (), settings.setup(0))
        watch_forks(self)

    def acquire(self, timeout: float | None = DEFAULT, *, reset: Callable[[R], Maybe] | None = None) -> Acquiring[R]:
        """``await`` it for a lease, or enter it with ``async with`` for the resource.
        Rows: GRANT-FREE, QUEUE, REFUSE-*, WITHDRAW.

        Waiters are served in the order of their arrival. If nothing is free and there is room, a resource is built;
        that time counts. Whoever is cancelled leaves no trace, and what is built for it goes to the next.

        Args:
            timeout: seconds on a monotonic clock; None waits without limit, 0 waits for nothing but its own create;
                default: the pool's.
            reset: called with the resource when this lease is released, instead of the pool's reset.
        Returns:
            Something to await once. End the lease exactly once, from any task of this loop.
        Raises:
            TypeError, ValueError: the timeout is not a number of seconds from 0 up [TIMEOUT-VALUES]. At once; the
                others when it is awaited:
            AcquireTimeout: the deadline passed while waiting, or nothing was to be had at once [WAIT-DEADLINE].
            PoolClosed: the pool is closing or closed, before or while waiting [CLOSE-REFUSES].
            PoolEmpty: nothing is there, nothing can be built, and ``when_empty="raise"`` [EMPTY-RAISES].
            PoolBusy: max_waiting are waiting already [WAIT-BOUND].
            CheckFailed: a resource failed its check right after it was built [CHECK-TERMINATES].
            WrongLoop: the pool belongs to another event loop [LOOP-OWN].
            Anything else came unchanged from your create, or is a bug in poolproof.
        Cost: O(1).
        """
        if timeout is not DEFAULT:
            seconds("timeout", timeout)
        if reset is not None:
            callable_or_none("reset", reset)
        acquiring: Acquiring[R] = Acquiring()
        acquiring._pool, acquiring._timeout, acquiring._reset = self, timeout, reset
        return acquiring

    async def try_acquire(self, *, reset: Callable[[R], Maybe] | None = None) -> AsyncLease[R] | None:
        """Return a lease if one is to be had without waiting for anything but its own create, else None.

        Raises:
            As `acquire` does, but for AcquireTimeout and PoolBusy.
        Cost: O(1).
        """
        try:
            return await self.acquire(0, reset=reset)
        except (AcquireTimeout, PoolBusy) as error:
            if error.of is not self._driver.token:
                raise  # it is create's own: it waited for another pool
            return None

    async def add(self, resource: R) -> None:
        """Take in a resource from outside; a waiter gets it directly.   Rows: ADD.   Cost: O(1).

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
            PoolFull: there is no room for it [CAPACITY].
            DuplicateResource: this very object is in the pool already [IDENTITY-ONLY].
        """
        self._driver.bind()
        await self._driver.finish(operations.add, self._driver, resource)

    async def remove(self, resource: R) -> None:
        """Have a resource leave the pool: at once if it is free, else when its holder is done. It is destroyed.
        Rows: REMOVE-FREE, RETIRE.   Cost: O(free slots).

        Raises:
            NotPooled: this very object is not in the pool [REMOVE-LEAVES].
        """
        self._driver.bind()
        await self._driver.finish(operations.remove, self._driver, resource)

    async def resize(self, max_size: int | None) -> None:
        """Change the limit. Upwards, waiters get to build at once; downwards, surplus free resources are destroyed
        now and others when their holders are done.   Rows: RESIZE.   Cost: O(free slots + waiters served).

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
            TypeError, ValueError: not a number of slots, or below min_size [INPUTS-VALIDATED].
        """
        self._driver.bind()
        await self._driver.finish(operations.resize, self._driver, max_size)

    async def expire_all(self) -> None:
        """Replace every resource: free ones are destroyed now, others when their holders are done.   Rows: RENEW.

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
        Cost: O(free slots), to destroy them.
        """
        self._driver.bind()
        await self._driver.finish(operations.expire_all, self._driver)

    async def maintain(self) -> None:
        """One round of housekeeping: discard what is too old, idle or too many; inspect what is free; warn of
        overdue leases or revoke them, and of leases whose task has ended; restore min_size; take over unowned work.

        Raises nothing but cancellations; errors of callbacks are logged.
        Cost: O(slots), and the callbacks.
        Clauses: EXPIRY-REACHES-ALL, RETENTION, LEASE-OVERDUE, MIN-SIZE, TASK-LEASES.
        """
        self._driver.bind()
        await maintain(self._driver)

    def stats(self) -> PoolStats:
        """The counts of this moment, all from one state. Never waits.   Cost: O(1).   [SNAPSHOT-CONSISTENT]"""
        return stats_of(self._driver.settings.name, self._options.min_size, self._driver.state)

    def holders(self) -> tuple[Holder, ...]:
        """Who holds what, the longest first.   Cost: O(slots)."""
        return holders_of(self._driver)

    def resources(self) -> tuple[Pooled[R], ...]:
        """Every resource there is, held ones included: the free ones first, the next to be granted at the front.
        Cost: O(slots)."""
        return pooled(self._driver)

    async def open(self) -> None:
        """Build up to min_size; entering the pool with ``async with`` does the same.   Rows: REFILL.

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
            Anything else came from create; then, or if this is cancelled, the pool is closed [BUILT-UNDONE].
        """
        driver = self._driver
        driver.bind()
        operations.require_open(driver)
        driver.opening = []
        try:
            driver.tend()
            while builds := [task for task, duty in driver.tasks.items() if isinstance(duty.effect, Build)]:
                await asyncio.wait(builds)
            failed, driver.opening = driver.opening, None
            if failed:
                await self.close()
                raise failed[0]
        except asyncio.CancelledError:
            operations.begin_close(driver)
            raise
        finally:
            driver.opening = None

    async def close(self, grace: float | None = 0.0, *, force: bool = False) -> CloseReport:
        """Grant nothing any more, refuse all waiters at once, destroy what is free, and what is held when its
        holder is done.   Rows: CLOSE, REVOKE, CLOSED.

        Whoever is cancelled here leaves the pool closing, and what is being destroyed goes on being destroyed.

        Args:
            grace: how many seconds to wait for holders and callbacks; None waits without limit.
            force: revoke, after that, the leases that are still out, and destroy their resources under their users.
        Returns:
            What was achieved, and who still holds what. Calling it again waits and reports again.
        Raises:
            TypeError, ValueError: the grace is not a number of seconds from 0 up.
        Cost: O(slots + waiters).   Clauses: CLOSE-REFUSES, CLOSE-TERMINATES, CLOSE-REPORTS.
        """
        seconds("grace", grace)
        of_type("force", force, bool)
        driver = self._driver
        driver.bind()
        deadline = None if grace is None or math.isinf(grace) else driver.monotonic() + grace
        if self._housekeeper is not None:
            self._housekeeper.stop()
        report = await driver.finish(operations.begin_close, driver)
        await wait_until_closed(driver, deadline)
        revoked = await driver.finish(revoke_all, driver) if force and driver.state.ledger.live else ()
        if driver.telling is not None:
            await asyncio.wait([driver.telling])
        return report(revoked)

    @property
    def name(self) -> str:
        """What messages call the pool."""
        return self._driver.settings.name

    async def __aenter__(self) -> AsyncPool[R]:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return operations.in_one_line("AsyncPool", self.stats())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pool cannot be copied or pickled: its resources are its own [EXCLUSIVE]")

    def __del__(self) -> None:
        # Nobody can reach the pool any more: as in `Pool`, but in the loop [COLLECTABLE].
        driver = getattr(self, "_driver", None)
        if driver is not None and driver.is_open:
            driver.last_of_all(lambda: operations.begin_close(driver))

    def _at_once(self) -> AsyncLease[R] | None:
        """A lease, if that takes no more than one step and nothing of the user's."""
        driver = self._driver
        if not self._plain or get_ident() != driver.thread:
            return None
        atom, options, task = self._atom, self._options, current_task(driver.loop)
        if task is None:
            return None
        who = ref(task)
        while True:
            state = atom.value
            granted = grant_free(state, options, self._monotonic(), who)
            if granted is None:
                return None
            new, slot, hold = granted
            lease: AsyncLease[R] = AsyncLease()
            lease._driver, lease._record, lease._slot = driver, hold, slot
            if atom.value is state:  # the commit, as in AsyncAtom
                atom.value = new
                slot.record = hold  # the record of a free slot has nothing in it whose end would run code
                return lease

    async def _slowly(self, timeout: float | None, reset: Callable[[R], Maybe] | None) -> AsyncLease[R]:
        driver = self._driver
        driver.bind()
        asked = driver.settings.timeout if timeout is DEFAULT else timeout
        patient = asked is None or asked > 0
        deadline = None if asked is None or math.isinf(asked) else driver.monotonic() + asked
        return await AsyncWaiter(driver, deadline, patient, asked, reset).wait()

    def _renew_atom(self) -> None:
        """Take the driver's atom for the fast path: when made, and in the child after a fork."""
        self._atom = self._driver.atom
