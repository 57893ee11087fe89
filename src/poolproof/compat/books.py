"""The books of a pool in the manner of eventlet: a lease of a token for each item that is out, and who has which.

What is put back tells nothing but its identity, and not even that if another object comes in its place. The leases
are all alike, so which of them ends is no question of capacity; it is one of who may put back what.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, Final

from greenlet import getcurrent, greenlet

from poolproof import Lease
from poolproof.runtime.eventlet import EventletRuntime
from poolproof.tokens import Token, TokenPool

UNMADE: Final = object()


class Out:
    """One item that is out, or being made; the lease that allows it, and who got it."""

    __slots__ = ("item", "lease", "who")

    def __init__(self, lease: Lease[Token]) -> None:
        self.lease: Final = lease
        self.who: Final = weakref.ref(getcurrent())
        self.item: Any = UNMADE

    def may_be_ended_by(self, giver: greenlet, gave: bool) -> bool:
        """Anybody may put back what another greenlet got, unless they had this item themselves and *gave* it back
        already while that one lives: then they do so by mistake, and take it from under the other's hands."""
        who = self.who()
        return who is giver or who is None or who.dead or not gave


class Books:
    """What such a pool knows besides its public attributes: in one place, so that subclasses may use any other name.

    *size* items exist; *parents* are those of the process that forked this one.
    """

    def __init__(self, max_size: int, name: str, parents: tuple[Any, ...] = ()) -> None:
        self.tokens: Final = TokenPool(max_size, name=name, runtime=EventletRuntime())
        self.max_size, self.size = max_size, 0
        self.process, self.parents = os.getpid(), parents
        self.out: Final[list[Out]] = []
        self.coming = 0  # how many are on their way in: waiting, or granted and not back yet
        # What each greenlet had and put back, by identity, since it last got it.
        self._gave: weakref.WeakKeyDictionary[greenlet, set[int]] = weakref.WeakKeyDictionary()

    def take(self) -> Out:
        """Wait in turn for the right to have an item."""
        self.coming += 1
        try:
            out = Out(self.tokens.acquire())
        finally:
            self.coming -= 1
        self.out.append(out)
        return out

    def hand_over(self, out: Out, item: Any) -> Any:
        """This is the item. Returns it."""
        out.item = item
        self._gave.get(getcurrent(), set()).discard(id(item))
        return item

    def end(self, out: Out) -> None:
        """The item is not out any more; whoever waits longest has the right to one."""
        if out.who() is getcurrent() and out.item is not UNMADE:
            self._gave.setdefault(getcurrent(), set()).add(id(out.item))
        self.out.remove(out)
        out.lease.release()

    def holding(self, item: Any) -> list[Out]:
        """Where this very item is out, what the current greenlet got before the rest."""
        me = getcurrent()
        return sorted((out for out in self.out if out.item is item), key=lambda out: out.who() is not me)

    def ended_by_putting(self, item: Any) -> Out | None:
        """Which right the current greenlet ends by putting back this very item; None if it has no business to."""
        me = getcurrent()
        gave = id(item) in self._gave.get(me, ())
        return next((out for out in self.holding(item) if out.may_be_ended_by(me, gave)), None)

    def likeliest(self) -> Out | None:
        """What an unknown object stands for: the first that the current greenlet got, or that anybody got."""
        me, made = getcurrent(), [out for out in self.out if out.item is not UNMADE]
        return min(made, key=lambda out: out.who() is not me, default=None)

    def __del__(self) -> None:
        for out in getattr(self, "out", ()):  # the pool is gone; that items are out is nothing to warn of
            out.lease.release()
