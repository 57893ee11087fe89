"""What the tests of the pool stand on: a clock that moves when told, threads with outcomes, resources with a memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from poolproof import Pool
from poolproof.core.world import broken
from poolproof.runtime import ThreadRuntime

T = TypeVar("T")

# Nothing waits so long unless it hangs; no verdict depends on it otherwise.
WATCHDOG = 20.0


class ClockParker:
    """A parker whose timeouts are those of a `ClockRuntime`."""

    def __init__(self, runtime: ClockRuntime) -> None:
        self.runtime = runtime
        self.token = False
        self.deadline: float | None = None

    def park(self, timeout: float | None) -> bool:
        runtime = self.runtime
        deadline = self.deadline = None if timeout is None else runtime.now + timeout
        if runtime.on_park is not None:
            runtime.on_park()
        with runtime.changed:
            runtime.sleepers.append(self)
            runtime.changed.notify_all()
            while not self.token and (deadline is None or runtime.now < deadline):
                runtime.changed.wait()
            runtime.sleepers.remove(self)
            runtime.changed.notify_all()
            woken, self.token = self.token, False
        if not woken and runtime.on_timeout is not None:
            runtime.on_timeout()
        return woken

    def unpark(self) -> None:
        with self.runtime.changed:
            self.token = True
            self.runtime.changed.notify_all()


class ClockRuntime(ThreadRuntime):
    """Threads on a clock that stands still until `advance` is called. No wall clock is read.

    ``on_park`` runs before each sleep and ``on_timeout`` after one that nobody ended, both in the sleeper's thread.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.changed = threading.Condition(threading.RLock())
        self.sleepers: list[ClockParker] = []
        self.on_park: Callable[[], object] | None = None
        self.on_timeout: Callable[[], object] | None = None

    def parker(self) -> Any:
        return ClockParker(self)

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass, and those wake up whose time it is."""
        with self.changed:
            self.now += seconds
            self.changed.notify_all()

    def until_asleep(self, count: int) -> None:
        """Return when exactly *count* threads sleep, and none of them is about to wake up."""
        with self.changed:
            settled = self.changed.wait_for(lambda: len(self.sleepers) == count == self.untold(), WATCHDOG)
        assert settled, f"{len(self.sleepers)} threads sleep, not {count}"

    def untold(self) -> int:
        """How many threads sleep and have no reason to wake up."""
        with self.changed:
            return sum(not each.token and (each.deadline is None or each.deadline > self.now) for each in self.sleepers)


class Call(Generic[T]):
    """A function that runs in a thread of its own."""

    def __init__(self, function: Callable[[], T], name: str | None = None) -> None:
        self._function = function
        self._value: T
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:
            self.error = error

    def join(self) -> Call[T]:
        self.thread.join(WATCHDOG)
        assert not self.thread.is_alive(), "this call hangs"
        return self

    def result(self) -> T:
        """What it returned; what it raised is raised here."""
        self.join()
        if self.error is not None:
            raise self.error
        return self._value

    def raised(self, kind: type[BaseException]) -> BaseException:
        """What it raised, which must be a *kind*."""
        self.join()
        assert self.error is not None, "it raised nothing"
        assert isinstance(self.error, kind), repr(self.error)
        return self.error


class Gate:
    """A place in a callback where its thread stops until it is let through."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def pass_through(self, *_: object) -> None:
        self._reached.set()
        assert self._opened.wait(WATCHDOG), "nobody opened the gate"

    def reached(self) -> None:
        assert self._reached.wait(WATCHDOG), "nobody came to the gate"

    def open(self) -> None:
        self._opened.set()


class Thing:
    """A resource like any other."""


class Workshop:
    """Makes, resets, checks and destroys things, remembers each, and fails when told.

    Every ``on_`` hook is called first, and may raise; ``verdict`` is what check returns.
    """

    def __init__(self) -> None:
        self.made: list[Thing] = []
        self.destroyed: list[Any] = []
        self.reset_done: list[Any] = []
        self.checked: list[Any] = []
        self.on_create: Callable[[], object] | None = None
        self.on_destroy: Callable[[Any], object] | None = None
        self.on_reset: Callable[[Any], object] | None = None
        self.on_check: Callable[[Any], object] | None = None
        self.verdict: object = True

    def create(self) -> Thing:
        if self.on_create is not None:
            self.on_create()
        thing = Thing()
        self.made.append(thing)
        return thing

    def destroy(self, thing: Any) -> None:
        self.destroyed.append(thing)
        if self.on_destroy is not None:
            self.on_destroy(thing)

    def reset(self, thing: Any) -> None:
        self.reset_done.append(thing)
        if self.on_reset is not None:
            self.on_reset(thing)

    def check(self, thing: Any) -> object:
        self.checked.append(thing)
        if self.on_check is not None:
            self.on_check(thing)
        return self.verdict


class Raises:
    """Raises *error* at each call, or at the first *times* of them."""

    def __init__(self, error: BaseException, times: int = 1_000) -> None:
        self.error = error
        self.left = times

    def __call__(self, *_: object) -> None:
        if self.left:
            self.left -= 1
            raise self.error


def same(expected: list[Any], actual: list[Any]) -> bool:
    """Whether both hold the very same objects in the same order."""
    return len(expected) == len(actual) and all(a is b for a, b in zip(expected, actual, strict=True))


def complaints(pool: Pool[Any]) -> list[str]:
    """The clauses that *pool* breaks now that nothing moves."""
    driver = pool._driver
    world, stats = driver.world(), pool.stats()
    found = broken(world, driver.options)
    if stats.live != stats.creating + stats.free + stats.checked_out + stats.returning + stats.discarded:
        found.append("SNAPSHOT-CONSISTENT")
    if stats.created + stats.added != stats.live - stats.creating + stats.detached + stats.destroyed:
        found.append("CONSERVATION")
    if len(pool.holders()) != stats.checked_out:
        found.append("COUNTS-RECOUNT: holders")
    return found
