"""What the libraries have in common that take a resource back by the resource itself, without a lease.

An object in somebody's hands does not tell which lease it came from. So the pool holds an `Item` for each object, and
`Outstanding` finds the lease by the object: by identity, never by ``==`` or ``hash`` of a class of the user's.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Final

from poolproof import Lease, StaleLease

# Values of these types have no identity of their own: the interpreter shares them as it likes.
VALUES: Final = (type(None), bool, int, float, complex, str, bytes)


class Item:
    """One object as the pool holds it, and the threads that gave it back since they last had it."""

    __slots__ = ("__weakref__", "gave", "resource")

    def __init__(self, resource: Any) -> None:
        self.resource: Final = resource
        self.gave: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def is_for(self, resource: Any) -> bool:
        """Whether this is the very object, or one of the values that cannot be told apart."""
        mine = self.resource
        return mine is resource or (type(mine) is type(resource) and type(mine) in VALUES and bool(mine == resource))


class Out:
    """One object that is out: its lease, and the thread that took it."""

    __slots__ = ("item", "lease", "taker", "unclaimed")

    def __init__(self, lease: Lease[Any], item: Item) -> None:
        self.lease: Final = lease
        self.item: Final = item
        self.taker: Final = threading.current_thread()
        self.unclaimed = [True]  # taken by whoever gives it back: of several, one

    def may_come_from(self, giver: threading.Thread) -> bool:
        """A thread may give back what another one took, unless it had the object itself and gave it back already:
        then it does so by mistake, and somebody else would lose what they hold."""
        return giver is self.taker or giver not in self.item.gave


class Outstanding:
    """The leases that are out, found by the object that the holder has.

    Each change is a single operation on a dictionary or a list, so there is no lock that a finalizer or a signal
    handler could find taken.
    """

    __slots__ = ("_alone", "_shared")

    def __init__(self) -> None:
        self._alone: dict[int, Out] = {}
        self._shared: list[Out] = []  # values, and objects that a factory made twice: any one of them will do

    def give_out(self, lease: Lease[Any], item: Item) -> Out:
        """Remember that the caller has *lease*, which is of that item."""
        out = Out(lease, item)
        item.gave.discard(out.taker)
        if type(item.resource) in VALUES or self._alone.setdefault(id(item.resource), out) is not out:
            self._shared.append(out)
        return out

    def take_back(self, resource: Any) -> Out | None:
        """The lease of *resource*, which is the caller's to end now; None if it is not out, or not the caller's."""
        me = threading.current_thread()
        for out in sorted(self._of(resource), key=lambda out: out.taker is not me):
            if out.may_come_from(me) and self.claim(out, me):
                return out
        return None

    def forget(self, item: Item) -> None:
        """The lease of that item has been ended in another way."""
        for out in self._of(item.resource):
            if out.item is item:
                self.claim(out)

    def let_go(self) -> None:
        """The pool is gone: whatever is out belongs to whoever has it."""
        for out in [*self._alone.values(), *self._shared]:
            if self.claim(out):
                with contextlib.suppress(StaleLease):
                    out.lease.detach()

    def has(self, item: Item) -> bool:
        """Whether that item is out."""
        return any(out.item is item for out in self._of(item.resource))

    def _of(self, resource: Any) -> Iterator[Out]:
        alone = self._alone.get(id(resource))
        return (out for out in (alone, *self._shared) if out is not None and out.item.is_for(resource))

    def claim(self, out: Out, giver: threading.Thread | None = None) -> bool:
        """Whether the caller is the one to end this lease: of several who try, one is. It is given back by *giver*;
        default: by whoever took it."""
        try:
            out.unclaimed.pop()
        except IndexError:
            return False
        # Its lease is still held, so nobody can have been given the same item meanwhile.
        if self._alone.get(id(out.item.resource)) is out:
            del self._alone[id(out.item.resource)]
        else:
            self._shared.remove(out)
        if giver is None or giver is out.taker:
            out.item.gave.add(out.taker)
        return True
