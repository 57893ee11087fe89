"""Seeded bugs beneath the pool: in the commit and in the wake-up."""

from __future__ import annotations

from typing import Any

from poolproof.conformance.points import ScheduledAtom, ScheduledParker
from poolproof.core.values import PlainState


class SwapWithoutCompare(ScheduledAtom):
    """Whoever checked outside of the lock commits all the same."""

    def _current(self, old: PlainState) -> bool:
        return True


class NobodyWoken(ScheduledAtom):
    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        return super().commit(old, new, moves, ())


class FirstOnlyWoken(ScheduledAtom):
    """``notify`` where ``notify_all`` is due."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        return super().commit(old, new, moves, wakes[:1])


class WokenBefore(ScheduledAtom):
    """The wake-up comes before the change that it tells of."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        for ticket in wakes:
            ticket.parker.unpark()
        return super().commit(old, new, moves, ())


class RegistersLater(ScheduledAtom):
    """The registers are written behind the region, not in it."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        self.crew.point()
        if self._value is not old:
            return False
        self._value = new
        self.crew.stamp += 1
        self.crew.point()
        for cell, record in moves:
            cell.record = record
        self._committed(old, new, moves)
        for ticket in wakes:
            ticket.parker.unpark()
        return True


class EdgeTriggered(ScheduledParker):
    """A wake-up that comes before the sleeper is lost."""

    __slots__ = ()

    def unpark(self) -> None:
        if self.sleeper is not None:
            super().unpark()
