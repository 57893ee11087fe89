"""A correct pool on a page: plain `threading.Condition`, written without a look at poolproof.

Waiters stand in a queue of their own tickets, and whatever comes free is given to the first of them by name.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from poolproof.conformance import Adapter, PoolSpec


class Closed(Exception):
    """The pool is closed."""


class NotLent(Exception):
    """This token is not, or no longer, a valid one."""


class Token:
    """Stands for one lease, and for the one who waits for it."""

    def __init__(self, pool: PlainPool) -> None:
        self.pool = pool
        self.resource: Any = None
        self.state = "waiting"  # then "use", "build" or "closed"; then "ended"


def nothing(resource: Any) -> None:
    del resource


class PlainPool:
    """Lends at most *size* resources."""

    def __init__(self, create: Callable[[], Any], size: int, destroy: Callable[[Any], object] | None = None) -> None:
        if size < 1 or not hasattr(create, "__call__"):  # noqa: B004
            raise ValueError("create must be callable, and size positive")
        self.create = create
        self.destroy = destroy if destroy is not None else nothing
        self.changed = threading.Condition()
        self.idle: list[Any] = []
        self.room = size
        self.queue: deque[Token] = deque()
        self.closed = False

    def acquire(self, timeout: float | None = None) -> Token:
        if timeout is not None and (math.isnan(timeout) or timeout < 0):
            raise ValueError("timeout must be a number of seconds")
        deadline = None if timeout is None else time.monotonic() + timeout
        token = Token(self)
        with self.changed:
            if self.closed:
                raise Closed
            self.queue.append(token)
            self.serve()
            try:
                self.wait(token, deadline)
            except BaseException:
                self.withdraw(token)
                raise
        if token.state == "closed":
            raise Closed
        return token if token.state == "use" else self.build(token)

    def wait(self, token: Token, deadline: float | None) -> None:
        while token.state == "waiting":
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError("no resource in time")
            self.changed.wait(left)

    def withdraw(self, token: Token) -> None:
        if token.state == "waiting":
            self.queue.remove(token)
        elif token.state == "use":
            self.idle.append(token.resource)
        elif token.state == "build":
            self.room += 1
        token.state = "ended"
        self.serve()

    def build(self, token: Token) -> Token:
        try:
            resource = self.create()
        except BaseException:
            self.leave(token)
            raise
        with self.changed:
            token.resource, token.state = resource, "use"
            if not self.closed:
                return token
            token.state = "ended"
        self.destroy(resource)
        raise Closed

    def serve(self) -> None:
        """Give what is there to those who have waited longest."""
        while self.queue and (self.idle or self.room):
            token = self.queue.popleft()
            if self.idle:
                token.resource, token.state = self.idle.pop(), "use"
            else:
                self.room -= 1
                token.state = "build"
        self.changed.notify_all()

    def leave(self, token: Token) -> None:
        """The slot of this token is empty."""
        with self.changed:
            token.state = "ended"
            self.room += 1
            self.serve()

    def check(self, token: Token) -> None:
        if token.pool is not self or token.state != "use":
            raise NotLent

    def release(self, token: Token) -> None:
        with self.changed:
            self.check(token)
            token.state = "ended"
            if not self.closed:
                self.idle.append(token.resource)
                self.serve()
                return
        self.destroy(token.resource)

    def discard(self, token: Token) -> None:
        with self.changed:
            self.check(token)
            token.state = "ended"
        try:
            self.destroy(token.resource)
        except Exception:
            pass
        finally:
            self.leave(token)

    def close(self) -> None:
        with self.changed:
            self.closed = True
            idle, self.idle = self.idle, []
            for token in self.queue:
                token.state = "closed"
            self.queue.clear()
            self.changed.notify_all()
        for resource in idle:
            self.destroy(resource)


class Plain(Adapter):
    """How the suite reaches it."""

    closed_error = Closed
    misuse_error = NotLent
    lacks = {  # noqa: RUF012
        "async-exceptions": "a list and a counter under a lock: what strikes between the two is not undone",
        "abandoned-leases": "a token that is forgotten is lost",
        "collectable": "resources are destroyed by close alone",
        "fork": "a child must make a pool of its own",
        "gc": "the lock is not for finalizers",
        "signals": "the lock is not for signal handlers",
    }
    kind = PlainPool

    def __init__(self, spec: PoolSpec) -> None:
        self.pool = self.kind(spec.create, spec.max_size, spec.destroy)  # type: ignore[arg-type]
        self.discard, self.close = self.pool.discard, self.pool.close

    def acquire(self, timeout: float | None) -> Token:
        return self.pool.acquire(timeout)

    def release(self, lease: Token) -> None:
        self.pool.release(lease)

    def resource(self, lease: Token) -> Any:
        return lease.resource


make_pool = Plain
