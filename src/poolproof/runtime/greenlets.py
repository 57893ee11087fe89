"""What the runtimes for greenlets have in common: a greenlet sleeps by switching to the hub of its thread.

The state is committed as threads commit it. Nothing switches inside the critical section, so for the greenlets of one
thread the lock is always free; it is there for other threads, which may use the same pool.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from greenlet import getcurrent, greenlet

from poolproof.core.values import PlainState
from poolproof.runtime.threads import ThreadAtom

# The longest single sleep, in seconds: some hubs count milliseconds in 32 bits. A park may end early, so this is
# nothing that anybody notices.
LONGEST: Final = 1_000_000.0


class Nap:
    """One sleep of one greenlet. Its hub switches back to it once, or never if it was thrown out of the sleep."""

    __slots__ = ("sleeper",)

    def __init__(self) -> None:
        self.sleeper: greenlet | None = None

    def end(self) -> None:
        """Switch back to the sleeper. To be called in the hub, any number of times, and however late."""
        sleeper, self.sleeper = self.sleeper, None
        if sleeper is not None:
            sleeper.switch()


class HubParker:
    """Where one greenlet sleeps. The token says whether it was unparked; a hub only delivers the news.

    An exception thrown into the sleeper leaves by `park`, and a token that was there stays.
    """

    __slots__ = ("_news", "_token")

    def __init__(self) -> None:
        self._token = False
        self._news: Callable[[], object] | None = None

    def park(self, timeout: float | None) -> bool:
        if not self._token and (timeout is None or timeout > 0):
            self._sleep(LONGEST if timeout is None else min(timeout, LONGEST))
        if not self._token:  # and nothing is written: it may come at this very moment
            return False
        self._token = False
        return True

    def unpark(self) -> None:
        # The token first, and `_switch` looks for it last: one of the two sees the other.
        self._token = True
        news = self._news
        if news is not None and not sys.is_finalizing():  # then nobody ever runs again
            news()

    def _sleep(self, timeout: float) -> None:
        """Switch to the hub until there is news, or for *timeout* seconds."""
        raise NotImplementedError

    def _switch(self, nap: Nap, news: Callable[[], object], switch: Callable[[], object]) -> None:
        """Switch to the hub, unless there is a token already. *news* makes it end the *nap*, from any thread."""
        try:
            nap.sleeper = getcurrent()
            self._news = news
            if not self._token:
                switch()
        finally:
            nap.sleeper = None  # awake, whatever woke it: who comes to end the nap comes too late
            self._news = None


class _Here:
    """Who is calling: a weak reference, because a greenlet remembered would never be collected, and nor would the
    leases in its frames."""

    __slots__ = ()

    @property
    def who(self) -> object:
        return weakref.ref(getcurrent())


class GreenletRuntime:
    """Greenlets of one or several threads; how they sleep and start is the hub's business."""

    __slots__ = ()

    here = _Here()
    monotonic = staticmethod(time.monotonic)

    def atom(self, value: PlainState) -> ThreadAtom:
        return ThreadAtom(value)

    def name_of(self, who: object) -> str:
        if not isinstance(who, weakref.ref):
            return str(who)
        someone: Any = who()
        if someone is None:
            return "a greenlet (ended)"
        unnamed = "main greenlet" if someone.parent is None else f"{type(someone).__name__} at {id(someone):#x}"
        name: str = getattr(someone, "name", unnamed)
        return f"{name} (ended)" if someone.dead else name


def no_sleep_in(hub: str) -> RuntimeError:
    """The error for whoever would have to wait where nobody can be switched to."""
    return RuntimeError(
        f"this acquire or close would have to wait inside the hub of {hub}, which runs everybody else: "
        "do it in a greenlet, or with timeout 0"
    )


def missing(package: str) -> str:
    """What to tell those who have not got *package*."""
    return f"this runtime needs {package}: pip install 'poolproof[{package}]'"
