"""``ProxyPatternPool.Pool``."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import methodcaller
from typing import Any

import poolproof
from poolproof import AcquireTimeout, PoolClosed, StaleLease
from poolproof.compat.proxypatternpool.errors import PoolException, TimeOut
from poolproof.compat.proxypatternpool.hooks import Hook, Hooks, Life, Used, log
from poolproof.compat.returning import Out

_ids = itertools.count(1)


class _Kept(poolproof.Pool[Used]):
    """The pool underneath; its housekeeping does what is done there in a round."""

    def keep(self, life: Life, warn: float, frequency: int) -> None:
        """What a round needs to know."""
        self._life, self._warn, self._frequency = life, warn, frequency
        self.last_round = time.time()
        self.seconds = 0.0

    def maintain(self) -> None:
        """One round: warn of objects in use for long, check health if it is time for it, and all the rest."""
        begun, self.last_round = time.monotonic(), time.time()
        life = self._life
        life.count("hk_rounds")
        long = [holder.seconds for holder in self.holders() if self._warn and holder.seconds >= self._warn]
        if long:
            log.warning("long running objects: %d (%s seconds)", len(long), sum(long) / len(long))
        life.inspecting.on = bool(self._frequency) and life.counts["hk_rounds"] % self._frequency == 0
        if life.inspecting.on and life.hooks.health is not None:
            life.count("hc_rounds")
        try:
            super().maintain()
        finally:
            life.inspecting.on = False
            self.seconds += time.monotonic() - begun


class Pool:
    """A pool of objects that ``fun`` makes on demand.

    The parameters are those of ProxyPatternPool 11.6 in its order, and of 2.1: ``max_delay`` is max_avail_delay, and
    ``close`` names the method that closer calls.
    """

    def __init__(
        self,
        fun: Callable[[int], Any],
        max_size: int | None = 0,
        min_size: int = 1,
        timeout: float | None = None,
        max_use: int = 0,
        max_avail_delay: float = 0.0,
        max_using_delay: float = 0.0,
        max_using_delay_kill: float = 0.0,
        health_freq: int = 1,
        delay: float = 0.0,
        opener: Hook | None = None,
        getter: Hook | None = None,
        retter: Hook | None = None,
        closer: Hook | None = None,
        health: Hook | None = None,
        stats: Hook | None = None,
        tracer: Hook | None = None,
        log_level: int | None = None,
        *,
        max_delay: float = 0.0,
        close: str | None = None,
    ) -> None:
        if log_level is not None:
            log.setLevel(log_level)
        if close is not None and closer is not None:
            raise TypeError("closer is a function and close names a method: give one of them")
        closer = closer if close is None else methodcaller(close)
        avail, warn = max_avail_delay or max_delay, max_using_delay or max_using_delay_kill
        if max_using_delay_kill and warn > max_using_delay_kill:
            log.warning("inconsistent max_using_delay_warn > max_using_delay_kill")
        self._id = next(_ids)
        self._timeout = timeout
        self._delay = delay or min((each for each in (avail, warn) if each), default=120.0 if health else 0.0) / 2
        self._life = Life(
            Hooks(fun=fun, opener=opener, getter=getter, retter=retter, closer=closer, health=health, stats=stats,
                  tracer=tracer or str), max_use,
        )  # fmt: skip
        self._given = {
            "min_size": min_size, "max_size": max_size, "max_use": max_use, "timeout": timeout, "delay": self._delay,
            "max_avail_delay": avail, "max_using_delay_kill": max_using_delay_kill, "max_using_delay_warn": warn,
            "health_freq": health_freq,
        }  # fmt: skip
        self._started = dt.datetime.now(tz=dt.UTC)
        # Under the reloader of werkzeug, the first process serves nobody.
        idle = "PPP_WERKZEUG_WORKAROUND" in os.environ and os.environ.get("WERKZEUG_RUN_MAIN") != "true"
        self._kept = _Kept(
            self._life.create,
            destroy=self._life.destroy,
            check=self._life.healthy if health is not None else None,
            max_size=max_size or None,
            min_size=min_size,
            prefill=False,
            max_uses=max_use or None,
            max_idle=avail or None,
            max_lease=max_using_delay_kill or None,
            revoke_overdue=bool(max_using_delay_kill),
            housekeeping=None if idle else self._delay or None,
            name=f"ppp-{self._id}",
        )
        self._kept.keep(self._life, warn, health_freq)
        if not idle:
            poolproof.Pool.maintain(self._kept)  # what cannot be made now is tried again later

    # Out and back.

    def get(self, timeout: float | None = None) -> Any:
        """An object, which the caller must `ret`; *timeout* bounds the waiting, default is the pool's."""
        return self._take(timeout).item.resource

    def ret(self, obj: Any) -> None:
        """Give an object back. What is not out, or not the caller's to give, is left alone, with a word in the log."""
        out = self._life.out.take_back(obj)
        if out is None:
            log.warning("unexpected object returned: %s", self._life.trace(obj))
        else:
            self._give(out)

    @contextmanager
    def obj(self, timeout: float | None = None) -> Iterator[Any]:
        """An object for a ``with`` block."""
        out = self._take(timeout)
        try:
            yield out.item.resource
        finally:
            if self._life.out.claim(out):
                self._give(out)

    def _take(self, timeout: float | None) -> Out:
        wait = self._timeout if timeout is None else timeout
        try:
            lease = self._kept.acquire(None if wait is None else max(wait, 0))
        except AcquireTimeout as error:
            raise TimeOut(f"timeout after {wait}: {error}") from error
        except PoolClosed as error:
            raise PoolException("Pool is shutting down") from error
        item = lease.resource
        item.uses, item.last_get = item.uses + 1, time.monotonic()
        self._life.count("nuses")
        out = self._life.out.give_out(lease, item)
        try:
            self._life.hook("getter", item.resource)
        except BaseException:
            self._life.out.claim(out)
            lease.discard()
            raise
        return out

    def _give(self, out: Out) -> None:
        try:
            self._life.hook("retter", out.item.resource)
        finally:
            out.item.last_ret = time.monotonic()  # type: ignore[attr-defined]
            with contextlib.suppress(StaleLease):  # it was killed a moment ago
                out.lease.release()

    # The end.

    def shutdown(self, delay: float = 0.0) -> None:
        """Close the pool, after at most *delay* seconds also what is in use."""
        report = self._kept.close(grace=max(delay, 0.0), force=True)
        if report.revoked:
            log.warning("deleting in-use objects: %d", len(report.revoked))

    def retire(self) -> None:
        """Close the pool, and what is in use when it comes back."""
        self._kept.close()

    def __delete__(self, _: object = None) -> None:
        """Destroy every object: those in use when they come back. The pool goes on with new ones."""
        with contextlib.suppress(PoolClosed):
            self._kept.expire_all()

    def __del__(self) -> None:
        if hasattr(self, "_kept"):
            self.retire()
            self._life.out.let_go()

    # What it tells, also by the names that programs and tests in the wild read.

    def _of(self, *states: str) -> list[Used]:
        return [each.resource for each in self._kept.resources() if each.state in states]

    @property
    def _avail(self) -> list[Any]:
        return [item.resource for item in self._of("free", "returning")]

    @property
    def _using(self) -> list[Any]:
        return [item.resource for item in self._of("checked_out")]

    @property
    def _nobjs(self) -> int:
        stats = self._kept.stats()
        return stats.live - stats.creating - stats.discarded

    @property
    def _nuses(self) -> int:
        return self._life.counts["nuses"]

    @property
    def _ncreated(self) -> int:
        return self._life.counts["ncreated"]

    @property
    def _shutdown(self) -> bool:
        return self._kept.stats().phase != "open"

    @property
    def _housekeeper(self) -> threading.Thread | None:
        name = f"housekeeping of {self._kept.name}"
        return next((one for one in threading.enumerate() if one.name == name and not self._shutdown), None)

    def stats(self) -> dict[str, Any]:
        """What there is and what was counted, ready for JSON."""
        stats, counts, now = self._kept.stats(), self._life.counts, time.time()
        avail, using = self._of("free", "returning"), self._of("checked_out")
        size = self._given["max_size"]
        moment = time.monotonic()
        told = (
            "ncreated", "ncreating", "nuses", "nkilled", "nwornout", "ndestroys", "nhealth", "bad_health", "hk_rounds",
            "hc_rounds", "hc_errors",
        )  # fmt: skip
        return {
            "id": self._id,
            "started": self._started.isoformat(),
            **self._given,
            "now": now,
            "sem": {"value": int(size) - len(using), "init": size} if size else None,
            "navail": len(avail),
            "nusing": len(using),
            "ntodel": stats.discarded,
            "running": now - self._started.timestamp(),
            "rel_hk_last": self._kept.last_round - now,
            "time_per_hk": self._kept.seconds / max(counts["hk_rounds"], 1),
            "shutdown": self._shutdown,
            "avail": [self._life.told(item, moment) for item in avail],
            "using": [self._life.told(item, moment) for item in using],
            "nobjs": self._nobjs,
            **{name: counts[name] for name in told},
            # Whatever was destroyed and neither worn out, killed nor unhealthy had been idle for too long, or renewed.
            "nrecycled": counts["ndestroys"] - counts["nkilled"] - counts["nwornout"] - counts["bad_health"],
            "nborrows": counts["nhealth"],
            "nreturns": counts["nhealth"],
            "hk_errors": 0,
        }

    def __str__(self) -> str:
        return json.dumps(self.stats())
