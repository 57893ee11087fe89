"""The runtime for eventlet: ``Pool(..., runtime=EventletRuntime())``."""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from poolproof.runtime.greenlets import GreenletRuntime, HubParker, Nap, missing, no_sleep_in

try:
    from eventlet import patcher, sleep, spawn_n
    from eventlet.hubs import get_hub
    from greenlet import getcurrent, greenlet
except ImportError as error:
    raise ImportError(missing("eventlet")) from error

# As they are without patching, whenever that happens or happened: the thread that runs, and sockets that block.
_thread_number = patcher.original("_thread").get_ident
_socketpair = patcher.original("socket").socketpair


class _Bell:
    """Makes a hub call functions, whoever asks for it and wherever.

    A hub is meant for its own thread: it loses what another one hands it at the wrong moment, or sleeps on. The same
    goes for a signal handler that interrupts the hub. For them there is a socket that the hub listens to.
    """

    def __init__(self, hub: Any) -> None:
        self._hub = weakref.ref(hub)  # or the two would keep each other, through `_bells`
        self._thread = _thread_number()
        self._calls: deque[Callable[[], object]] = deque()
        self._ear, self._mouth = _socketpair()
        self._mouth.setblocking(False)
        weakref.finalize(hub, self._close)
        # The hub remembers which greenlet added a listener. Let it remember one that is over.
        greenlet(hub.add).switch(hub.READ, self._ear.fileno(), self._heard, lambda *_: None, lambda: None)

    def call_soon(self, function: Callable[[], object]) -> None:
        """Have the hub call *function*. Never blocks, never switches."""
        hub = self._hub()
        if hub is None:  # its thread ended, and whoever slept there
            return
        if _thread_number() == self._thread and getcurrent() is not hub.greenlet:
            hub.schedule_call_global(0, function)
        else:
            self._calls.append(function)
            with contextlib.suppress(BlockingIOError):  # it has rung often enough
                self._mouth.send(b"!")

    def _heard(self, _: object) -> None:
        self._ear.recv(4096)
        while self._calls:
            self._calls.popleft()()

    def _close(self) -> None:
        self._ear.close()
        self._mouth.close()


_bells: weakref.WeakKeyDictionary[Any, _Bell] = weakref.WeakKeyDictionary()


def _bell_of(hub: Any) -> _Bell:
    bell = _bells.get(hub)
    if bell is None:
        bell = _bells[hub] = _Bell(hub)
    return bell


class EventletParker(HubParker):
    """Sleeps in the hub of its thread, and can be woken from any thread and from a signal handler."""

    __slots__ = ()

    def _sleep(self, timeout: float) -> None:
        hub = get_hub()
        if getcurrent() is hub.greenlet:
            raise no_sleep_in("eventlet")
        nap, bell = Nap(), _bell_of(hub)
        timer = hub.schedule_call_global(timeout, nap.end)
        try:
            self._switch(nap, lambda: bell.call_soon(nap.end), hub.switch)
        finally:
            timer.cancel()


class EventletRuntime(GreenletRuntime):
    """Green threads of eventlet. Nothing needs to be patched, and everything may be."""

    __slots__ = ()

    def parker(self) -> EventletParker:
        return EventletParker()

    def spawn(self, target: Callable[[], None], name: str) -> None:
        spawn_n(target).name = name


def cooperate() -> None:
    """Let everybody run once who can. In the hub itself, which cannot wait for that, it does nothing."""
    sleep(0)
