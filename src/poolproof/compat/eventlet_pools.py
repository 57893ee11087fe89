"""`eventlet.pools` over the verified core: ``from poolproof.compat import eventlet_pools as pools``.

An item is put back by itself, by another in its place, or not at all while a subclass corrects `current_size`. So the
items stay here, and the core keeps the right to have one out.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from poolproof.compat.books import Books, Out
from poolproof.runtime.eventlet import cooperate
from poolproof.tokens import Token as Token

__all__ = ["Pool", "TokenPool"]
log = logging.getLogger("poolproof.compat")


class Pool:
    """Limits and reuses items as `eventlet.pools.Pool` does. Define `create` in a subclass, or pass it."""

    def __init__(
        self, min_size: int = 0, max_size: int = 4, order_as_stack: bool = False,
        create: Callable[[], Any] | None = None,
    ) -> None:  # fmt: skip
        if min_size > max_size:
            raise ValueError(f"min_size {min_size} is above max_size {max_size} [INPUTS-VALIDATED]")
        self.min_size, self.order_as_stack = min_size, order_as_stack
        self.free_items: deque[Any] = deque()
        self._books = Books(max_size, type(self).__name__)
        if create is not None:
            self.create = create  # type: ignore[method-assign]
        for _ in range(min_size):
            self._books.size += 1
            self.free_items.append(self.create())

    def create(self) -> Any:
        """Make one item: to be defined."""
        raise NotImplementedError("Implement in subclass")

    def get(self) -> Any:
        """Return a free item, or one that `create` makes; wait in turn while max_size are out."""
        books = self._books_of_this_process()
        out = books.take()
        try:
            if self.free_items:
                return books.hand_over(out, self.free_items.popleft())
            books.size += 1
            return books.hand_over(out, self.create())
        except BaseException:
            books.size -= 1
            books.end(out)
            raise

    def put(self, item: Any) -> None:
        """Take an item back, or another in its place. If somebody waits, they have it when this returns."""
        books = self._books_of_this_process()
        out = books.ended_by_putting(item)
        if out is None:
            if any(item is other for other in books.parents):
                return
            out = books.likeliest()
            objection = self._objection(item, out)
            if objection is not None:
                log.warning("pool %r: an item was put that was not taken: %s", type(self).__name__, objection)
                return
            books.size += out is None  # it comes from outside
        if books.size > books.max_size:
            books.size -= 1
        elif self.order_as_stack:
            self.free_items.appendleft(item)
        else:
            self.free_items.append(item)
        if out is not None:
            books.end(out)
        if books.coming:
            cooperate()

    def _objection(self, item: Any, instead: Out | None) -> str | None:
        """What speaks against an item that nobody has out who may put it back; it could be *instead* of another."""
        if self._books.holding(item):
            return "another greenlet has it out, and this one put it back before"
        # None and tuples stand for "make a new one", in eventlet.db_pool and elsewhere.
        if any(item is free for free in self.free_items) and not isinstance(item, tuple | None):
            return "it is free already"
        if instead is None and self._books.size >= self._books.max_size:
            return "nothing is out, and there is no room for one more"
        return None

    @contextmanager
    def item(self) -> Iterator[Any]:
        """Get an item for a ``with`` block, and put it back."""
        item = self.get()
        try:
            yield item
        finally:
            self.put(item)

    def resize(self, new_size: int) -> None:
        """Change max_size. Upwards, waiters create at once; downwards, surplus is dropped now or when put back."""
        books = self._books_of_this_process()
        books.tokens.resize(new_size)
        books.max_size = new_size
        while books.size > new_size and self.free_items:
            self.free_items.pop() if self.order_as_stack else self.free_items.popleft()
            books.size -= 1

    def free(self) -> int:
        """How many times `get` would return without waiting."""
        return max(0, self._books.max_size - self._books.tokens.stats().checked_out)

    def waiting(self) -> int:
        """How many wait for an item."""
        return self._books.tokens.stats().waiting

    @property
    def max_size(self) -> int:
        """The limit; assigning is `resize`."""
        return self._books.max_size

    @max_size.setter
    def max_size(self, size: int) -> None:
        if hasattr(self, "_books"):  # else a subclass assigns it before it calls __init__
            self.resize(size)

    @property
    def current_size(self) -> int:
        """How many items exist. To lower it is to give up free ones that were removed, or else one that is out."""
        return self._books.size

    @current_size.setter
    def current_size(self, size: int) -> None:
        books = self._books
        books.size = size
        while len(books.out) > max(0, size - len(self.free_items)) and (out := books.likeliest()) is not None:
            books.end(out)

    @property
    def channel(self) -> SimpleNamespace:
        """What those who look at eventlet's queue of waiters want to know of it."""
        return SimpleNamespace(getting=self.waiting, putting=lambda: 0)

    def _books_of_this_process(self) -> Books:
        """In the child after a fork, the items of the parent are kept alive and not used [FORK-SAFE]."""
        books = self._books
        if books.process != os.getpid():
            parents = (*books.parents, *self.free_items, *(out.item for out in books.out))
            books.out.clear()
            self._books, self.free_items = books, _ = Books(books.max_size, type(self).__name__, parents), deque()
        return books


class TokenPool(Pool):
    """A pool of opaque tokens, each the right to use something limited."""

    def create(self) -> Token:
        return Token()
