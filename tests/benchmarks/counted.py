"""The fixed script whose instructions are counted: ``python -s -S -P counted.py FOLDER LOOPS SCENE ...``.

FOLDER is where poolproof is. For each scene two children are forked, one after the other. Both make the scene and warm
it up; the second then executes it LOOPS times more, and that is all the difference between them.
"""

from __future__ import annotations

import gc
import importlib
import os
import queue
import sys
from collections.abc import Callable
from typing import Any

WARM = 100
Scene = Callable[[int], None]


class Core:
    """Single functions of the core. They are pure, so that each may run again and again from the same state."""

    def __init__(self) -> None:
        from poolproof import Pool, core
        from poolproof.core.values import State, Ticket

        self.core = core
        self.full = Pool(resources=[object(), object()], max_size=2)
        self.empty = Pool(resources=[object()], max_size=1)
        self.options, self.state = self.full._options, self.full._atom.value
        self.lease = self.empty.acquire()
        self.taken = State.of(self.empty._atom.value)
        self.new, self.queued = Ticket(1, "who", None), Ticket(1, "who", None)
        step = core.enqueue(self.taken, self.options, self.new, 1.0)
        self.queued.record, self.waiting = step.moves[0][1], step.state

    def grant_free(self, loops: int) -> None:
        grant_free, state, options = self.core.grant_free, self.state, self.options
        for _ in range(loops):
            grant_free(state, options, 1.0, "who")

    def release_quiet(self, loops: int) -> None:
        release_quiet, state, options = self.core.release_quiet, self.taken, self.options
        slot, record = self.lease._slot, self.lease._record
        for _ in range(loops):
            release_quiet(state, options, slot, record, 1.0)

    def enqueue(self, loops: int) -> None:
        enqueue, state, options, ticket = self.core.enqueue, self.taken, self.options, self.new
        for _ in range(loops):
            enqueue(state, options, ticket, 1.0)

    def withdraw(self, loops: int) -> None:
        withdraw, state, options, ticket = self.core.withdraw, self.waiting, self.options, self.queued
        for _ in range(loops):
            withdraw(state, options, ticket, 1.0)


class Whole:
    """Whole operations of a pool."""

    def __init__(self) -> None:
        from poolproof import Pool
        from poolproof.waiting import Waiter

        self.waiter = Waiter
        self.pool = Pool(resources=[object(), object()], max_size=2)
        self.single = Pool(resources=[object()], max_size=1)
        self.lease = self.single.acquire()

    def cycle(self, loops: int) -> None:
        pool = self.pool
        for _ in range(loops):
            pool.acquire().release()

    def block(self, loops: int) -> None:
        pool = self.pool
        for _ in range(loops):
            with pool.acquire():
                pass

    def waiting(self) -> Any:
        waiter = self.waiter(self.single._driver, None, True, None, None)
        waiter.look()
        return waiter

    def hand_off(self, loops: int) -> None:
        for _ in range(loops):
            waiter = self.waiting()
            self.lease.release()
            self.lease = waiter.look()
            waiter.leased = True

    def give_up(self, loops: int) -> None:
        for _ in range(loops):
            self.waiting().withdraw()


def reference(loops: int) -> None:
    """What to compare with, where the interpreter is another one than that of the record."""
    lifo: queue.LifoQueue[int] = queue.LifoQueue()
    lifo.put(1)
    for _ in range(loops):
        lifo.put(lifo.get())


SCENES: dict[str, Callable[[], Scene]] = {
    "grant_free": lambda: Core().grant_free,
    "release_quiet": lambda: Core().release_quiet,
    "enqueue": lambda: Core().enqueue,
    "withdraw": lambda: Core().withdraw,
    "acquire and release": lambda: Whole().cycle,
    "with": lambda: Whole().block,
    "hand-off": lambda: Whole().hand_off,
    "wait and withdraw": lambda: Whole().give_up,
    "queue.LifoQueue": lambda: reference,
}


def main(folder: str, loops: int, names: list[str]) -> None:
    sys.path.insert(0, folder)
    gc.disable()
    importlib.import_module("poolproof")
    for name in names:
        for more in (0, loops):
            child = os.fork()
            if not child:
                scene = SCENES[name]()
                scene(WARM)
                scene(more)
                os._exit(0)  # how things end is not counted
            if os.waitpid(child, 0)[1]:
                sys.exit(f"{name} failed")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
