"""Size: what a cycle costs among so many resources, a place in a queue of so many, and closing a pool of so many."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from benchmarks.plan import Plan
from benchmarks.rounds import Spread, loop, side_by_side, spread
from benchmarks.subjects import BASELINE, OURS, Thing, lifo_queue, written
from poolproof import Lease, Pool
from poolproof.waiting import Waiter

TITLE = "Size"
OPERATIONS = ("enqueue", "withdrawal", "grant")
LEAST = 2_000  # operations in a sample of a short queue


def run(plan: Plan) -> dict[str, Any]:
    """Cycles by pool size, waiters by length of the queue, and closing."""
    return {
        "baseline": BASELINE,
        "cycles": cycles(plan),
        "waiters": waiters(plan),
        "closing": [closing(plan.sizes[-1], watched) for watched in (False, True)],
    }


def things(size: int) -> list[Thing]:
    return [Thing() for _ in range(size)]


def cycles(plan: Plan) -> list[dict[str, Any]]:
    """One cycle at a time; all pools are there at once, and their sizes take turns."""
    runs: dict[tuple[str, int], Callable[[int], None]] = {}
    kept: list[list[Lease[Thing]]] = []
    for size in plan.sizes:
        half: Pool[Thing] = Pool(resources=things(size), max_size=size)
        kept.append([half.acquire() for _ in range(size // 2)])
        cycle = "pool.acquire().release()"
        for name, pool, statement in (
            (OURS, Pool(resources=things(size), max_size=size), cycle),
            (f"{OURS}, fifo order", Pool(resources=things(size), max_size=size, order="fifo"), cycle),
            (f"{OURS}, half of it held", half, cycle),
            (BASELINE, written(things(size)).pool, "pool.put(pool.get())"),
            ("queue.LifoQueue", lifo_queue(things(size)).pool, "pool.put(pool.get())"),
        ):
            runs[name, size] = loop(statement, {"pool": pool})
    timings = side_by_side(runs, plan)
    for leases in kept:
        for lease in leases:
            lease.release()
    return [{"name": name, "size": size, **timing.as_json()} for (name, size), timing in timings.items()]


def waiters(plan: Plan) -> list[dict[str, Any]]:
    """The cost of each operation while so many wait; the lengths take turns."""
    samples: dict[tuple[str, int], list[tuple[float, float]]] = {
        (name, length): [] for name in OPERATIONS for length in plan.queues
    }
    order = [*plan.queues]
    for _ in range(plan.rounds):
        plan.random.shuffle(order)
        for length in order:
            for name, cost in queue_costs(length, plan).items():
                samples[name, length].append(cost)
    return [
        {
            "operation": name, "length": length,
            "wall": spread(wall for wall, _ in taken), "cpu": spread(cpu for _, cpu in taken),
        }
        for (name, length), taken in samples.items()
    ]  # fmt: skip


class Meter:
    """Adds up wall time and cpu time, in seconds."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.wall, self.cpu = self.wall - time.perf_counter(), self.cpu - time.process_time()

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = self.cpu + time.process_time(), self.wall + time.perf_counter()


def queue_costs(length: int, plan: Plan) -> dict[str, tuple[float, float]]:
    """Nanoseconds of an enqueue, of a withdrawal from anywhere, and of a hand-off with its claim, while *length* to
    twice as many wait. These are the very steps of threads that wait, without the threads."""
    pool: Pool[Thing] = Pool(resources=[Thing()], max_size=1)
    lease, standing = pool.acquire(), deque(enqueued(pool, length))
    meters = {name: Meter() for name in OPERATIONS}
    times = 1 if plan.quick else max(1, LEAST // length)
    for _ in range(times):
        with meters["enqueue"]:
            new = enqueued(pool, length)
        everybody = [*standing, *new]
        leaving = plan.random.sample(range(2 * length), length)
        with meters["withdrawal"]:
            for place in leaving:
                everybody[place].withdraw()
        gone = {*leaving}
        standing = deque(waiter for place, waiter in enumerate(everybody) if place not in gone)
        standing.extend(enqueued(pool, length))
        with meters["grant"]:
            for _ in range(length):
                lease.release()
                lease = claimed(standing.popleft())
    lease.release()
    for waiter in standing:
        claimed(waiter).release()
    each = times * length / 1e9
    return {name: (meter.wall / each, meter.cpu / each) for name, meter in meters.items()}


def enqueued(pool: Pool[Thing], count: int) -> list[Waiter]:
    """So many acquires that have got as far as waiting."""
    driver = pool._driver
    found = [Waiter(driver, None, True, None, None) for _ in range(count)]
    for waiter in found:
        waiter.look()
    return found


def claimed(waiter: Waiter) -> Lease[Thing]:
    """The lease that a waiter was handed."""
    lease: Lease[Thing] = waiter.look()
    waiter.leased = True
    return lease


def closing(size: int, watched: bool) -> dict[str, Any]:
    """How long closing takes; alone, or beside a thread that cycles another pool and asks this one for its stats."""
    pool: Pool[Thing] = Pool(resources=things(size), max_size=size, destroy=Thing.close)
    other: Pool[Thing] = Pool(resources=things(4), max_size=4)
    over = threading.Event()
    gaps: list[float] = []

    def bystander() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            other.acquire().release()
            pool.stats()
            gaps.append(time.perf_counter() - begun)

    watching = threading.Thread(target=bystander)
    if watched:
        watching.start()
    meter = Meter()
    with meter:
        pool.close()
    over.set()
    if watched:
        watching.join()
    return {"size": size, "seconds": meter.wall, "cpu": meter.cpu, "bystander": summary(gaps) if gaps else None}


def summary(gaps: list[float]) -> dict[str, float | int | Spread]:
    """How often a bystander came around, and how long it took; the quartiles and the longest, in seconds."""
    return {"rounds": len(gaps), "seconds": spread(gaps), "longest": max(gaps)}
