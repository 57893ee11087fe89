"""What a proxy stands for, and where each thread or task keeps the lease that it uses through one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Protocol

from poolproof.errors import LeaseRevoked, PoolError, StaleLease

SCOPES: Final = ("thread", "context")


class ProxyUnset(PoolError, RuntimeError):
    """The proxy stands for nothing yet, or no longer."""


class Held(Protocol):
    """What a scope needs of a lease."""

    @property
    def resource(self) -> Any: ...

    @property
    def held(self) -> bool: ...

    def release(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def unit() -> Any:
    """Whoever runs here: the task, else the greenlet, else the thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = None
    greenlets = sys.modules.get("greenlet")
    greenlet = None if greenlets is None else greenlets.getcurrent()
    if greenlet is not None and greenlet.parent is None:  # a thread's first greenlet is the thread
        greenlet = None
    return task or greenlet or threading.current_thread()


class Holding:
    """The lease that one thread or task uses through a proxy; it ends with the holding, at the latest.

    ``blocks`` counts the blocks of `use` that it is in, and ``token`` tells for which source it was acquired. It
    refers to nothing that refers to it, or the collector might finalize its lease first, which would warn.
    """

    __slots__ = ("__weakref__", "blocks", "lease", "token")

    def __init__(self, lease: Held, token: object) -> None:
        self.lease = lease
        self.token: Final = token
        self.blocks = 0

    def end(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """End the lease, as leaving a block of it by this exception does; once."""
        if self.lease.held:
            self.lease.__exit__(kind, error, trace)

    def resource(self) -> Any:
        """What is leased."""
        return self.lease.resource

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, StaleLease):
            if self.lease.held:
                self.lease.release()


class ThreadScope(threading.local):
    """One holding for each thread, which goes when the thread ends."""

    holding: Holding | None = None


class ContextScope:
    """One holding for each task, greenlet or thread, which goes when it ends.

    A context variable alone would not do: whoever is started from here inherits its value, and would use the same
    resource at the same time. So each holding counts only for the one who took it.
    """

    def __init__(self) -> None:
        self._mine: ContextVar[tuple[weakref.ref[Any], Holding] | None] = ContextVar("poolproof.proxy", default=None)
        self._all: weakref.WeakSet[Holding] = weakref.WeakSet()

    @property
    def holding(self) -> Holding | None:
        mine = self._mine.get()
        return mine[1] if mine is not None and mine[0]() is unit() else None

    @holding.setter
    def holding(self, holding: Holding | None) -> None:
        me = unit()
        self._mine.set(None if holding is None else (weakref.ref(me), holding))
        if holding is not None:
            self._all.add(holding)
        # A context may outlive its task or greenlet: others keep copies of it.
        if holding is not None and isinstance(me, asyncio.Future):
            me.add_done_callback(lambda _: holding.end())
        elif holding is not None and callable(link := getattr(me, "link", None)):
            link(lambda *_: holding.end())

    def __del__(self) -> None:
        # Nobody can use them any more; but the contexts that they stand in may live on.
        for holding in list(self._all):
            holding.__del__()


class Source(Protocol):
    """What a proxy stands for."""

    def holding(self, timeout: Any) -> Holding | None:
        """What the caller holds of it, acquired if need be; None if it is an object that everybody shares."""

    def shared(self) -> Any:
        """That object."""

    def close(self) -> None:
        """The proxy stands for something else now."""


class Nothing:
    """A proxy that is unset stands for this."""

    def __init__(self, name: str) -> None:
        self.name = name

    def holding(self, timeout: Any) -> Holding | None:
        raise ProxyUnset(f"proxy {self.name!r} is unset: nothing has been set as its target")

    def shared(self) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to close."""


class Shared:
    """One object for everybody."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def holding(self, timeout: Any) -> Holding | None:
        return None

    def shared(self) -> Any:
        return self._target

    def close(self) -> None:
        """It is not ours."""


class Leased:
    """A resource for each thread or task, by leases that *acquire* gives."""

    def __init__(self, acquire: Callable[[Any], Held], close: Callable[[], object], scope: ThreadScope | ContextScope):
        self._acquire = acquire
        self._close = close
        self._token = object()
        self.scope = scope

    def holding(self, timeout: Any) -> Holding | None:
        scope = self.scope
        holding = scope.holding
        if holding is not None and (holding.token is self._token or holding.blocks):
            if holding.lease.held:
                return holding
            scope.holding = None
            try:
                holding.resource()
            except LeaseRevoked:
                raise  # once: the next use gets another one
            except StaleLease:
                pass  # it was ended, or belongs to the parent process
        elif holding is not None:  # of what the proxy stood for before
            scope.holding = None
            holding.end()
        holding = Holding(self._acquire(timeout), self._token)
        scope.holding = holding
        return holding

    def shared(self) -> Any:
        raise NotImplementedError

    def release(self, holding: Holding) -> None:
        """The caller needs it no more."""
        self.scope.holding = None
        holding.end()

    def close(self) -> None:
        self._close()
