"""Signal handlers that use the pool on the thread that they interrupt, and exceptions out of the blue, by the
thousand."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

import pytest

from environment.rig import WATCHDOG, Maker, Thing, Thread, at_rest, hasty_switching, quiet_surroundings
from environment.test_finalizers import OPERATIONS
from poolproof import Pool, PoolError

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
# As often as the system can: the handler has hardly returned when the next signal is due.
PERIOD = 20e-6
SIGNALS = 150
STRIKES = 1_000


class Strike(BaseException):
    """Raised by a signal handler, or by another thread."""


@contextmanager
def timer(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    # Not SIGALRM, which is the watchdog's.
    before = signal.signal(signal.SIGPROF, handler)
    signal.setitimer(signal.ITIMER_PROF, PERIOD, PERIOD)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.mark.clause("SIGNAL-SAFE", "COUNTS-RECOUNT")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
@pytest.mark.parametrize("options", [{}, {"reset": lambda thing: None, "observer": lambda event: None}])
def test_handler_acquires_and_releases_in_any_operation(
    operation: Callable[[Pool[Thing]], object], options: dict[str, Any]
) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        handled.append(number)
        with suppress(PoolError):
            lease = pool.acquire(0)
            (lease.discard if len(handled) % 3 == 0 else lease.release)()

    handled: list[int] = []
    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=4, **options)
    turns = 0
    with timer(handle):
        while len(handled) < SIGNALS or turns < 500:
            operation(pool)
            turns += 1
    pool.maintain()
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


class Worker:
    """Uses the pool in all ways, and takes what strikes; one strike a turn at most, and then it cleans up."""

    def __init__(self, pool: Pool[Thing]) -> None:
        self.pool = pool
        self.turns = 0
        self.struck = 0
        self.strike_at = 1
        self.last: int | None = None

    def turn(self) -> None:
        try:
            self.cycle()
        except Strike:
            self.struck += 1
        # Here the exception is gone, with its traceback and all that only that referred to.
        self.turns += 1

    def cycle(self) -> None:
        if self.turns % 50 == 0:
            self.pool.maintain()
        with self.pool.acquire(WATCHDOG) as thing:
            assert not thing.destroyed
        lease = self.pool.try_acquire()
        if lease is not None:
            (lease.discard if self.turns % 7 == 0 else lease.release)()

    def run(self, calm: threading.Event) -> None:
        """Until nothing can strike any more, also between two turns."""
        while True:
            try:
                while True:  # from 3.12 on, the way back of a loop with a condition would be outside of the try
                    if self.over(calm):
                        return
                    self.turn()
            except Strike:
                self.struck += 1

    def over(self, calm: threading.Event) -> bool:
        if self.last is None and calm.is_set():
            self.last = self.turns + 3
        return self.last is not None and self.turns >= self.last

    def strike(self, ident: int) -> None:
        """From another thread: strike, if the last strike is over."""
        if self.turns >= self.strike_at:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Strike))
            self.strike_at = self.turns + 2


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "CONSERVATION")
@pytest.mark.parametrize("options", [{}, {"reset": lambda thing: None}, {"check": lambda thing: True}])
def test_no_slot_is_lost_in_a_storm_of_exceptions(options: dict[str, Any]) -> None:
    def start(worker: Worker) -> Thread:
        return Thread(partial(worker.run, calm))

    calm, maker = threading.Event(), Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2, **options)
    workers = [Worker(pool) for _ in range(3)]
    with quiet_surroundings() as unraisable, hasty_switching(1e-4):
        threads = [start(worker) for worker in workers]
        while sum(worker.struck for worker in workers) < STRIKES:
            for number, worker in enumerate(workers):
                if not threads[number].alive:  # 3.11 may deliver late, and strike down a thread between its turns
                    threads[number] = start(worker)
                worker.strike(threads[number].ident)
            with suppress(PoolError):
                pool.acquire(0).release()
        calm.set()
        for thread in threads:
            with suppress(Strike):
                thread.join()
    pool.maintain()
    assert [] == [error for error in unraisable if not isinstance(error, Strike)]
    assert sum(worker.struck for worker in workers) >= STRIKES
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "SIGNAL-SAFE")
def test_no_slot_is_lost_to_a_handler_that_raises() -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        if worker.struck >= SIGNALS:
            calm.set()
        elif worker.turns >= worker.strike_at:
            worker.strike_at = worker.turns + 2
            raise Strike

    calm, maker = threading.Event(), Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2)
    worker = Worker(pool)
    with quiet_surroundings() as unraisable, timer(handle):
        worker.run(calm)
    pool.maintain()
    assert [] == [error for error in unraisable if not isinstance(error, Strike)]
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)
