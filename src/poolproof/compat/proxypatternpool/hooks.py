"""The hooks of a pool, and what is counted. Nothing here knows the pool, so that it is collected when forgotten."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from poolproof.compat.returning import Item, Outstanding

log = logging.getLogger("ppp")

Hook = Callable[[Any], object]


class Used(Item):
    """One object of a pool, and how it was used."""

    __slots__ = ("last_get", "last_ret", "uses")

    def __init__(self, resource: Any) -> None:
        super().__init__(resource)
        self.uses = 0
        self.last_get = self.last_ret = time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What is called with each object, and when."""

    fun: Callable[[int], Any]
    opener: Hook | None = None
    getter: Hook | None = None
    retter: Hook | None = None
    closer: Hook | None = None
    health: Hook | None = None
    stats: Hook | None = None
    tracer: Hook = str


class Life:
    """The life of a pool's objects: create, check and destroy for the pool, with the hooks in their places."""

    def __init__(self, hooks: Hooks, max_use: int) -> None:
        self.hooks: Final = hooks
        self.out: Final = Outstanding()
        self.counts: Counter[str] = Counter()
        self.inspecting = threading.local()  # its ``on`` is set in the thread that does a round of health checks
        self._max_use = max_use
        self._counting = threading.RLock()
        self._next = itertools.count()
        self._given_back: deque[int] = deque()

    def count(self, what: str) -> None:
        """One more of these."""
        with self._counting:
            self.counts[what] += 1

    def hook(self, name: str, resource: Any) -> None:
        """Call a hook, if there is one; an `Exception` of it is logged, and changes nothing."""
        function = getattr(self.hooks, name)
        try:
            if function is not None:
                function(resource)
        except Exception as error:
            log.error("exception in %s: %s", name, error)

    def create(self) -> Used:
        """Make an object with the next number; the number of a failure is used again, none is used twice."""
        self.count("ncreating")
        number = self._given_back.popleft() if self._given_back else next(self._next)
        try:
            resource = self.hooks.fun(number)
        except BaseException:
            self._given_back.append(number)
            raise
        self.count("ncreated")
        try:
            self.hook("opener", resource)
        except BaseException:
            self.hook("closer", resource)
            raise
        return Used(resource)

    def healthy(self, item: Used) -> bool:
        """In a round of health checks, what the hook says; an exception of it counts as healthy."""
        if not getattr(self.inspecting, "on", False) or self.hooks.health is None:
            return True
        self.count("nhealth")
        try:
            healthy = bool(self.hooks.health(item.resource))
        except Exception as error:
            self.count("hc_errors")
            log.error("health check error: %s", error)
            return True
        if not healthy:
            self.count("bad_health")
            log.error("bad health: %s", self.trace(item.resource))
        return healthy

    def destroy(self, item: Used) -> None:
        """Dispose of an object."""
        self.count("ndestroys")
        if self.out.has(item):
            self.count("nkilled")
            self.out.forget(item)
        elif self._max_use and item.uses >= self._max_use:
            self.count("nwornout")
        self.hook("closer", item.resource)

    def trace(self, resource: Any) -> object:
        """What the tracer says of it."""
        try:
            return self.hooks.tracer(resource)
        except Exception as error:
            return f"(exception in tracer: {error})"

    def told(self, item: Used, now: float) -> dict[str, Any]:
        """What the statistics say of one object."""
        hook = self.hooks.stats
        told = {"trace": self.trace(item.resource)} if hook is None else {"stats": hook(item.resource)}
        return {**told, "uses": item.uses, "last_get": item.last_get - now, "last_ret": item.last_ret - now}
