"""In place of ``ya.resourcepool`` (0.1.1): ``from poolproof.compat.ya_resourcepool import ResourcePool``.

What differs, and why, is told in docs/how-to/migrate/ya-resourcepool.md.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Generic, TypeVar

from poolproof import AcquireTimeout, Lease, Pool
from poolproof.compat.returning import VALUES, Item
from poolproof.settings import callable_or_none, count

__version__ = "0.1.1"  # of the library that this stands in for
__all__ = ["ResourcePool", "ResourcePoolEmpty"]

R = TypeVar("R")
log = logging.getLogger("poolproof.compat")


class DeadResource(Exception):
    """Raised by a check, it says that the resource is dead."""


class ResourcePoolEmpty(Exception):
    """No resource was to be had in time."""


def noop(*_: Any, **__: Any) -> None:
    """Do nothing."""


def true(*_: Any, **__: Any) -> bool:
    """Say yes."""
    return True


class Shelved(Item):
    """One resource as it lies in the pool, and since when."""

    __slots__ = ("since",)

    def __init__(self, resource: Any) -> None:
        super().__init__(resource)
        self.since = monotonic()

    @property
    def key(self) -> int:
        """By what another item of the same resource is found; nothing, for values without identity."""
        return id(self) if type(self.resource) in VALUES else id(self.resource)


class Shelf:
    """What lies in one pool, for how long it may, and what becomes of it then. It does not know the pool."""

    def __init__(self, dealloc: Callable[[Any], object], minsize: int | None, maxage: float | None) -> None:
        self.dealloc, self.floor, self.maxage = dealloc, minsize or 0, maxage
        self.items: dict[int, Shelved] = {}

    def keeps(self, item: Shelved) -> bool:
        """The pool's check: whether the item may stay and be handed out, for all its age."""
        return not self.maxage or len(self.items) <= self.floor or monotonic() - item.since < self.maxage

    def destroy(self, item: Shelved) -> None:
        """The pool's destroy."""
        self.items.pop(item.key, None)
        self.dealloc(item.resource)


class ResourcePool(Generic[R]):
    """A pool that hands resources over: who pops one owns it, and may push it or not.

    Args:
        alloc: makes a resource when none is pooled.
        dealloc: disposes of a pooled resource that is one too many, too old, or left when the pool goes.
        check: says by a true result that a pooled resource is alive; dead ones are dropped without dealloc.
        init: resources to begin with, the first to be popped first; copied.
        minsize: with alloc, how many to begin with; how many age and surplus leave.
        maxsize: how many may be pooled; above it, the oldest are deallocated down to minsize (default maxsize).
        maxage: seconds that a resource may lie in the pool.
    """

    def __init__(
        self,
        *,
        alloc: Callable[[], R] | None = None,
        dealloc: Callable[[R], object] | None = None,
        check: Callable[[R], object] | None = None,
        init: Iterable[R] | None = None,
        minsize: int | None = None,
        maxsize: int | None = None,
        maxage: float | None = None,
    ) -> None:
        for name, function in {"alloc": alloc, "dealloc": dealloc, "check": check}.items():
            callable_or_none(name, function)
        count("minsize", minsize, least=0)
        self._alloc, self._check = alloc, check or true
        self._shelf = shelf = Shelf(dealloc or noop, minsize, maxage)
        self._out: dict[int, tuple[weakref.ref[Any], Shelved, threading.Thread]] = {}
        self._pool: Pool[Shelved] = Pool(
            resources=(),
            destroy=shelf.destroy,
            check=shelf.keeps if maxage else None,
            max_free=maxsize,
            shrink_to=None if maxsize is None else minsize,
            housekeeping=max(maxage / 10, 0.01) if maxage else None,
        )
        for resource in reversed(self._initial([] if init is None else list(init), minsize or 0)):
            self.push(resource)
        # When the pool is collected, and at the latest at the end of the process.
        weakref.finalize(self, self._pool.close)

    def _initial(self, given: list[R], size: int) -> list[R]:
        """What was given, and from alloc as many as lack."""
        made: list[R] = []
        try:
            while self._alloc is not None and len(given) + len(made) < size:
                made.append(self._alloc())
        except BaseException:
            for resource in made:
                self._shelf.dealloc(resource)
            raise
        return given + made

    def pop(self, timeout: float | None = None) -> R:
        """Take a resource over from the pool.

        Args:
            timeout: without alloc, how many seconds to wait for a push; None does not wait, 0 or less waits without
                limit.
        Raises:
            ResourcePoolEmpty: nothing came in time.
            Anything else came from alloc or check. A resource whose check raised is deallocated.
        """
        patient = self._alloc is None and timeout is not None
        deadline = monotonic() + timeout if patient and timeout and timeout > 0 else None
        while True:
            left = max(0.0, deadline - monotonic()) if deadline is not None else None if patient else 0
            try:
                lease = self._pool.acquire(left)
            except AcquireTimeout:
                if self._alloc is None:
                    raise ResourcePoolEmpty("no resource is pooled") from None
                return self._alloc()
            item = lease.resource
            alive = self._alive(lease)
            if alive:
                self._hand_over(item)  # first: from now on, who pushed it before can push it no more
            self._shelf.items.pop(item.key, None)
            lease.detach()
            if alive:
                return item.resource  # type: ignore[no-any-return]

    def _alive(self, lease: Lease[Shelved]) -> bool:
        try:
            return bool(self._check(lease.resource.resource))
        except DeadResource:
            return False
        except BaseException:
            lease.discard()
            raise

    def _hand_over(self, item: Shelved) -> None:
        """Remember who owns the resource now, for as long as it exists, if that can be told."""
        me, key = threading.current_thread(), item.key
        item.gave.discard(me)
        try:
            reference = weakref.ref(item.resource, lambda _, out=self._out: out.pop(key, None))  # type: ignore[misc]
        except TypeError:
            return
        self._out[key] = (reference, item, me)

    def push(self, resource: R) -> None:
        """Give a resource back, or a new one to the pool.

        What lies in the pool already is left alone, with a word in the log; so is what the caller pushed before and
        another thread popped since.
        """
        me, item = threading.current_thread(), Shelved(resource)
        known = self._out.get(item.key)
        if known is not None and known[0]() is resource:
            item.gave = known[1].gave
            if known[2] is not me and me in item.gave:
                log.warning("a resource was pushed again that another thread has popped since; nothing was changed")
                return
        if self._shelf.items.setdefault(item.key, item) is not item:
            log.warning("a resource was pushed that is in the pool already; nothing was changed")
            return
        item.gave.add(me)
        self._out.pop(item.key, None)
        self._pool.add(item)

    @contextmanager
    def __call__(self, timeout: float | None = None) -> Iterator[R]:
        """`pop` for a ``with`` block, and `push` at its end."""
        resource = self.pop(timeout)
        try:
            yield resource
        finally:
            self.push(resource)

    def __len__(self) -> int:
        """How many resources are pooled."""
        if self._shelf.maxage:
            self._pool.maintain()
        stats = self._pool.stats()
        return stats.free + stats.returning

    def __bool__(self) -> bool:
        """A pool is something, even when it is empty."""
        return True
