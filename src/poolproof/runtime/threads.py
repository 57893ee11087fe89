"""The runtime for operating system threads."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from poolproof.core.values import PlainState, Ticket
from poolproof.runtime.base import Moves


class _Nowhere:
    """A register that nobody reads, for the moves that a commit does not use."""

    record: Any = None


_NO_MOVES = ((_Nowhere(), None),) * 3


class _Here(threading.local):
    """In every thread, ``who`` is that thread itself: its number may belong to another one by the time somebody asks.

    Read in every cycle, it costs half of a call of `threading.current_thread`.
    """

    def __init__(self) -> None:
        self.who = threading.current_thread()


class ThreadAtom:
    """The state of a pool of threads, and the only critical section there is.

    Between taking the lock and giving it back there is no call, no allocation, no backward jump and no last
    reference dropped, so CPython neither switches threads on us nor runs a signal handler, a finalizer or an
    asynchronous exception there (INTERRUPTION-POINTS; a test reads the bytecode). The lock is taken by the next step
    of an iterator that is all C code, because a plain call is followed by an interruption point, and so is ``with``:
    each turn of ``for _ in atom.turns`` begins with the lock taken.

    A debugger or a tracing tool can raise where CPython itself cannot. For it there is the ``except``: whoever still
    owns the lock rolls the commit forward and gives the lock back. That is why the lock knows its owner. It is the
    interpreter's own lock even where gevent or eventlet have put one in Python in the place of `threading.RLock`.

    The state is written last. Where threads run at the same time, others read while a commit is under way; whoever
    reads the new state finds the new registers, and whoever mixes the old state with new registers learns it: its
    commit fails, and so does `unchanged`, because both wait for the lock.

    The same few lines stand in `Pool.acquire` and `Lease.release`, for one slot and nobody to wake: a call of `commit`
    would take a seventh of an uncontended cycle.
    """

    __slots__ = ("_owned", "leave", "turns", "value")

    def __init__(self, value: PlainState) -> None:
        lock: Any = _thread.RLock()
        self.turns: Iterator[object] = iter(lock.acquire, False)
        self.leave: Callable[[], None] = lock.release
        self._owned: Callable[[], bool] = lock._is_owned
        self.value = value

    def commit(self, old: PlainState, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...]) -> bool:
        done = False
        (a, a_record), (b, b_record), (c, c_record) = moves + _NO_MOVES[len(moves) :]
        _before = a.record, b.record, c.record
        leave = self.leave
        try:
            for _ in self.turns:
                if self.value is old:
                    a.record = a_record
                    b.record = b_record
                    c.record = c_record
                    self.value = new
                    done = True
                leave()
                break
            if done:
                for ticket in wakes:
                    ticket.parker.unpark()
        except BaseException:
            self.recover(new, moves, wakes, done)
            raise
        return done

    def unchanged(self, state: PlainState) -> bool:
        same = False
        try:
            for _ in self.turns:
                same = self.value is state
                self.leave()
                break
        except BaseException:
            if self._owned():
                self.leave()
            raise
        return same

    def recover(self, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...] = (), done: bool = False) -> None:
        """An exception struck in or near a commit: finish it if it had begun, and owe nobody a wake-up."""
        if self._owned():
            # Each commit brings records of its own, so the first of them tells whether it had begun.
            done = done or self.value is new or any(cell.record is record for cell, record in moves)
            if done:
                for cell, record in moves:
                    cell.record = record
                self.value = new
            self.leave()
        if done:
            for ticket in wakes:
                ticket.parker.unpark()


class ThreadParker:
    """A lock used as a binary semaphore: taken by the sleeper, given by whoever wakes it."""

    __slots__ = ("_acquire", "_release")

    def __init__(self) -> None:
        lock = threading.Lock()
        lock.acquire()
        self._acquire = lock.acquire
        self._release = lock.release

    def park(self, timeout: float | None) -> bool:
        if timeout is None:
            return self._acquire()
        return self._acquire(True, min(max(timeout, 0.0), threading.TIMEOUT_MAX))

    def unpark(self) -> None:
        try:
            self._release()
        except RuntimeError:  # a wake-up is waiting to be taken already
            return


class ThreadRuntime:
    """Operating system threads: locks, the monotonic clock, daemon threads."""

    __slots__ = ()

    def atom(self, value: PlainState) -> ThreadAtom:
        return ThreadAtom(value)

    def parker(self) -> ThreadParker:
        return ThreadParker()

    here = _Here()
    # The function itself, without a frame of ours around it: it is called in every cycle.
    monotonic = staticmethod(time.monotonic)

    def spawn(self, target: Callable[[], None], name: str) -> None:
        threading.Thread(target=target, name=name, daemon=True).start()

    def name_of(self, who: object) -> str:
        if not isinstance(who, threading.Thread):
            return str(who)
        return who.name if who.is_alive() else f"{who.name} (ended)"
