"""Threads that nobody schedules, doing everything at once to one pool, and accounts that must balance.

Nothing here relies on a GIL: what threads share is only ever appended to a list, and a resource finds out by itself,
without a lock, that it has two users.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

from poolproof import Lease, LeaseRevoked, Pool, PoolClosed, PoolError, PoolStats, StaleLease
from poolproof.replay import Recorder, replay
from uncontrolled.parking import WatchedRuntime

THREADS = 4
WATCHDOG = 60.0  # no verdict but "it hangs" depends on it
FAILURES = (PoolError, OSError)


class Owned:
    """A resource that notices a second user. Its fields are written by whoever uses it, without a lock: of two that
    use it at once, at least one reads what the other wrote."""

    __slots__ = ("destroyed", "faults", "user")

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        self.user: object = None
        self.destroyed = 0

    def use(self, turns: int = 3) -> None:
        me = object()
        before, self.user = self.user, me
        for _ in range(turns):
            if self.user is not me or before is not None:
                self.faults.append("EXCLUSIVE: a resource has two users")
                break
        if self.destroyed:
            self.faults.append("DESTROY-ONCE: a destroyed resource is used")
        self.user = None

    def destroy(self) -> None:
        self.use()
        self.destroyed += 1
        if self.destroyed != 1:
            self.faults.append("DESTROY-ONCE: a resource is destroyed twice")


class Load:
    """One pool, its threads, and what they found wrong."""

    def __init__(self, seed: object, steps: int, observed: bool, watchdog: float = WATCHDOG, **options: Any) -> None:
        self.watchdog = watchdog
        self.random = Random(str(seed))
        self.steps = steps
        self.faults: list[str] = []
        self.made: list[Owned] = []
        self.detached: list[Owned] = []
        self.added: list[Owned] = []
        self.runtime = WatchedRuntime()
        self.recorder = Recorder()
        self.closes = self.random.random() < 0.5
        self.fails = Random(str(seed))
        self.flaky = False  # while the pool is made
        if observed:
            options["observer"] = self.recorder
        self.pool: Pool[Owned] = Pool(
            self.create, destroy=Owned.destroy, max_size=2, retry_delay=1e-6, runtime=self.runtime, **options
        )
        self.flaky = True

    def create(self) -> Owned:
        if self.flaky and self.fails.random() < 0.1:
            raise OSError("no connection")
        owned = Owned(self.faults)
        self.made.append(owned)
        return owned

    # What one thread does.

    def work(self, random: Random, closes: bool) -> None:
        """Random steps. Whoever waits without a deadline holds nothing, so everybody gets on."""
        jobs = [self.use] * 12 + [self.resize, self.add, self.renew, self.look, self.look]
        for step in range(self.steps):
            if closes and step == 3 * self.steps // 4:
                self.pool.close()
            with suppress(*FAILURES):
                random.choice(jobs)(random)

    def use(self, random: Random) -> None:
        timeout = random.choice([None, None, 0, 1e-5, 1e-3])
        closed = self.pool.stats().phase != "open"
        lease = self.pool.acquire(timeout)
        if closed:
            self.faults.append("CLOSE-FINAL: a closed pool grants a lease")
        self.held(lease, random.choice(["release", "release", "release", "discard", "detach", "leave"]))
        try:
            lease.release()
        except StaleLease:
            return
        self.faults.append("LEASE-ONCE: a lease is ended twice")

    def held(self, lease: Lease[Owned], end: str) -> None:
        lease.resource.use(turns=40)
        try:
            if end == "detach":
                self.detached.append(lease.detach())
            elif end == "leave":
                self.leave(lease)
            else:
                getattr(lease, end)()
        except StaleLease as error:
            if not isinstance(error, LeaseRevoked):
                self.faults.append("LEASE-ONCE: a lease that nobody ended is stale")

    def leave(self, lease: Lease[Owned]) -> None:
        with suppress(OSError), lease as owned:
            owned.use()
            raise OSError("broken off")

    def resize(self, random: Random) -> None:
        self.pool.resize(random.choice([1, 2, 3]))

    def add(self, random: Random) -> None:
        owned = Owned(self.faults)
        self.pool.add(owned)
        self.added.append(owned)

    def renew(self, random: Random) -> None:
        random.choice([self.pool.expire_all, self.pool.maintain])()

    def look(self, random: Random) -> None:
        stats = self.pool.stats()
        self.faults.extend(inconsistent(stats))
        if random.random() < 0.1:
            self.recorder.note(stats)

    # The run.

    def run(self) -> list[str]:
        """Everything that is wrong, in the end."""
        errors: list[BaseException] = []

        def client(number: int) -> None:
            try:
                together.wait(WATCHDOG)
                self.work(works[number], self.closes and number == 0)
            except BaseException as error:
                errors.append(error)

        together = threading.Barrier(THREADS)
        works = [Random(str((number, self.random.random()))) for number in range(THREADS)]
        with switching_often():
            threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(THREADS)]
            for thread in threads:
                thread.start()
            stuck = self.join(threads)
        self.faults += [f"unexpected: {error!r}" for error in errors]
        if not stuck:
            self.settle()
        return list(dict.fromkeys(self.faults))

    def join(self, threads: list[threading.Thread]) -> bool:
        """Wait for the threads; whether they hang instead."""
        for _ in range(int(self.watchdog / 0.02)):
            alive = [thread for thread in threads if thread.is_alive()]
            if not alive:
                return False
            alive[0].join(0.02)
            if self.runtime.deadlocked(threads):
                self.faults.append("WAIT-ENDS: everybody sleeps and nobody will wake them")
                return True
        self.faults.append("WAIT-ENDS: somebody hangs")
        return True

    def settle(self) -> None:
        """Nothing moves any more: close, and see that everything is where it belongs."""
        self.pool.maintain()
        stats = self.pool.stats()
        self.faults.extend(inconsistent(stats))
        if stats.checked_out or stats.waiting or stats.creating or stats.returning or stats.discarded:
            self.faults.append(f"CONSERVATION: something is left behind: {stats}")
        self.pool.close(grace=0, force=True)
        self.refused()
        self.balance(self.pool.stats())
        if len(self.recorder):
            verdict = replay(self.recorder.events(), self.recorder.snapshots())
            self.faults += [f"{clause}: version {at}: {what}" for clause, at, what in verdict.findings[:3]]

    def refused(self) -> None:
        try:
            self.pool.acquire(0)
        except PoolClosed:
            return
        self.faults.append("CLOSE-REFUSES: a closed pool grants a lease")

    def balance(self, stats: PoolStats) -> None:
        """What was made and added was destroyed or detached, by the pool's count and by our own."""
        every = self.made + self.added
        kept = {id(owned) for owned in self.detached}
        destroyed = sum(owned.destroyed for owned in every)
        ours = {"created": len(self.made), "added": len(self.added), "detached": len(self.detached)}
        for name, count in {**ours, "destroyed": destroyed}.items():
            if getattr(stats, name) != count:
                self.faults.append(f"CONSERVATION: {name} is {getattr(stats, name)}, counted {count}")
        if any(owned.destroyed != (id(owned) not in kept) for owned in every):
            self.faults.append("CONSERVATION: a resource was neither destroyed nor detached, or both")
        if stats.phase != "closed" or stats.live:
            self.faults.append(f"CLOSE-TERMINATES: the pool is {stats.phase} with {stats.live} live")


def inconsistent(stats: PoolStats) -> Iterator[str]:
    """What cannot be true of one instant."""
    parts = stats.creating + stats.free + stats.checked_out + stats.returning + stats.discarded
    if stats.live != parts or min(parts, stats.free, stats.checked_out, stats.waiting, stats.backlog) < 0:
        yield f"SNAPSHOT-CONSISTENT: {stats}"
    if stats.created + stats.added != stats.live - stats.creating + stats.detached + stats.destroyed:
        yield f"CONSERVATION: {stats}"
    if stats.free and stats.waiting:
        yield f"WORK-CONSERVING: {stats}"
    if stats.free and stats.phase != "open":
        yield f"CLOSE-FINAL: {stats}"


@contextmanager
def switching_often() -> Iterator[None]:
    """Threads change as often as the interpreter can be made to."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
