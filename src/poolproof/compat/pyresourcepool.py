"""In place of ``pyresourcepool.pyresourcepool`` (0.1.12): ``from poolproof.compat.pyresourcepool import ResourcePool``.

What differs, and why, is told in docs/how-to/migrate/pyresourcepool.md.
"""

from __future__ import annotations

import itertools
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from poolproof import AcquireTimeout, Lease, Pool, PoolClosed, PoolEmpty, StaleLease
from poolproof.compat.returning import VALUES, Item, Outstanding
from poolproof.compat.workers import Workers

CALLBACK_ATTRIBUTE = "resource_pool_return_callback"

log = logging.getLogger("poolproof.compat")
_numbers = itertools.count(1)


class AllResourcesRemoved(Exception):
    """No resource is left in the pool."""


class ObjectAlreadyInPool(Exception):
    """This object is in the pool, or still out after it was removed."""


class ObjectNotInPool(Exception):
    """This object is not one of the pool's."""


class Member(Item):
    """An object that belongs, or belonged, to a pool."""

    __slots__ = ("removed",)

    def __init__(self, resource: Any) -> None:
        super().__init__(resource)
        self.removed = False


class ResourcePool:
    """A fixed set of objects, handed out to one caller at a time, the one that was free longest first.

    Args:
        objects: what to begin with; copied.
        return_callback: called with each object that comes back, beside its caller; it is available again when that
            has returned, and leaves the pool if it raises.
    """

    def __init__(self, objects: Iterable[Any], return_callback: Callable[[Any], object] | None = None) -> None:
        self._name = f"ResourcePool-{next(_numbers)}"
        self._return_callback = return_callback
        self._members: dict[object, Member] = {}
        self._out = Outstanding()
        self._workers = Workers("return_obj")
        self._changing = threading.RLock()  # of members; nobody who gets or returns takes it
        self._pool = self._new_pool(())
        self._pool.close()  # nothing is in it yet
        self.add(list(objects))

    def _new_pool(self, members: Iterable[Member]) -> Pool[Member]:
        return Pool(resources=members, order="fifo", when_empty="raise", name=self._name)

    def __del__(self) -> None:
        self._pool.close()
        self._out.let_go()

    # Read by programs and tests in the wild.

    @property
    def _objects(self) -> list[Any]:
        return [member.resource for member in [*self._members.values()]]

    @property
    def _available(self) -> list[Any]:
        return [each.resource.resource for each in self._pool.resources() if each.state == "free"]

    @property
    def _removed(self) -> dict[int, bool]:
        return {id(member.resource): member.removed for member in [*self._members.values()]}

    @property
    def active(self) -> list[Any]:
        """The objects that have not been removed."""
        return [member.resource for member in [*self._members.values()] if not member.removed]

    @property
    def active_size(self) -> int:
        """How many objects have not been removed."""
        return len(self.active)

    def all_removed(self) -> bool:
        """Whether no object is left."""
        return not self.active

    # Members.

    def add(self, obj: Any) -> None:
        """Take in an object, or each of a list of them, or none if one of them is in the pool."""
        new = [Member(each) for each in (obj if type(obj) is list else [obj])]
        with self._changing:
            known = {_key(member.resource) for member in self._members.values() if not self._gone(member)}
            for member in new:
                if _key(member.resource) in known:
                    raise ObjectAlreadyInPool("Object is already in the pool.")
                known.add(_key(member.resource))
            for member in new:
                self._members.pop(_key(member.resource), None)  # it was removed, and comes in as the last one
                self._members[_key(member.resource)] = member
                try:
                    self._pool.add(member)
                except PoolClosed:
                    self._pool = self._new_pool([member])

    def remove(self, obj: Any) -> None:
        """Have an object leave the pool: now if it is free, else when it comes back.

        Raises:
            ObjectNotInPool: it is not one of the pool's.
            AllResourcesRemoved: it was the last one. It has been removed.
        """
        with self._changing:
            member = self._member(obj)
            if not member.removed:
                member.removed = True
                self._pool.remove(member)
            if self.all_removed():
                self._pool.close()  # whoever waits is told
                raise AllResourcesRemoved("All resources have been removed: nothing can be had until one is added.")

    remove_resource = remove  # as the documentation calls it

    def _member(self, obj: Any) -> Member:
        member = self._members.get(_key(obj))
        if member is None:
            raise ObjectNotInPool(f"This {type(obj).__name__} object is not in the pool.")
        return member

    def _gone(self, member: Member) -> bool:
        """Whether it was removed, and nobody has it any more."""
        return member.removed and not self._out.has(member)

    # Objects go out and come back.

    def get_resource_unmanaged(self, block: bool = True) -> Any:
        """An object, which the caller must give back; None if none is free and the caller will not wait.

        Raises:
            AllResourcesRemoved: nothing is left, or the last one was removed while waiting.
        """
        lease = self._acquire(block)
        return None if lease is None else self._out.give_out(lease, lease.resource).item.resource

    def _acquire(self, block: bool) -> Lease[Member] | None:
        while True:
            pool = self._pool
            try:
                return pool.acquire(None if block else 0)
            except AcquireTimeout:
                return None
            except (PoolClosed, PoolEmpty):
                if pool is self._pool:  # else something was added meanwhile
                    raise AllResourcesRemoved("All resources have been removed from the pool.") from None

    def return_resource(self, obj: Any, force: bool = False) -> None:
        """Give an object back. Its callback, or else the pool's, runs beside the caller, unless *force*.

        What is not out any more is left alone, with a word in the log: somebody else may have it by now.

        Raises:
            ObjectNotInPool: it is not one of the pool's.
        """
        member = self._member(obj)
        out = self._out.take_back(obj)
        if out is None:
            log.warning("pool %r: an object was given back that was not out; nothing was changed", self._name)
        else:
            self._return(member, out.lease, force)

    def _return(self, member: Member, lease: Lease[Member], force: bool = False) -> None:
        callback = None if force else self._callback(member.resource)
        if callback is None:
            _end(lease)
        else:
            self._workers.submit(lambda: self._reset(member, lease, callback))

    def _callback(self, obj: Any) -> Callable[[Any], object] | None:
        """The callback of this object, which is taken from it, or the pool's."""
        callback: Callable[[Any], object] | None = getattr(obj, CALLBACK_ATTRIBUTE, None)
        if callback is None:
            return self._return_callback
        if CALLBACK_ATTRIBUTE in getattr(obj, "__dict__", {}):
            delattr(obj, CALLBACK_ATTRIBUTE)
        return callback

    def _reset(self, member: Member, lease: Lease[Member], callback: Callable[[Any], object]) -> None:
        """Run the callback, and let the object go back, or leave the pool if it raised."""
        try:
            callback(member.resource)
        except BaseException:
            traceback.print_exc()
            try:
                self.remove(member.resource)
            except (AllResourcesRemoved, ObjectNotInPool) as error:
                log.warning("pool %r: %s", self._name, error)
        _end(lease)

    @contextmanager
    def get_resource(self, block: bool = True) -> Iterator[Any]:
        """An object for a ``with`` block, which gives it back; None if none is free and the caller will not wait."""
        lease = self._acquire(block)
        if lease is None:
            yield None
            return
        out = self._out.give_out(lease, lease.resource)
        try:
            yield out.item.resource
        finally:
            if self._out.claim(out):  # else it was given back in the block
                self._return(lease.resource, lease)


def _key(obj: Any) -> object:
    """What tells objects apart: identity, and for values without any the value."""
    return (type(obj), obj) if type(obj) in VALUES else id(obj)


def _end(lease: Lease[Any]) -> None:
    try:
        lease.release()
    except StaleLease as error:
        log.warning("%s", error)
