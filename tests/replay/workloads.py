"""Random work on a pool with random options, recorded: by one thread with a clock of its own, or by several."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from poolproof import Lease, Pool, PoolClosed, PoolError, StaleLease
from poolproof.replay import Recorder
from poolproof.runtime import ThreadRuntime

EXPECTED = (PoolError, OSError)


class Resource:
    """Something to pool."""


class AloneParker:
    """For a thread that is alone: nobody will wake it, so it sleeps by moving the clock."""

    def __init__(self, runtime: AloneRuntime) -> None:
        self.runtime, self.awake = runtime, False

    def park(self, timeout: float | None) -> bool:
        awake, self.awake = self.awake, False
        if not awake:
            assert timeout is not None, "nobody would ever wake this thread"
            self.runtime.now += timeout
        return awake

    def unpark(self) -> None:
        self.awake = True


class AloneRuntime(ThreadRuntime):
    """Threads, of which there is one, and a clock that it moves itself."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 1.0

    def monotonic(self) -> float:  # type: ignore[override, unused-ignore]
        return self.now

    def parker(self) -> Any:
        return AloneParker(self)


class LossyExecutor:
    """Runs work at once, or never: what it loses, the pool has to find again."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def submit(self, work: Callable[[], None]) -> None:
        if self.random.random() < 0.8:
            work()


def random_options(random: Random, alone: bool) -> dict[str, Any]:
    """Options that go together, of every kind."""
    limit = random.choice([1, 2, 3, 5, None])
    factory = random.random() < 0.85
    given = random.randrange(0, min(limit or 3, 3) + 1)
    least = random.randrange(0, min(limit or 3, 3) + 1) if factory else random.randrange(0, given + 1)
    some = random.choice([None, None, 1, 2])
    tick = 1.0 if alone else 0.002
    options: dict[str, Any] = {
        "resources": [Resource() for _ in range(given)],
        "destroy": lambda resource: None,
        "max_size": limit,
        "min_size": least,
        "max_free": some,
        "shrink_to": None if some is None else random.choice([None, 0, some]),
        "max_age": random.choice([None, 3 * tick, 30 * tick]),
        "max_idle": random.choice([None, 2 * tick, 20 * tick]),
        "max_uses": random.choice([None, None, 1, 3]),
        "max_waiting": random.choice([None, None, 0, 1]),
        "order": random.choice(["lifo", "fifo"]),
        "when_empty": random.choice(["wait", "raise"]),
        "retry_delay": tick,
    }
    if random.random() < 0.3:
        options.update(max_lease=2 * tick, revoke_overdue=True)
    return options | ({} if factory else {"create": None})


class Workload:
    """One pool, and threads that do everything to it that can be done."""

    def __init__(self, seed: int, alone: bool) -> None:
        self.random = Random(seed)
        self.alone = alone
        self.recorder = Recorder()
        self.runtime = AloneRuntime() if alone else ThreadRuntime()
        self.executor: ThreadPoolExecutor | None = None
        options = random_options(self.random, alone)
        options.setdefault("create", self.create)
        for name, share in (("check", 0.5), ("reset", 0.5)):
            if self.random.random() < share:
                options[name] = getattr(self, name)
        if self.random.random() < 0.3:
            options["executor"] = LossyExecutor(self.random) if alone else self.threads()
        self.pool: Pool[Resource] | None = None
        self.known: list[Resource] = list(options["resources"])
        self.flaky = False
        self.pool = Pool(observer=self.recorder, runtime=self.runtime, name=f"workload {seed}", **options)
        self.flaky = True

    def threads(self) -> ThreadPoolExecutor:
        self.executor = ThreadPoolExecutor(2)
        return self.executor

    # The callbacks fail now and then, and now and then they use the pool themselves.

    def create(self) -> Resource:
        self.meddle()
        if self.flaky and self.random.random() < 0.15:
            raise OSError("no connection")
        resource = Resource()
        self.known.append(resource)
        return resource

    def check(self, resource: Resource) -> bool:
        self.meddle()
        if self.random.random() < 0.05:
            raise OSError("lost connection")
        return self.random.random() > 0.1

    def reset(self, resource: Resource) -> None:
        self.meddle()
        if self.random.random() < 0.1:
            raise OSError("lost connection")

    def meddle(self) -> None:
        if self.pool is None or self.random.random() > 0.03:
            return
        try:
            self.random.choice([self.pool.expire_all, self.resize, self.look])()
        except PoolError:
            return

    # What one can do to a pool.

    def resize(self) -> None:
        assert self.pool is not None
        least = self.pool.stats().min_size
        self.pool.resize(self.random.choice([None, *range(least, least + 5)]))

    def look(self) -> None:
        assert self.pool is not None
        self.recorder.note(self.pool.stats())

    def add(self) -> None:
        assert self.pool is not None
        resource = Resource()
        self.pool.add(resource)
        self.known.append(resource)

    def remove(self) -> None:
        assert self.pool is not None
        if self.known:
            self.pool.remove(self.random.choice(self.known))

    def acquire(self, held: list[Lease[Resource]]) -> None:
        assert self.pool is not None
        timeout = self.random.choice([0, 1.0] if self.alone else [0, 0.0005, 0.01])
        reset = self.reset if self.random.random() < 0.2 else None
        held.append(self.pool.acquire(timeout, reset=reset))

    def end(self, held: list[Lease[Resource]]) -> None:
        if held:
            lease = held.pop(self.random.randrange(len(held)))
            ends: list[Callable[[], object]] = [lease.release] * 7 + [lease.discard, lease.detach, self.abandon]
            self.random.choice(ends)()

    def abandon(self) -> None:
        """Nothing: the lease is collected when nobody remembers it."""

    def work(self, steps: int) -> None:
        """Do this many random things, each of which may fail as the pool allows it to."""
        assert self.pool is not None
        held: list[Lease[Resource]] = []
        for _ in range(steps):
            choice = self.random.random()
            try:
                if choice < 0.45 and len(held) < 3:
                    self.acquire(held)
                elif choice < 0.85:
                    self.end(held)
                elif choice < 0.9:
                    self.look()
                else:
                    others = [self.add, self.remove, self.resize, self.pool.expire_all, self.pool.maintain]
                    self.random.choice([*others, self.pool.maintain, self.pass_time])()
            except EXPECTED:
                continue
        while held:
            try:
                held.pop().release()
            except StaleLease:
                continue

    def refused_at_last(self) -> None:
        assert self.pool is not None
        try:
            self.pool.acquire(0)
        except PoolClosed:
            return
        raise AssertionError("a closed pool granted a lease")

    def pass_time(self) -> None:
        if isinstance(self.runtime, AloneRuntime):
            self.runtime.now += self.random.choice([0.5, 2.0, 5.0, 40.0])

    def run(self, steps: int, threads: int = 1) -> Recorder:
        """Work, close, and hand over the record when nothing moves any more."""
        assert self.pool is not None
        workers = [threading.Thread(target=self.work, args=(steps,)) for _ in range(threads - 1)]
        for worker in workers:
            worker.start()
        self.work(steps)
        for worker in workers:
            worker.join()
        self.pool.close(grace=1.0, force=self.random.random() < 0.3)
        if self.executor is not None:
            self.executor.shutdown()
        self.pool.close(grace=1.0)
        self.refused_at_last()
        self.look()
        return self.recorder


