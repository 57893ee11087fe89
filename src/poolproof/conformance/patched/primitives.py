"""`_thread` on a stage: the few primitives below the standard library's `threading`, driven by `turns.Stage`.

Only these are written anew. Condition, Event, Semaphore, Timer, Thread and the queues are CPython's own code, run
once more on top of them (see `modules`), so they behave as the real ones do, peculiarities included.
"""

from __future__ import annotations

import _thread
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, Self

from poolproof.conformance.patched.turns import Actor, Dropped, Stage

_free = _thread.allocate_lock()


def seconds_of(blocking: bool, timeout: float) -> float | None:
    """How long an acquire may wait: None for ever.

    What makes no sense is put to a real lock that is free: it raises what it raises in this version of Python.
    """
    if blocking is True and timeout == -1:
        return None
    _free.acquire(blocking, timeout)
    _free.release()
    if not blocking:
        return 0.0
    return None if timeout == -1 else timeout


class Lock:
    """`_thread.lock`. Whoever wants it when it comes free may have it: there is no order among those who wait."""

    stage: ClassVar[Stage]
    kind: ClassVar[str] = "lock"
    __slots__ = ("__weakref__", "_born", "_held", "_taker", "_waiting", "quiet")

    def __init__(self) -> None:
        self._held = False
        self._taker: Actor | None = None
        self._waiting: list[Actor] = []
        self._born = -1 if self.stage.running is None else self.stage.points
        self.quiet = False  # no point at its acquires

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        seconds = seconds_of(blocking, timeout)
        self._point()
        if self._held and not self._wait(seconds):
            return False
        self._take()
        return True

    def release(self) -> None:
        if not self._held and not self.stage.dropping:
            raise RuntimeError("release unlocked lock")
        self._free()

    def locked(self) -> bool:
        return self._held

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<{'locked' if self._held else 'unlocked'} {self.stage.name_of(self, self.kind)}>"

    def _point(self) -> None:
        """A point, unless nobody else can know the lock yet, or the one who holds it only asks whether it does."""
        stage = self.stage
        if self.quiet or self._born == stage.points or (self._held and self._taker is stage.running):
            return
        stage.point(f"takes {stage.name_of(self, self.kind)}" if stage.tape is not None else "")

    def _wait(self, seconds: float | None) -> bool:
        """Sleep until it is free; whether it became so in time."""
        stage = self.stage
        if seconds == 0:
            return False
        if stage.running is None and stage.dropping:
            return True  # the run is over, and whoever held it is gone
        deadline = None if seconds is None else stage.now + seconds
        actor, holder = stage.running, self._taker
        if stage.held_up is not None and holder is not None and actor is not None and holder.calling:
            stage.held_up(actor, holder)
        while self._held:
            if actor is not None:
                self._waiting.append(actor)
            stage.note(f"waits for {stage.name_of(self, self.kind)}")
            if not stage.block(deadline, self):
                if actor in self._waiting:
                    self._waiting.remove(actor)
                return False
        return True

    def _take(self) -> None:
        self._held, self._taker = True, self.stage.running

    def _free(self) -> None:
        self._held, self._taker = False, None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self.stage.unblock(each)


class WaiterLock(Lock):
    """The lock that one waiter of a Condition sleeps on. Nobody else takes it, so there is no point at its acquires."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.quiet = True

    def _wait(self, seconds: float | None) -> bool:
        stage = self.stage
        if stage.waiting is not None and stage.running is not None and not stage.dropping:
            stage.waiting(stage.running)
        return super()._wait(seconds)


class RLock(Lock):
    """`_thread.RLock`."""

    kind = "rlock"
    __slots__ = ("_count",)

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        seconds = seconds_of(blocking, timeout)
        if self._is_owned():
            self._count += 1
            return True
        self._point()
        if self._held and not self._wait(seconds):
            return False
        self._take()
        self._count = 1
        return True

    def release(self) -> None:
        if self.stage.dropping and not self._is_owned():
            return
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if self._count == 0:
            self._free()

    __enter__ = acquire

    def _is_owned(self) -> bool:
        return self._held and self._taker is self.stage.running

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _acquire_restore(self, state: int) -> None:
        self.acquire()
        self._count = state

    def _release_save(self) -> int:
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        count, self._count = self._count, 1
        self.release()
        return count


class Handle:
    """`_thread._ThreadHandle` of 3.13: what `Thread.join` waits on."""

    stage: ClassVar[Stage]
    lock: ClassVar[type[Lock]]

    def __init__(self, ident: int = 0) -> None:
        self.ident = ident
        self._done = False
        self._joiners: list[Actor] = []

    def is_done(self) -> bool:
        return self._done

    def _set_done(self) -> None:
        self._done = True
        for each in self._joiners:
            self.stage.unblock(each)

    def join(self, timeout: float | None = None) -> None:
        stage = self.stage
        stage.point("joins a thread")
        deadline = None if timeout is None or timeout < 0 else stage.now + timeout
        while not self._done:
            if stage.running is not None:
                self._joiners.append(stage.running)
            if not stage.block(deadline, "join"):
                return


class Local:
    """`_thread._local`: one dictionary of attributes for each thread on the stage, and one for all outside."""

    stage: ClassVar[Stage]

    def __new__(cls, *args: Any, **more: Any) -> Self:
        self = object.__new__(cls)
        object.__setattr__(self, "_begun_with", (args, more))
        object.__setattr__(self, "_outside", {})
        key = object()
        object.__setattr__(self, "_key", key)
        if cls.stage.running is not None:  # the thread that makes it runs the initializer by making it
            cls.stage.running.own[key] = {}
        return self

    def __init__(self, *args: Any, **more: Any) -> None:
        if type(self).__init__ is Local.__init__ and (args or more):
            raise TypeError("Initialization arguments are not supported")

    def __getattribute__(self, name: str) -> Any:
        own = _own(self)
        if name == "__dict__":
            return own
        if name in own:
            return own[name]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            _own(self)[name] = value

    def __delattr__(self, name: str) -> None:
        own = _own(self)
        if name not in own:
            raise AttributeError(name)
        del own[name]


def _own(local: Local) -> dict[str, object]:
    """What *local* keeps for this thread. A thread that comes for the first time runs the initializer."""
    stage = type(local).stage
    outside: dict[str, object] = object.__getattribute__(local, "_outside")
    actor = stage.running
    if actor is None:
        return outside
    key = object.__getattribute__(local, "_key")
    own = actor.own.get(key)
    if own is None:
        own = actor.own[key] = {}
        args, more = object.__getattribute__(local, "_begun_with")
        if type(local).__init__ is not Local.__init__:
            local.__init__(*args, **more)  # type: ignore[misc]
    return own


class Threads:
    """Starting threads and telling them apart."""

    def __init__(self, stage: Stage, lock: type[Lock], handle: type[Handle]) -> None:
        self.stage = stage
        self.lock = lock
        self.handle = handle
        self.crashes: list[BaseException] = []

    def start(self, function: Callable[..., object], args: tuple[Any, ...] = (), kwargs: Any = None) -> int:
        """`_thread.start_new_thread`."""
        actor = self.stage.actor(lambda: self._run(function, args, kwargs or {}), "", player=False)
        self.stage.note(f"starts thread {actor.number}")
        return actor.ident

    def start_joinable(self, function: Callable[[], object], handle: Any = None, daemon: bool = True) -> Any:
        """`_thread.start_joinable_thread`."""
        handle = self.handle() if handle is None else handle
        actor = self.stage.actor(lambda: self._run(function, (), {}), "", player=False)
        actor.on_end.append(handle._set_done)
        handle.ident = actor.ident
        return handle

    def _run(self, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            function(*args, **kwargs)
        except (Dropped, SystemExit):
            return
        except BaseException as error:
            self.crashes.append(error)

    def sentinel(self) -> Lock:
        """`_thread._set_sentinel`: a lock that is released when this thread has ended."""
        lock = self.lock()
        lock.quiet = True
        told = weakref.ref(lock)

        def over() -> None:
            found = told()
            if found is not None and found.locked():
                found.release()

        if self.stage.running is not None:
            self.stage.running.on_end.append(over)
        return lock

    def ident(self) -> int:
        return _thread.get_ident() if self.stage.running is None else self.stage.running.ident


def waiter_lock(stage: Stage) -> type[Lock]:
    return type("lock", (WaiterLock,), {"stage": stage, "__slots__": ()})


def thread_module(stage: Stage) -> tuple[ModuleType, Threads]:
    """`_thread`, driven by *stage*."""
    lock = type("lock", (Lock,), {"stage": stage, "__slots__": ()})
    rlock = type("RLock", (RLock,), {"stage": stage, "__slots__": ()})
    handle = type("_ThreadHandle", (Handle,), {"stage": stage, "lock": lock})
    local = type("_local", (Local,), {"stage": stage})
    threads = Threads(stage, lock, handle)
    module = ModuleType("_thread", _thread.__doc__)
    module.__dict__.update({name: value for name, value in vars(_thread).items() if not name.startswith("__")})
    ours = {
        "lock": lock, "LockType": lock, "allocate_lock": lock, "allocate": lock, "RLock": rlock, "_local": local,
        "start_new_thread": threads.start, "start_new": threads.start, "start_joinable_thread": threads.start_joinable,
        "_ThreadHandle": handle, "_make_thread_handle": handle, "_set_sentinel": threads.sentinel,
        "get_ident": threads.ident, "get_native_id": threads.ident, "_shutdown": lambda: None,
    }  # fmt: skip
    module.__dict__.update({name: value for name, value in ours.items() if hasattr(_thread, name)})
    return module, threads
