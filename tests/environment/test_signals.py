"""Signal handlers that use the pool on the thread that they interrupt, and exceptions out of the blue, by the
thousand."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

from environment.rig import WATCHDOG, Maker, Thing, Thread, at_rest, quiet_surroundings
from environment.test_finalizers import OPERATIONS
from poolproof import Pool, PoolError

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
# As often as the system can: the handler has hardly returned when the next signal is due.
PERIOD = 20e-6
SIGNALS = 1_500


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
        while len(handled) < SIGNALS // 10 or turns < 500:
            operation(pool)
            turns += 1
    pool.maintain()
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


def cycles(pool: Pool[Thing], until: Callable[[], bool], struck: Callable[[], object]) -> None:
    """Use the pool in all ways until *until*; take what strikes."""
    turn = 0
    while not until():
        turn += 1
        try:
            if turn % 50 == 0:
                pool.maintain()
            with pool.acquire(WATCHDOG) as thing:
                assert not thing.destroyed
            lease = pool.try_acquire()
            if lease is not None:
                (lease.discard if turn % 7 == 0 else lease.release)()
                del lease
        except Strike:
            struck()


class Account:
    """How many strikes were sent to each thread, and how many have arrived there; never two on their way at once."""

    def __init__(self) -> None:
        self.sent: dict[int, int] = {}
        self.arrived: dict[int, int] = {}

    def note(self) -> None:
        me = threading.get_ident()
        self.arrived[me] = self.arrived.get(me, 0) + 1

    def strike(self, ident: int) -> None:
        if self.sent.get(ident, 0) == self.arrived.get(ident, 0):
            self.sent[ident] = self.sent.get(ident, 0) + 1
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Strike))


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "CONSERVATION")
@pytest.mark.parametrize("options", [{}, {"reset": lambda thing: None}, {"check": lambda thing: True}])
def test_no_slot_is_lost_in_a_storm_of_exceptions(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        """One exception at a time, until the last that was sent has arrived."""
        me = threading.get_ident()
        while True:
            with suppress(Strike):
                cycles(pool, lambda: calm.is_set() and account.sent.get(me, 0) <= account.arrived.get(me, 0), account.note)
                return
            account.note()

    def handle(number: int, frame: FrameType | None) -> None:
        raise Strike

    account, calm, maker = Account(), threading.Event(), Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2, **options)
    with quiet_surroundings():
        # What strikes in a finalizer has arrived too.
        monkeypatch.setattr(sys, "unraisablehook", lambda args: account.note())
        threads = [Thread(work) for _ in range(3)]
        while sum(account.arrived.values()) < SIGNALS and any(thread.alive for thread in threads):
            for thread in threads:
                account.strike(thread.ident)
            with suppress(PoolError):
                pool.acquire(0).release()
        calm.set()
        for thread in threads:
            thread.join()
    pool.maintain()
    assert sum(account.arrived.values()) >= SIGNALS
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "SIGNAL-SAFE")
def test_no_slot_is_lost_to_a_handler_that_raises() -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        if armed:
            armed.clear()
            raise Strike

    def rearm() -> None:
        strikes.append(True)
        armed.append(True)

    armed, strikes, maker = [True], list[bool](), Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2)
    with quiet_surroundings() as unraisable, timer(handle):
        while len(strikes) < SIGNALS // 10:
            try:
                cycles(pool, lambda: not armed, rearm)
            except Strike:
                strikes.append(True)
            armed[:] = [True]
        armed.clear()
    pool.maintain()
    assert [] == [error for error in unraisable if not isinstance(error, Strike)]
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)
