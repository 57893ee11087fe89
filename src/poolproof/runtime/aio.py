"""The runtime for the tasks of one event loop. There is no lock in it.

Everything that commits runs in the loop's own thread, from one point where a task waits to the next. So nothing can
come between the steps of a commit but what CPython itself runs in the middle of a function: signal handlers and
finalizers. Those it runs behind calls and at backward jumps only, and there is neither in a commit
(INTERRUPTION-POINTS; a test reads the bytecode). Whoever is somewhere else goes through the loop [LOOP-ONLY].
"""

from __future__ import annotations

import asyncio
import itertools
import time
import weakref
from collections.abc import Callable
from typing import Any

from poolproof.core.values import PlainState, Ticket
from poolproof.runtime.base import Moves
from poolproof.runtime.threads import _NO_MOVES


def _nothing() -> None:
    return None


class AsyncAtom:
    """The state of a pool of tasks: `ThreadAtom` without its lock."""

    __slots__ = ("value",)

    turns = itertools.repeat(None)
    leave = staticmethod(_nothing)

    def __init__(self, value: PlainState) -> None:
        self.value = value

    def commit(self, old: PlainState, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...]) -> bool:
        (a, a_record), (b, b_record), (c, c_record) = moves + _NO_MOVES[len(moves) :]
        _before = a.record, b.record, c.record  # nothing ends in the middle
        done = False
        try:
            if self.value is old:
                self.value = new
                a.record = a_record
                b.record = b_record
                c.record = c_record
                done = True
                for ticket in wakes:
                    ticket.parker.unpark()
        except BaseException:
            self.recover(new, moves, wakes, done)
            raise
        return done

    def unchanged(self, state: PlainState) -> bool:
        return self.value is state

    def recover(self, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...] = (), done: bool = False) -> None:
        """An exception struck in or near a commit, behind which there is no going back: owe nobody a wake-up."""
        begun = self.value is new
        if begun and not done:
            for cell, record in moves:
                cell.record = record
        if begun or done:
            for ticket in wakes:
                ticket.parker.unpark()


class AsyncParker:
    """A future of the loop, made when somebody sleeps."""

    __slots__ = ("_future", "_woken")

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self._woken = False

    async def park(self, timeout: float | None) -> bool:
        loop = asyncio.get_running_loop()
        # First there is a future to wake, then this looks whether it was woken before: a signal handler or a finalizer
        # may come in between, though no other task can.
        future = self._future = loop.create_future()
        if not self._woken:
            alarm = None if timeout is None else loop.call_later(timeout, self._let_go)
            try:
                await future
            finally:
                if alarm is not None:
                    alarm.cancel()
        self._future = None
        woken, self._woken = self._woken, False
        return woken

    def unpark(self) -> None:
        self._woken = True
        self._let_go()

    def _let_go(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class _Here:
    """``who`` is the task that runs, by a weak reference: its result may be the very lease that remembers it."""

    @property
    def who(self) -> object:
        try:
            task = asyncio.current_task()
        except RuntimeError:  # a callback of the loop, or no loop at all
            return None
        return None if task is None else weakref.ref(task)


class AsyncRuntime:
    """Tasks of one event loop: futures, and the clock that loops go by."""

    __slots__ = ("monotonic",)

    here = _Here()

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic

    def atom(self, value: PlainState) -> AsyncAtom:
        return AsyncAtom(value)

    def parker(self) -> AsyncParker:
        return AsyncParker()

    def spawn(self, target: Callable[[], None], name: str) -> None:
        raise NotImplementedError("a pool of tasks keeps house in a task")

    def name_of(self, who: object) -> str:
        if not isinstance(who, weakref.ref):
            return "no task" if who is None else str(who)
        task: asyncio.Task[Any] | None = who()
        if task is None:
            return "a task that has ended"
        return f"{task.get_name()} (ended)" if task.done() else task.get_name()
