"""The runtime for gevent: ``Pool(..., runtime=GeventRuntime())``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from poolproof.runtime.greenlets import GreenletRuntime, HubParker, Nap, missing, no_sleep_in

try:
    from gevent import Greenlet, get_hub, getcurrent
except ImportError as error:
    raise ImportError(missing("gevent")) from error


class _Aside(Greenlet):  # type: ignore[misc]
    """A greenlet that nobody waits for when the program has nothing else to do."""


class GeventParker(HubParker):
    """Sleeps in the hub of its thread, and can be woken from any thread and from a signal handler.

    A sleeper keeps its loop alive, for another thread may wake it: gevent raises no LoopExit because of it.
    """

    __slots__ = ()

    def _sleep(self, timeout: float) -> None:
        hub = get_hub()
        sleeper = getcurrent()
        if sleeper is hub:
            raise no_sleep_in("gevent")
        nap = Nap()
        timer = hub.loop.timer(timeout, ref=not isinstance(sleeper, _Aside))
        try:
            timer.start(nap.end)
            self._switch(nap, partial(hub.loop.run_callback_threadsafe, nap.end), hub.switch)
        finally:
            timer.stop()
            timer.close()


class GeventRuntime(GreenletRuntime):
    """Greenlets of gevent. Nothing needs to be patched, and everything may be."""

    __slots__ = ()

    def parker(self) -> GeventParker:
        return GeventParker()

    def spawn(self, target: Callable[[], None], name: str) -> None:
        beside = _Aside(target)
        beside.name = name
        beside.start()
