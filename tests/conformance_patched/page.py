"""A pool on one page, of a plain `threading.Condition`: correct, and written with no thought of this project."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any


class Closed(Exception):
    pass


class Timeout(Exception):
    pass


class Stale(Exception):
    pass


class Lease:
    def __init__(self, resource: Any) -> None:
        self.resource = resource
        self.ended = False


class Ticket:
    def __init__(self) -> None:
        self.given: list[Any] | None = None  # a resource; or nothing, to build one; or CLOSED


CLOSED: list[Any] = [Closed]


class Pool:
    """What comes free is handed to whoever has waited longest, in the same moment."""

    def __init__(self, create: Callable[[], Any], destroy: Callable[[Any], object], limit: int) -> None:
        self.create, self.destroy, self.limit = create, destroy, limit
        self.changed = threading.Condition()
        self.free: list[Any] = []
        self.queue: deque[Ticket] = deque()
        self.live = 0
        self.closed = False

    def acquire(self, timeout: float | None = None) -> Lease:
        deadline = None if timeout is None else time.monotonic() + timeout
        ticket = Ticket()
        with self.changed:
            self.refuse_if_closed()
            self.queue.append(ticket)
            self.balance()
            while ticket.given is None:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.queue.remove(ticket)
                    raise Timeout
                self.changed.wait(left)
        if ticket.given is CLOSED:
            raise Closed
        return Lease(ticket.given[0] if ticket.given else self.build())

    def refuse_if_closed(self) -> None:
        if self.closed:
            raise Closed

    def balance(self) -> None:
        """With the lock: nobody waits while something is free, or can be built."""
        while self.queue and self.free:
            self.queue.popleft().given = [self.free.pop()]
        while self.queue and self.live < self.limit:
            self.live += 1
            self.queue.popleft().given = []
        self.changed.notify_all()

    def build(self) -> Any:
        try:
            resource = self.create()
        except BaseException:
            self.gone()
            raise
        with self.changed:
            closed = self.closed
        if closed:
            self.end(resource)
            raise Closed
        return resource

    def release(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
            keep = not self.closed
            if keep:
                self.free.append(lease.resource)
                self.balance()
        if not keep:
            self.end(lease.resource)

    def discard(self, lease: Lease) -> None:
        with self.changed:
            self.mark_ended(lease)
        self.end(lease.resource)

    def mark_ended(self, lease: Lease) -> None:
        if lease.ended:
            raise Stale
        lease.ended = True

    def close(self) -> None:
        with self.changed:
            self.closed = True
            free, self.free = self.free, []
            while self.queue:
                self.queue.popleft().given = CLOSED
            self.changed.notify_all()
        for resource in free:
            self.end(resource)

    def end(self, resource: Any) -> None:
        try:
            self.destroy(resource)
        finally:
            self.gone()

    def gone(self) -> None:
        with self.changed:
            self.live -= 1
            self.balance()
