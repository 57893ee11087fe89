"""What the tests of this folder stand on: resources that keep accounts, a staged runtime, threads under a watchdog."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from poolproof import Pool, PoolWarning
from poolproof.core.values import FREE
from poolproof.core.world import broken, slot_states
from poolproof.runtime import ThreadRuntime
from poolproof.runtime.threads import ThreadParker

# No outcome depends on it: it only turns a hang into a failure.
WATCHDOG = 30.0


class Thing:
    """A resource that counts how often it was destroyed."""

    __slots__ = ("__weakref__", "destroyed", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.destroyed = 0

    def __repr__(self) -> str:
        return f"<thing {self.number}, destroyed {self.destroyed} times>"


class Maker:
    """Creates and destroys things, and knows all of them."""

    def __init__(self) -> None:
        self.things: list[Thing] = []

    def create(self) -> Thing:
        thing = Thing(len(self.things))
        self.things.append(thing)
        return thing

    def several(self, count: int) -> list[Thing]:
        return [self.create() for _ in range(count)]

    def destroy(self, thing: Thing) -> None:
        thing.destroyed += 1


class StagedRuntime(ThreadRuntime):
    """Threads with a clock that moves only when somebody sleeps with a timeout: then the time has passed at once."""

    __slots__ = ("at_clock", "before_park", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.before_park: Callable[[], object] = lambda: None
        self.at_clock: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        self.at_clock()
        return self.now

    def parker(self) -> StagedParker:
        return StagedParker(self)


class StagedParker(ThreadParker):
    __slots__ = ("_runtime",)

    def __init__(self, runtime: StagedRuntime) -> None:
        super().__init__()
        self._runtime = runtime

    def park(self, timeout: float | None) -> bool:
        self._runtime.before_park()
        if timeout is None:
            return super().park(WATCHDOG)
        if super().park(0.0):
            return True
        self._runtime.now += timeout
        return False


class Thread:
    """A thread whose error reaches whoever joins it, and whose hanging is an error."""

    def __init__(self, target: Callable[[], object]) -> None:
        self._target = target
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._target()
        except BaseException as error:
            self._error = error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def ident(self) -> int:
        assert self._thread.ident is not None
        return self._thread.ident

    def join(self) -> None:
        self._thread.join(WATCHDOG)
        assert not self._thread.is_alive(), "the thread hangs"
        if self._error is not None:
            error, self._error = self._error, None
            raise error


def elsewhere(target: Callable[[], object]) -> None:
    """Run *target* in another thread to its end."""
    Thread(target).join()


def reached(event: threading.Event) -> None:
    assert event.wait(WATCHDOG), "never happened"


def complaints(pool: Pool[Any]) -> list[str]:
    """The clauses that the pool breaks at this moment."""
    driver = pool._driver
    return broken(driver.world(), driver.options)


def pooled(pool: Pool[Any]) -> list[Any]:
    """The resources in live slots."""
    return [slot.resource for slot, _ in pool._driver.world().slots]


def free_slots(pool: Pool[Any]) -> int:
    return list(slot_states(pool._driver.world()).values()).count(FREE)


def at_rest(pool: Pool[Any], held: int = 0) -> list[str]:
    """What is wrong with a pool at which nobody works: every live slot is free or one of the *held*."""
    found = complaints(pool)
    ledger = pool._driver.state.ledger
    if ledger.live != free_slots(pool) + held:
        found.append(f"live {ledger.live} is not free {free_slots(pool)} + held {held}")
    if ledger.waiting or ledger.creating or ledger.returning or ledger.discarded or ledger.backlog:
        found.append(f"work is left: {ledger}")
    return found


@contextmanager
def hasty_switching(interval: float) -> Iterator[None]:
    """Threads take turns after *interval* seconds of bytecode."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def quiet_surroundings() -> Iterator[list[Any]]:
    """No warnings about abandoned leases, no logs that would keep tracebacks, a collector with little to do.

    Yields what finalizers raised."""
    unraisable: list[Any] = []
    log = logging.getLogger("poolproof")
    hook, disabled = sys.unraisablehook, log.disabled
    # Without its traceback, which would keep alive what is being collected.
    sys.unraisablehook = lambda args: unraisable.append(args.exc_value and args.exc_value.with_traceback(None))
    log.disabled = True
    gc.collect()
    gc.freeze()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PoolWarning)
            yield unraisable
    finally:
        gc.unfreeze()
        sys.unraisablehook, log.disabled = hook, disabled
