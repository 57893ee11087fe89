"""Record a history around any pool.

    recorder = Recorder()
    pool = recorder.watch(Pool(recorder.creates(connect), destroy=recorder.destroys(close), max_size=2))
    ... threads use `pool` and its leases ...
    history = recorder.history(Config(limit=2))

**The order is sound.** A caller's call is noted before the pool is entered and its return after the pool was left,
so the noted operation contains the real one; a callback is noted inside, so the pool's step before it and the pool's
step after it lie outside. Either way an operation is at most made longer, and two operations that are noted one after
the other really were. So a history of a correct pool is never rejected on account of the recording. The notes are
taken by `list.append` alone, which is one indivisible action with a GIL and without one; numbers are given out
later, when nothing moves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from poolmodel.state import Config
from poolproof.conformance.history.events import (
    ACQUIRES,
    CALLBACKS,
    DONE,
    ERRORS,
    Call,
    Entry,
    History,
    Kind,
    Outcome,
    Queued,
    Return,
)

R = TypeVar("R")


class Token:
    """One operation, until it has a number."""

    __slots__ = ()


class _Called(NamedTuple):
    token: Token
    thread: str
    kind: Kind
    what: dict[str, Any]


class _Returned(NamedTuple):
    token: Token
    kind: str
    value: Any


class _Waits(NamedTuple):
    thread: str


class _Began(NamedTuple):
    given: tuple[Any, ...]


class Recorder:
    """Notes of what happens to one pool. Any thread may add to them; read them when nothing moves."""

    def __init__(self) -> None:
        self._notes: list[_Called | _Returned | _Waits | _Began] = []

    def __len__(self) -> int:
        return len(self._notes)

    # Notes, for whoever drives a pool without the wrappers below.

    def call(self, kind: Kind, **what: Any) -> Token:
        """An operation begins, in this thread. *what* are fields of `Call`, with objects instead of numbers:
        ``lease`` is the token of an acquire, ``resource`` the resource itself."""
        token = Token()
        self._notes.append(_Called(token, threading.current_thread().name, kind, what))
        return token

    def returned(self, token: Token, kind: str = "done", value: Any = None) -> None:
        """An operation ends. *kind* is that of `Outcome`; *value* a resource, an exception, or what was told."""
        self._notes.append(_Returned(token, kind, value))

    def failed(self, token: Token, error: BaseException) -> None:
        """An operation ends with an exception."""
        self._notes.append(_Returned(token, "error", error))

    def waits(self, thread: str | None = None) -> None:
        """The acquire that this thread is in has made its request and is going to sleep."""
        self._notes.append(_Waits(thread or threading.current_thread().name))

    # Wrappers.

    def watch(self, pool: Any, given: tuple[Any, ...] = ()) -> RecordedPool:
        """*pool*, recorded from now on. It begins with the resources *given*, and behind them those created so far."""
        self._notes.append(_Began(tuple(given)))
        return RecordedPool(self, pool)

    def creates(self, create: Callable[[], R]) -> Callable[[], R]:
        """*create*, recorded."""

        def recorded() -> R:
            with self.operation("create") as done:
                resource = create()
                done("resource", resource)
            return resource

        return recorded

    def destroys(self, destroy: Callable[[R], object] = lambda resource: None) -> Callable[[R], object]:
        """*destroy*, recorded. Give every pool one: it shows when capacity comes free."""
        return self._takes("destroy", destroy)

    def resets(self, reset: Callable[[R], object]) -> Callable[[R], object]:
        """*reset*, recorded."""
        return self._takes("reset", reset)

    def checks(self, check: Callable[[R], object]) -> Callable[[R], object]:
        """*check*, recorded."""

        def recorded(resource: R) -> object:
            with self.operation("check", resource=resource) as done:
                good = check(resource)
                done("good" if good else "bad", None)
            return good

        return recorded

    def parks(self, runtime: Any) -> Any:
        """*runtime*, whose parkers note that their thread waits."""
        return RecordedRuntime(self, runtime)

    def _takes(self, kind: Kind, function: Callable[[R], object]) -> Callable[[R], object]:
        def recorded(resource: R) -> object:
            with self.operation(kind, resource=resource) as done:
                answer = function(resource)
                done("done", None)
            return answer

        return recorded

    @contextmanager
    def operation(self, kind: Kind, **what: Any) -> Iterator[Callable[[str, Any], None]]:
        """One operation in this thread: the block says how it ended, unless by an exception."""
        token = self.call(kind, **what)
        try:
            yield lambda how, value: self.returned(token, how, value)
        except BaseException as error:
            self.failed(token, error)
            raise

    # Reading.

    def history(self, config: Config, *, drained: bool = True) -> History:
        """What was noted since `watch`, with numbers instead of objects."""
        return _Numbering(self._notes.copy()).history(config, drained)


class RecordedPool:
    """A pool whose operations are noted. Its leases are `RecordedLease`."""

    def __init__(self, recorder: Recorder, pool: Any) -> None:
        self.recorder = recorder
        self.pool = pool

    def acquire(self, timeout: float | None = None, reset: Callable[[Any], object] | None = None) -> RecordedLease:
        more: dict[str, Any] = {} if reset is None else {"reset": self.recorder.resets(reset)}
        token = self.recorder.call("acquire", timeout=timeout, own_reset=reset is not None)
        lease = self._ended(token, lambda: self.pool.acquire(timeout, **more))
        return self._leased(token, lease)

    def try_acquire(self) -> RecordedLease | None:
        token = self.recorder.call("try_acquire", timeout=0.0)
        lease = self._ended(token, self.pool.try_acquire)
        if lease is None:
            self.recorder.returned(token, "nothing")
            return None
        return self._leased(token, lease)

    def add(self, resource: object) -> None:
        self._simply("add", lambda: self.pool.add(resource), resource=resource)

    def remove(self, resource: object) -> None:
        self._simply("remove", lambda: self.pool.remove(resource), resource=resource)

    def resize(self, limit: int | None) -> None:
        self._simply("resize", lambda: self.pool.resize(limit), limit=limit)

    def expire_all(self) -> None:
        self._simply("expire_all", self.pool.expire_all)

    def maintain(self) -> None:
        self._simply("maintain", self.pool.maintain)

    def stats(self) -> Any:
        token = self.recorder.call("stats")
        stats = self._ended(token, self.pool.stats)
        self.recorder.returned(token, "told", {name: getattr(stats, name) for name in TOLD if hasattr(stats, name)})
        return stats

    def close(self, grace: float | None = 0.0, *, force: bool = False) -> Any:
        token = self.recorder.call("close", timeout=grace, force=force)
        report = self._ended(token, lambda: self.pool.close(grace, force=force))
        self.recorder.returned(token, "told", {"closed": report.closed})
        return report

    def __getattr__(self, name: str) -> Any:
        """Whatever else the pool has is not noted."""
        return getattr(self.pool, name)

    def _leased(self, token: Token, lease: Any) -> RecordedLease:
        try:
            self.recorder.returned(token, "lease", lease.resource)
        except Exception:  # it was revoked already, and shows its resource to nobody
            self.recorder.returned(token, "unseen")
        return RecordedLease(self.recorder, token, lease)

    def _simply(self, kind: Kind, function: Callable[[], object], **what: Any) -> None:
        token = self.recorder.call(kind, **what)
        self._ended(token, function)
        self.recorder.returned(token)

    def _ended(self, token: Token, function: Callable[[], Any]) -> Any:
        """What *function* returns; if it raises, so has the operation."""
        try:
            return function()
        except BaseException as error:
            self.recorder.failed(token, error)
            raise


class RecordedLease:
    """A lease whose operations are noted."""

    def __init__(self, recorder: Recorder, token: Token, lease: Any) -> None:
        self.recorder = recorder
        self.token = token
        self.lease = lease

    def __getattr__(self, name: str) -> Any:
        """Whatever else the lease has is not noted."""
        return getattr(self.lease, name)

    @property
    def resource(self) -> Any:
        with self.recorder.operation("resource", lease=self.token) as done:
            resource = self.lease.resource
            done("resource", resource)
        return resource

    def release(self) -> None:
        with self.recorder.operation("release", lease=self.token) as done:
            self.lease.release()
            done("done", None)

    def discard(self) -> None:
        with self.recorder.operation("discard", lease=self.token) as done:
            self.lease.discard()
            done("done", None)

    def abandon(self) -> None:
        """Drop the last reference to the lease, as far as this object has it."""
        with self.recorder.operation("abandon", lease=self.token) as done:
            self.lease = None
            done("done", None)

    def detach(self) -> Any:
        with self.recorder.operation("detach", lease=self.token) as done:
            resource = self.lease.detach()
            done("resource", resource)
        return resource


# What of stats() the model knows at any instant.
TOLD = ("phase", "limit", "live", "creating", "free", "checked_out", "returning", "discarded", "waiting")


class _Numbering:
    """Gives numbers to operations, resources and exceptions, in the order of their appearance."""

    def __init__(self, notes: list[_Called | _Returned | _Waits | _Began]) -> None:
        self.notes = notes
        self.ops: dict[int, int] = {}
        self.resources: dict[int, int] = {}
        self.errors: dict[int, int] = {}
        self.callbacks: set[int] = set()
        self.inside: dict[str, list[int]] = {}
        self.entries: list[Entry] = []

    def history(self, config: Config, drained: bool) -> History:
        began = next((at for at, note in enumerate(self.notes) if isinstance(note, _Began)), None)
        assert began is not None, "the pool was never watched"
        start = self.notes[began]
        assert isinstance(start, _Began)
        built = [note.value for note in self.notes[:began] if isinstance(note, _Returned) and note.kind == "resource"]
        free = tuple(self.resource(each) for each in (*start.given, *built))
        for note in self.notes[began + 1 :]:
            if isinstance(note, _Called):
                self.called(note)
            elif isinstance(note, _Returned):
                self.ended(note)
            elif isinstance(note, _Waits):
                self.queued(note)
        if any(isinstance(entry, Call) and entry.own_reset for entry in self.entries):
            config = replace(config, lease_reset=True)
        return History(config, tuple(self.entries), free, drained)

    def called(self, note: _Called) -> None:
        what = dict(note.what)
        if what.get("resource") is not None or note.kind in ("add", "remove", "destroy", "reset", "check"):
            what["resource"] = self.resource(what["resource"])
        if what.get("lease") is not None:
            what["lease"] = self.ops[id(what["lease"])]
        op = self.ops[id(note.token)] = len(self.ops) + 1
        if note.kind in CALLBACKS:
            self.callbacks.add(op)
        if note.kind in ACQUIRES:
            self.inside.setdefault(note.thread, []).append(op)
        self.entries.append(Call(op, note.thread, note.kind, **what))

    def ended(self, note: _Returned) -> None:
        op = self.ops.get(id(note.token))
        if op is None:  # it began before the pool was watched
            return
        for stack in self.inside.values():
            if op in stack:
                stack.remove(op)
        self.entries.append(Return(op, self.outcome(op, note)))

    def queued(self, note: _Waits) -> None:
        stack = self.inside.get(note.thread)
        if stack:
            self.entries.append(Queued(stack[-1]))

    def outcome(self, op: int, note: _Returned) -> Outcome:
        value = note.value
        if note.kind == "error":
            return self.error(value, own=op in self.callbacks)
        if note.kind in ("lease", "resource"):
            return Outcome(note.kind, self.resource(value))
        if note.kind == "told":
            return Outcome("told", values=tuple(sorted(value.items())))
        if note.kind == "unseen":
            return Outcome("lease")
        return DONE if note.kind == "done" else Outcome(note.kind)

    def error(self, error: BaseException, own: bool) -> Outcome:
        """An exception that a callback raised has a number, wherever it turns up again."""
        if own or id(error) in self.errors:
            return Outcome("raised", error=self.errors.setdefault(id(error), len(self.errors) + 1))
        name = type(error).__name__
        if name in ERRORS:
            return Outcome(name)
        return Outcome("raised", error=0) if isinstance(error, Exception) else Outcome("cancelled")

    def resource(self, resource: object) -> int:
        return self.resources.setdefault(id(resource), len(self.resources) + 1)


class RecordedRuntime:
    """A runtime whose parkers note that their thread is going to sleep. Everything else is the runtime's own."""

    def __init__(self, recorder: Recorder, runtime: Any) -> None:
        self.recorder = recorder
        self.runtime = runtime

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runtime, name)

    def parker(self) -> RecordedParker:
        return RecordedParker(self.recorder, self.runtime.parker())


class RecordedParker:
    """A parker that notes that its thread is going to sleep."""

    def __init__(self, recorder: Recorder, parker: Any) -> None:
        self.recorder = recorder
        self.parker = parker

    def park(self, timeout: float | None) -> bool:
        self.recorder.waits()
        answer: bool = self.parker.park(timeout)
        return answer

    def unpark(self) -> None:
        self.parker.unpark()
