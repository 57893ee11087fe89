"""Real eventlet and real gevent behind one small face, for tests that say the same of both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import greenlet

from poolproof.runtime import Runtime

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

import eventlet.hubs
import gevent

from poolproof.runtime.eventlet import EventletRuntime
from poolproof.runtime.gevent import GeventRuntime

# Nothing waits so long unless it hangs; no verdict depends on it otherwise.
WATCHDOG = 20.0


@dataclass(frozen=True)
class Hub:
    """What the tests need of one kind of greenlets."""

    name: str
    runtime: Callable[[], Runtime]
    spawn: Callable[..., Any]
    sleep: Callable[[float], object]
    call_soon: Callable[..., object]
    timeout: Callable[..., Any]
    hub_greenlet: Callable[[], Any]
    timers: Callable[[], int]

    def pause(self, *_: object) -> None:
        """Let everybody else run, twice: whoever is to be thrown into at the first switch is caught at the second."""
        self.sleep(0)
        self.sleep(0)

    def approve(self, *_: object) -> bool:
        """A check that takes its time."""
        self.pause()
        return True

    def settle(self, rounds: int = 5) -> None:
        """Let everybody run who can, several times."""
        for _ in range(rounds):
            self.sleep(0)

    def join(self, *greenlets: Any) -> None:
        """Wait until these have ended."""
        with self.timeout(WATCHDOG):
            while not all(each.dead for each in greenlets):
                self.sleep(0.0002)


class Call:
    """A function that runs in a greenlet of its own."""

    def __init__(self, hub: Hub, function: Callable[[], Any]) -> None:
        self._hub = hub
        self._function = function
        self.value: Any = None
        self.error: BaseException | None = None
        self.greenlet = hub.spawn(self._run)

    def _run(self) -> None:
        try:
            self.value = self._function()
        except BaseException as error:
            self.error = error.with_traceback(None)
        del self._function

    @property
    def done(self) -> bool:
        return bool(self.greenlet.dead)

    def result(self) -> Any:
        """What it returned; what it raised is raised here."""
        self._hub.join(self.greenlet)
        if self.error is not None:
            raise self.error
        return self.value


def _call_soon_in_eventlet(*call: Any) -> None:
    eventlet.hubs.get_hub().schedule_call_global(0, *call)


def _call_soon_in_gevent(*call: Any) -> None:
    gevent.get_hub().loop.run_callback(*call)


def _timers_in_eventlet() -> int:
    hub = eventlet.hubs.get_hub()
    return sum(not timer.called for _, timer in [*hub.timers, *hub.next_timers])


def _timers_in_gevent() -> int:
    count: int = gevent.get_hub().loop.activecnt
    return count


EVENTLET = Hub(
    name="eventlet",
    runtime=EventletRuntime,
    spawn=eventlet.spawn,
    sleep=eventlet.sleep,
    call_soon=_call_soon_in_eventlet,
    timeout=eventlet.Timeout,
    hub_greenlet=lambda: eventlet.hubs.get_hub().greenlet,
    timers=_timers_in_eventlet,
)
GEVENT = Hub(
    name="gevent",
    runtime=GeventRuntime,
    spawn=gevent.spawn,
    sleep=gevent.sleep,
    call_soon=_call_soon_in_gevent,
    timeout=gevent.Timeout,
    hub_greenlet=gevent.get_hub,
    timers=_timers_in_gevent,
)
HUBS = (EVENTLET, GEVENT)
GreenletExit = greenlet.GreenletExit
