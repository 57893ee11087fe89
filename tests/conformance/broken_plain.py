"""Variants of the plain pool, each with one mistake."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from conformance.plain import Closed, NotLent, Plain, PlainPool, Token
from poolproof.conformance import PoolSpec


def mistaken(**methods: Any) -> type[Plain]:
    """The adapter of a plain pool with other methods."""
    return type("Mistaken", (Plain,), {"kind": type("MistakenPool", (PlainPool,), methods)})


def promising(*features: str, kind: type[PlainPool] = PlainPool) -> type[Plain]:
    """The plain pool, said to keep what it does not keep."""
    lacks = {name: why for name, why in Plain.lacks.items() if name not in features}
    return type("Promising", (Plain,), {"lacks": lacks, "kind": kind})


def serves_without_taking(self: PlainPool) -> None:
    while self.queue and (self.idle or self.room):
        token = self.queue.popleft()
        if self.idle:
            token.resource, token.state = self.idle[-1], "use"
        else:
            self.room -= 1
            token.state = "build"
    self.changed.notify_all()


def has_one_too_many(self: PlainPool, create: Any, size: int, destroy: Any = None) -> None:
    PlainPool.__init__(self, create, size + 1, destroy)


def builds_without_counting(self: PlainPool, token: Token) -> Token:
    with self.changed:
        self.room += 1
        self.serve()
    built = PlainPool.build(self, token)
    with self.changed:
        self.room -= 1
    return built


def gives_two_back(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.room += 1
    PlainPool.leave(self, token)


def leaves_before_destroying(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
    self.leave(token)
    self.destroy(token.resource)


def forgets_idle(self: PlainPool) -> None:
    with self.changed:
        self.idle.clear()
    PlainPool.close(self)


def closes_again(self: PlainPool) -> None:
    kept = list(self.idle)
    PlainPool.close(self)
    for each in kept:
        self.destroy(each)


def keeps_discarded(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
    self.destroy(token.resource)
    self.release(token)


class Forgetful(PlainPool):
    """Now and then a release brings nothing back."""

    releases = 0

    def release(self, token: Token) -> None:
        self.releases += 1
        if self.releases % 100:
            super().release(token)


def serves_the_last(self: PlainPool) -> None:
    self.queue.reverse()
    PlainPool.serve(self)
    self.queue.reverse()


class Barging(PlainPool):
    """Whoever comes first takes it; a release wakes one."""

    def acquire(self, timeout: float | None = None) -> Token:
        token = Token(self)
        with self.changed:
            while not (self.idle or self.room or self.closed):
                if not self.changed.wait(timeout):
                    raise TimeoutError
            if self.closed:
                raise Closed
            if self.idle:
                token.resource, token.state = self.idle.pop(), "use"
                return token
            self.room -= 1
        return self.build(token)

    def serve(self) -> None:
        self.changed.notify()


def takes_grant_along(self: PlainPool, token: Token) -> None:
    """A grant that comes with the deadline is thrown away."""
    if token.state == "waiting":
        self.queue.remove(token)
    token.state = "ended"


def trusts_wait(self: PlainPool, token: Token, deadline: float | None) -> None:
    if token.state != "waiting":
        return
    if deadline is None:
        PlainPool.wait(self, token, None)
        return
    self.changed.wait(deadline - time.monotonic())
    threading.Event().wait(0.001)
    if time.monotonic() >= deadline:
        raise TimeoutError


def closes_in_silence(self: PlainPool) -> None:
    with self.changed:
        self.closed = True
        idle, self.idle = self.idle, []
    for each in idle:
        self.destroy(each)


def builds_after_close(self: PlainPool, token: Token) -> Token:
    token.resource, token.state = self.create(), "use"
    return token


def keeps_after_close(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
        token.state = "ended"
        self.idle.append(token.resource)
        self.serve()


def accepts_all(self: PlainPool, token: Token) -> None:
    token.state = "use"


def accepts_foreign(self: PlainPool, token: Token) -> None:
    if token.state != "use":
        raise NotLent


def releases_without_lock(self: PlainPool, token: Token) -> None:
    self.check(token)
    threading.Event().wait(0.001)
    with self.changed:
        token.state = "ended"
        self.idle.append(token.resource)
        self.serve()


def ignores_stale(self: PlainPool, token: Token) -> None:
    if token.state == "use":
        PlainPool.release(self, token)


class ByResource(Plain):
    """The lease is the resource."""

    def __init__(self, spec: PoolSpec) -> None:
        super().__init__(spec)
        self.tokens: dict[int, Token] = {}
        self.discard = self.by_resource

    def by_resource(self, token: Any) -> None:
        self.pool.discard(self.tokens[id(token)])

    def acquire(self, timeout: float | None) -> Any:
        token = self.pool.acquire(timeout)
        self.tokens[id(token.resource)] = token
        return token.resource

    def release(self, lease: Any) -> None:
        self.pool.release(self.tokens[id(lease)])

    def resource(self, lease: Any) -> Any:
        return lease


class OwnThreadOnly(Plain):
    """A lease is its thread's."""

    def acquire(self, timeout: float | None) -> Token:
        token = super().acquire(timeout)
        token.owner = threading.get_ident()  # type: ignore[attr-defined]
        return token

    def release(self, lease: Token) -> None:
        if lease.owner != threading.get_ident():  # type: ignore[attr-defined]
            raise RuntimeError("not your lease")
        super().release(lease)


def with_timeout(change: Any) -> type[Plain]:
    """Acquires with another timeout than the one asked for."""
    return mistaken(acquire=lambda self, timeout=None: PlainPool.acquire(self, change(timeout)))


def too_hasty(self: PlainPool, timeout: float | None = None) -> Token:
    if timeout is not None and timeout < 0.0025:
        raise TimeoutError
    return PlainPool.acquire(self, timeout)


def by_the_wall_clock(self: PlainPool, token: Token, deadline: float | None) -> None:
    end = None if deadline is None else time.time() + deadline - time.monotonic()
    while token.state == "waiting":
        if end is not None and end <= time.time():
            raise TimeoutError
        self.changed.wait(None if end is None else end - time.time())


def builds_under_lock(self: PlainPool, token: Token) -> Token:
    with self.changed:
        return PlainPool.build(self, token)


def creates_under_lock(self: PlainPool, token: Token) -> Token:
    with self.changed:
        token.resource, token.state = self.create(), "use"
    return token


def destroys_under_lock(self: PlainPool, token: Token) -> None:
    with self.changed:
        PlainPool.discard(self, token)


def skips_falsy(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
        if token.resource:
            PlainPool.release(self, token)
        else:
            self.leave(token)


def skips_equal(self: PlainPool, token: Token) -> None:
    with self.changed:
        if token.resource in self.idle:
            self.leave(token)
        else:
            PlainPool.release(self, token)


def skips_none(self: PlainPool, token: Token) -> None:
    with self.changed:
        if token.resource is None:
            self.leave(token)
        else:
            PlainPool.release(self, token)


def logs(self: PlainPool, token: Token) -> None:
    logging.getLogger(__name__).debug("released %r", token.resource)
    PlainPool.release(self, token)


def wraps(self: PlainPool, token: Token) -> Token:
    try:
        return PlainPool.build(self, token)
    except Exception as error:
        raise RuntimeError("create failed") from error


def swallows(self: PlainPool, token: Token) -> Token:
    try:
        return PlainPool.build(self, token)
    except BaseException as error:
        raise RuntimeError("create failed") from error


def destroys_loudly(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
        token.state = "ended"
    try:
        self.destroy(token.resource)
    finally:
        self.leave(token)


def destroys_carelessly(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
        token.state = "ended"
    self.destroy(token.resource)
    self.leave(token)


def leaks_interruptions(self: PlainPool, token: Token) -> Token:
    try:
        token.resource, token.state = self.create(), "use"
    except Exception:
        self.leave(token)
        raise
    return token


def checks_nothing(self: PlainPool, create: Any, size: int, destroy: Any = None) -> None:
    PlainPool.__init__(self, object, 1, destroy)
    self.create, self.room = create, size


def tells_nobody(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
        token.state = "ended"
        self.idle.append(token.resource)


def leaves_in_silence(self: PlainPool, token: Token) -> None:
    with self.changed:
        token.state = "ended"
        self.room += 1


def keeps_dead_waiters(self: PlainPool, token: Token) -> None:
    if token.state != "waiting":
        PlainPool.withdraw(self, token)


def never_reuses(self: PlainPool, token: Token) -> None:
    with self.changed:
        self.check(token)
    self.destroy(token.resource)
    self.leave(token)


class Waiting(PlainPool):
    """Close waits for whoever holds a lease."""

    lent = 0

    def acquire(self, timeout: float | None = None) -> Token:
        token = super().acquire(timeout)
        self.lent += 1
        return token

    def release(self, token: Token) -> None:
        super().release(token)
        self.lent -= 1
        with self.changed:
            self.changed.notify_all()

    def close(self) -> None:
        super().close()
        with self.changed:
            self.changed.wait_for(lambda: not self.lent)


class Threads(PlainPool):
    """Each acquire has a thread that goes on until the next test is over."""

    daemon = True

    def acquire(self, timeout: float | None = None) -> Token:
        threading.Thread(target=threading.Event().wait, args=(60.0,), daemon=self.daemon).start()
        return super().acquire(timeout)


class Stays(PlainPool):
    """A thread that nobody ends."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        threading.Thread(target=self.linger).start()

    def linger(self) -> None:
        while not self.closed:
            threading.Event().wait(0.05)


class Unforgiving(PlainPool):
    """With a lock that its own thread cannot take twice."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.changed = threading.Condition(threading.Lock())


stays = type("StaysAdapter", (Plain,), {"kind": Stays})
