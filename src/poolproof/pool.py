"""The pool for threads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import Generic, NoReturn, TypeVar

from poolproof import core, operations
from poolproof.core import grant_free
from poolproof.driver import Driver
from poolproof.errors import AcquireTimeout, PoolBusy
from poolproof.filling import Filling
from poolproof.forks import watch_forks
from poolproof.housekeeping import Housekeeper
from poolproof.lease import Lease
from poolproof.maintenance import maintain, revoke_all
from poolproof.messages import holders_of, pooled
from poolproof.reports import CloseReport, Holder, Pooled, PoolEvent, PoolStats, stats_of
from poolproof.runtime import Runtime
from poolproof.settings import DEFAULT, callable_or_none, checked_settings, of_type, seconds
from poolproof.waiting import Waiter, wait_until_closed

R = TypeVar("R")

_numbers = itertools.count(1)


class Pool(Generic[R]):
    """A pool of resources for threads.

    ``acquire`` gives a `Lease`; a ``with`` block on it gives the resource and ends the lease. A ``with`` block on
    the pool closes it. All methods may be called from any thread, from callbacks, finalizers and signal handlers.

    Args:
        create: makes a resource; called without arguments, in the acquiring thread or the executor.
        resources: resources to begin with; copied, each object at most once.
        destroy: disposes of a resource that leaves the pool.
        check: called with a resource at each grant and each inspection; a false result or an exception discards it.
        reset: called with a resource after each release, before it is used again; an exception discards it.
        max_size: the limit of live slots; None means unbounded.
        min_size: how many slots are built at once and kept in existence.
        prefill: whether they are built at once; if not, maintenance builds them, and retries.
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
        discard_on: exception types which, leaving a with block, discard the resource; default: all that are not an
            `Exception` (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, exits of greenlets).
        executor: runs create, reset and destroy instead of the calling thread.
        executor_for: which of "build", "reset", "destroy" it runs; default all.
        retry_delay: seconds before a failed build for min_size is tried again; doubles with each failure.
        retry_delay_max: seconds that this delay never exceeds.
        housekeeping: seconds between calls of `maintain` by a thread of the pool; None means no thread.
        name: what messages call the pool.
        observer: called with a `PoolEvent` after every commit.
        trace_leases: whether to remember where each lease was acquired, for `holders` and warnings; slow.
        runtime: clock, parking and commit; default: operating system threads.
    Raises:
        TypeError, ValueError: an argument makes no sense; nothing was created [INPUTS-VALIDATED].
        DuplicateResource: create returned an object that is in the pool already.
        Anything else came from create, for min_size; what had been created is destroyed again [BUILT-UNDONE].
    """

    __slots__ = ("__weakref__", "_atom", "_driver", "_here", "_housekeeper", "_monotonic", "_options", "_plain")

    def __init__(
        self,
        create: Callable[[], R] | None = None,
        *,
        resources: Iterable[R] | None = None,
        destroy: Callable[[R], object] | None = None,
        check: Callable[[R], object] | None = None,
        reset: Callable[[R], object] | None = None,
        max_size: int | None = None,
        min_size: int = 0,
        prefill: bool = True,
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
        executor: Executor | None = None,
        executor_for: Iterable[str] | None = None,
        retry_delay: float = 1.0,
        retry_delay_max: float = 60.0,
        housekeeping: float | None = None,
        name: str | None = None,
        observer: Callable[[PoolEvent], object] | None = None,
        trace_leases: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        settings, given = checked_settings(
            create=create, resources=resources, destroy=destroy, check=check, reset=reset, max_size=max_size,
            min_size=min_size, prefill=prefill, max_free=max_free, shrink_to=shrink_to, max_age=max_age,
            max_age_jitter=max_age_jitter, max_idle=max_idle, max_uses=max_uses, max_lease=max_lease,
            revoke_overdue=revoke_overdue, max_waiting=max_waiting, timeout=timeout, order=order,
            when_empty=when_empty, discard_on=discard_on, executor=executor, executor_for=executor_for,
            retry_delay=retry_delay, retry_delay_max=retry_delay_max, housekeeping=housekeeping,
            name=f"pool-{next(_numbers)}" if name is None else name, observer=observer,
            trace_leases=trace_leases, runtime=runtime,
        )  # fmt: skip
        driver = Driver(settings)
        self._options = driver.options
        self._monotonic = driver.monotonic
        self._here = driver.here
        self._plain = settings.check is None and settings.observer is None
        self._housekeeper: Housekeeper | None = None
        filling = Filling(driver, given)
        try:
            filling.fill()
            self._driver = driver
            self._renew_atom()
            watch_forks(self)
            if settings.housekeeping is not None:
                self._housekeeper = Housekeeper(self, driver, settings.housekeeping)
        except BaseException:
            filling.undo()
            raise

    def acquire(self, timeout: float | None = DEFAULT, *, reset: Callable[[R], object] | None = None) -> Lease[R]:
        """Return a lease, waiting at most *timeout* seconds for it.   Rows: GRANT-FREE, QUEUE, REFUSE-*, WITHDRAW.

        Waiters are served in the order of their arrival. If nothing is free and there is room, the resource is built
        here, and the time that create takes is not bounded (unless the pool has an executor for it).

        Args:
            timeout: seconds on a monotonic clock; None waits without limit, 0 never waits; default: the pool's.
            reset: called with the resource when this lease is released, instead of the pool's reset.
        Returns:
            A lease. End it exactly once, from any thread.
        Raises:
            AcquireTimeout: the deadline passed while waiting, or nothing was to be had at once [WAIT-DEADLINE].
            PoolClosed: the pool is closing or closed, before or while waiting [CLOSE-REFUSES].
            PoolEmpty: nothing is there, nothing can be built, and ``when_empty="raise"`` [EMPTY-RAISES].
            PoolBusy: max_waiting are waiting already [WAIT-BOUND].
            CheckFailed: a resource failed its check right after it was built [CHECK-TERMINATES].
            TypeError, ValueError: the timeout is not a number of seconds from 0 up [TIMEOUT-VALUES].
            Anything else came unchanged from your create, or is a bug in poolproof.
        Cost: O(1).
        """
        if timeout is not DEFAULT:
            seconds("timeout", timeout)
        granted, monotonic = None, self._monotonic
        try:
            while self._plain and reset is None:
                atom = self._atom
                leave = atom.leave
                state = atom.value
                granted = grant_free(state, self._options, monotonic(), self._here.who)
                if granted is None:
                    break
                new, slot, hold = granted
                lease: Lease[R] = Lease()
                lease._driver, lease._record, lease._slot = self._driver, hold, slot
                for _ in atom.turns:  # the commit, as in ThreadAtom
                    if atom.value is state:
                        slot.record = hold  # the record of a free slot has nothing in it whose end would run code
                        atom.value = new
                        leave()
                        return lease
                    leave()
                    break
        except BaseException:
            if granted is not None:
                new, slot, hold = granted
                self._atom.recover(new, ((slot, hold),))
                self._driver.give_back(slot, hold)
            raise
        callable_or_none("reset", reset)
        return self._acquire_slowly(timeout, reset)

    def try_acquire(self, *, reset: Callable[[R], object] | None = None) -> Lease[R] | None:
        """Return a lease if one is to be had without waiting, else None. It may build.

        Raises:
            As `acquire` does, but for AcquireTimeout and PoolBusy.
        Cost: O(1).
        """
        try:
            return self.acquire(0, reset=reset)
        except (AcquireTimeout, PoolBusy) as error:
            if error.of is not self._driver.token:
                raise  # it is create's own: it waited for another pool
            return None

    def add(self, resource: R) -> None:
        """Take in a resource from outside; a waiter gets it directly.   Rows: ADD.   Cost: O(1).

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
            PoolFull: there is no room for it [CAPACITY].
            DuplicateResource: this very object is in the pool already [IDENTITY-ONLY].
        """
        operations.add(self._driver, resource)

    def remove(self, resource: R) -> None:
        """Have a resource leave the pool: at once if it is free, else when its holder is done. It is destroyed.
        Rows: REMOVE-FREE, RETIRE.   Cost: O(free slots).

        Raises:
            NotPooled: this very object is not in the pool [REMOVE-LEAVES].
        """
        operations.remove(self._driver, resource)

    def resize(self, max_size: int | None) -> None:
        """Change the limit. Upwards, waiters get to build at once; downwards, surplus free resources are destroyed
        now and others when their holders are done.   Rows: RESIZE.   Cost: O(free slots + waiters served).

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
            TypeError, ValueError: not a number of slots, or below min_size [INPUTS-VALIDATED].
        """
        operations.resize(self._driver, max_size)

    def expire_all(self) -> None:
        """Replace every resource: free ones are destroyed now, others when their holders are done.   Rows: RENEW.

        Raises:
            PoolClosed: the pool is closing or closed [CLOSE-REFUSES].
        Cost: O(free slots), to destroy them.
        """
        operations.expire_all(self._driver)

    def maintain(self) -> None:
        """One round of housekeeping: discard what is too old, idle or too many; inspect what is free; warn of
        overdue leases or revoke them; restore min_size; take over unowned work.

        Raises nothing but interruptions; errors of callbacks are logged.
        Cost: O(slots), and the callbacks.
        Clauses: EXPIRY-REACHES-ALL, RETENTION, LEASE-OVERDUE, MIN-SIZE.
        """
        maintain(self._driver)

    def stats(self) -> PoolStats:
        """The counts of this moment, all from one state. Never waits.   Cost: O(1).   [SNAPSHOT-CONSISTENT]"""
        return stats_of(self._driver.settings.name, self._options.min_size, self._driver.state)

    def holders(self) -> tuple[Holder, ...]:
        """Who holds what, the longest first, of one instant if others let it be (it looks at most 20 times); each
        lease in it was held at some moment during the call. Waits for nobody.   Cost: O(slots)."""
        return holders_of(self._driver)

    def resources(self) -> tuple[Pooled[R], ...]:
        """Every resource there is, held ones included: the free ones first, the next to be granted at the front. Of
        one instant as `holders` is, and waits for nobody.   Cost: O(slots)."""
        return pooled(self._driver)

    def close(self, grace: float | None = 0.0, *, force: bool = False) -> CloseReport:
        """Grant nothing any more, refuse all waiters at once, destroy what is free, and what is held when its
        holder is done.   Rows: CLOSE, REVOKE, CLOSED.

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
        deadline = None if grace is None or math.isinf(grace) else driver.monotonic() + grace
        report = operations.begin_close(driver)
        wait_until_closed(driver, deadline)
        revoked = revoke_all(driver) if force and driver.state.ledger.live else ()
        if self._housekeeper is not None:
            self._housekeeper.stop()
        return report(revoked)

    @property
    def name(self) -> str:
        """What messages call the pool."""
        return self._driver.settings.name

    def __enter__(self) -> Pool[R]:
        operations.require_open(self._driver)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return operations.in_one_line("Pool", self.stats())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pool cannot be copied or pickled: its resources are its own [EXCLUSIVE]")

    def __del__(self) -> None:
        # Nobody can reach the pool any more. Its free resources are destroyed, and those that leases still hold
        # when they end; nothing is waited for [COLLECTABLE].
        driver = getattr(self, "_driver", None)
        if driver is not None and driver.is_open:
            driver.step(lambda state, now: core.close(state, driver.options, now))
            driver.tend()

    def _acquire_slowly(self, timeout: float | None, reset: Callable[[R], object] | None) -> Lease[R]:
        driver = self._driver
        asked = driver.settings.timeout if timeout is DEFAULT else timeout
        patient = asked is None or asked > 0
        deadline = None if asked is None or math.isinf(asked) else driver.monotonic() + asked
        return Waiter(driver, deadline, patient, asked, reset).wait()

    def _renew_atom(self) -> None:
        """Take the driver's atom for the fast path: when made, and in the child after a fork."""
        self._atom = self._driver.atom
