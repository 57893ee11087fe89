"""Measure what the encodings, the commit and fairness cost here: ``python docs/tools/measure.py [group] ...``.

The groups are cycles, records, locks, async, signals and fairness; without a name, all of them.
Every alternative of a group is timed in the same process, in shuffled rounds, and the median is printed with the
distance between the quartiles. Figures move between machines; the order within one run is what decisions rest on.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import signal
import statistics
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

ROUNDS = 15
LOOPS = 200_000
SWEEP = 300_000
HOLD = 50e-6


@dataclass(frozen=True)
class Frozen:
    """Six fields, assigned through ``object.__setattr__``."""

    state: str
    uses: int
    since: float
    who: object
    number: int
    mark: object


class Slotted:
    """Six fields, assigned one by one; nothing keeps them from changing."""

    __slots__ = ("mark", "number", "since", "state", "uses", "who")

    def __init__(self, state: str, uses: int, since: float, who: object, number: int, mark: object) -> None:
        self.state = state
        self.uses = uses
        self.since = since
        self.who = who
        self.number = number
        self.mark = mark


class Named(NamedTuple):
    """Six fields, by position."""

    state: str
    uses: int
    since: float
    who: object
    number: int
    mark: object


def records() -> dict[str, str]:
    """Ways to make one record of six fields."""
    fields = "'checked_out', uses, 1.5, 'worker', 7, None"
    return {
        "frozen dataclass": f"Frozen({fields})",
        "slots class": f"Slotted({fields})",
        "NamedTuple": f"Named({fields})",
        "NamedTuple by tuple.__new__": f"new(Named, ({fields}))",
        "plain tuple": f"({fields})",
    }


def cycles() -> dict[str, str]:
    """Whole uncontended cycles, ours and those that others would write."""
    return {
        "LifoQueue, get and put": "lifo.put(lifo.get())",
        "pool, acquire and release": "pool.acquire().release()",
        "Condition and list, with": "with written.use():\n    pass",
        "pool, with": "with pool.acquire():\n    pass",
    }


def locks() -> dict[str, str]:
    """Ways to take a lock, store one value and give it back."""
    return {
        "nothing": "cell.value = uses",
        "with Lock": "with lock:\n    cell.value = uses",
        "with RLock": "with owned:\n    cell.value = uses",
        "acquire, try, finally": "acquire()\ntry:\n    cell.value = uses\nfinally:\n    release()",
        "map, a new one each time": "for _ in map(acquire, (True,)):\n    cell.value = uses\n    release()",
        "iterator, one for all": "for _ in turns:\n    cell.value = uses\n    release()\n    break",
    }


class Cell:
    """Something to write to."""

    def __init__(self) -> None:
        self.value = 0


def names() -> dict[str, Any]:
    """What the statements may use."""
    from poolproof import Pool

    lock, owned, lifo = threading.Lock(), threading.RLock(), queue.LifoQueue[int]()
    lifo.put(1)
    return {
        "lifo": lifo, "pool": Pool(resources=[1, 2, 3, 4]), "written": Barging([1, 2, 3, 4]),
        "Frozen": Frozen, "Slotted": Slotted, "Named": Named, "new": tuple.__new__, "uses": 3, "cell": Cell(),
        "lock": lock, "owned": owned, "acquire": owned.acquire, "release": owned.release,
        "turns": iter(owned.acquire, False),
    }  # fmt: skip


def measure(statements: dict[str, str]) -> None:
    """Time all statements side by side and print nanoseconds for each."""
    timers = {name: timeit.Timer(statement, globals=names()) for name, statement in statements.items()}
    times: dict[str, list[float]] = {name: [] for name in timers}
    order = list(timers)
    for _ in range(ROUNDS):
        random.shuffle(order)
        for name in order:
            times[name].append(timers[name].timeit(LOOPS) / LOOPS * 1e9)
    tell(times)


def tell(times: dict[str, list[float]]) -> None:
    """The medians, in nanoseconds."""
    for name, taken in times.items():
        low, _, high = statistics.quantiles(taken, n=4)
        print(f"  {name:<28} {statistics.median(taken):6.0f} ns   (quartiles {low:.0f} to {high:.0f})")


def by_with(lock: Any, cell: Cell) -> None:
    """One critical section, entered by ``with``."""
    with lock:
        cell.value += 1


def by_call(lock: Any, cell: Cell) -> None:
    """One critical section, entered by a call."""
    lock.acquire()
    try:
        cell.value += 1
    finally:
        lock.release()


def by_iterator(turns: Any, release: Callable[[], None], cell: Cell) -> None:
    """One critical section, entered by the next turn of an iterator."""
    for _ in turns:
        cell.value += 1
        release()
        break


def signals() -> None:
    """Count how often a signal handler ran while the lock was held."""
    lock: Any = threading.RLock()
    release, turns, cell = lock.release, iter(lock.acquire, False), Cell()
    seen = [0, 0]

    def handler(number: int, frame: FrameType | None) -> None:
        seen[0] += 1
        seen[1] += lock._is_owned()

    ways: dict[str, Callable[[], None]] = {
        "with RLock": lambda: by_with(lock, cell),
        "acquire, try, finally": lambda: by_call(lock, cell),
        "iterator, one for all": lambda: by_iterator(turns, release, cell),
    }
    before = signal.signal(signal.SIGALRM, handler)
    try:
        for name, way in ways.items():
            seen[:] = [0, 0]
            signal.setitimer(signal.ITIMER_REAL, 2e-5, 2e-5)
            for _ in range(SWEEP):
                way()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(f"  {name:<28} {seen[1]:6} of {seen[0]} handlers found the lock held")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Barging:
    """The usual hand-written pool: whoever finds a resource first takes it."""

    def __init__(self, resources: list[int]) -> None:
        self.free = resources
        self.some = threading.Condition()

    @contextlib.contextmanager
    def use(self) -> Iterator[int]:
        with self.some:
            while not self.free:
                self.some.wait()
            resource = self.free.pop()
        try:
            yield resource
        finally:
            with self.some:
                self.free.append(resource)
                self.some.notify()

    def cycle(self) -> None:
        with self.use():
            time.sleep(HOLD)


def fairness() -> None:
    """Eight threads share two resources for a second: how much is done, by whom, and who waits for how long."""
    from poolproof import Pool

    def handing_off() -> None:
        with pool.acquire():
            time.sleep(HOLD)

    for _ in range(3):
        pool = Pool(resources=[1, 2], max_size=2)
        for name, cycle in (("barging", Barging([1, 2]).cycle), ("hand-off", handing_off)):
            done, longest = crowd(cycle)
            print(
                f"  {name:<28} {sum(done):6} cycles, least/most per thread {min(done) / max(done):.4f}, "
                f"longest {longest * 1e3:.0f} ms"
            )


def crowd(cycle: Callable[[], None]) -> tuple[list[int], float]:
    """Run *cycle* in eight threads for a second; how often each ran it, and the longest one."""
    done, longest, end = [0] * 8, [0.0] * 8, time.monotonic() + 1.0

    def work(number: int) -> None:
        while (begin := time.monotonic()) < end:
            cycle()
            done[number] += 1
            longest[number] = max(longest[number], time.monotonic() - begin)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, max(longest)


def awaited() -> dict[str, str]:
    """Uncontended cycles of tasks, ours and those of asyncio."""
    return {
        "asyncio.Queue, get and put": "await objects.put(await objects.get())",
        "pool, acquire and release": "lease = await pool.acquire(); await lease.release()",
        "asyncio.Semaphore, with": "async with semaphore: pass",
        "pool, with": "async with pool.acquire(): pass",
    }


async def tasks(statements: dict[str, str]) -> None:
    """Time all statements side by side, in one task that never has to wait."""
    from poolproof import AsyncPool

    objects = asyncio.Queue[int]()
    objects.put_nowait(1)
    known = {"objects": objects, "semaphore": asyncio.Semaphore(2), "pool": AsyncPool(resources=[1, 2, 3, 4])}
    for number, statement in enumerate(statements.values()):
        exec(f"async def run_{number}(times):\n for _ in range(times):\n  {statement}", known)
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(ROUNDS):
        for number, name in random.sample(list(enumerate(statements)), len(statements)):
            run: Any = known[f"run_{number}"]
            begin = time.perf_counter()
            await run(LOOPS // 4)
            times[name].append((time.perf_counter() - begin) / (LOOPS // 4) * 1e9)
    tell(times)


def main(wanted: list[str]) -> None:
    """Measure what was asked for, or everything."""
    print(f"{sys.implementation.name} {sys.version.split()[0]}")
    for group, make in (("cycles", cycles), ("records", records), ("locks", locks)):
        if group in wanted or not wanted:
            print(group)
            measure(make())
    if "async" in wanted or not wanted:
        print("async")
        asyncio.run(tasks(awaited()))
    if "signals" in wanted or not wanted:
        print("signals")
        signals()
    if "fairness" in wanted or not wanted:
        print("fairness")
        fairness()


if __name__ == "__main__":
    main(sys.argv[1:])
