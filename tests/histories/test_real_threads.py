"""Short histories of the shipped pool on real threads: whatever order the machine happens to produce is explained."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from poolmodel.state import Config
from poolproof import Pool, PoolError
from poolproof.conformance.history import History, Judge, RecordedLease, RecordedPool, Recorder
from poolproof.runtime import ThreadRuntime

WATCHDOG = 30.0
RUNS = 60  # for each configuration
CONFIGS = [
    pytest.param(Config(limit=1), id="one"),
    pytest.param(Config(limit=2), id="two"),
    pytest.param(Config(limit=2, order="fifo", reset=True), id="fifo, reset"),
    pytest.param(Config(limit=2, check=True), id="check"),
    pytest.param(Config(limit=1, max_waiting=1), id="bounded"),
    pytest.param(Config(limit=2, factory=False), id="given"),
    pytest.param(Config(limit=2, min_size=1), id="least"),
    pytest.param(Config(limit=1, lease_reset=True), id="own resets"),
]


class Resource:
    """Something to pool."""


Reset = Callable[[Resource], object]


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Run:
    """A pool, a recorder, and threads with random work."""

    def __init__(self, config: Config, random: Random) -> None:
        self.config = config
        self.random = random
        self.recorder = recorder = Recorder()
        given = () if config.factory else (Resource(), Resource())
        pool: Pool[Any] = Pool(
            recorder.creates(self.flaky("create")) if config.factory else None,
            resources=given,
            destroy=recorder.destroys(),
            reset=recorder.resets(self.flaky("reset")) if config.reset else None,
            check=recorder.checks(self.flaky("check")) if config.check else None,
            max_size=config.limit,
            min_size=config.min_size,
            max_waiting=config.max_waiting,
            order=config.order,
            retry_delay=1e-9,
            runtime=recorder.parks(ThreadRuntime()),
        )
        self.pool = recorder.watch(pool, given)

    def flaky(self, what: str) -> Any:
        """A callback that fails now and then; but not while the pool is made."""
        fails = iter([False] + [self.random.random() < 0.2 for _ in range(1_000)])

        def callback(*_: Resource) -> object:
            if next(fails):
                raise OSError(what)
            return Resource()

        return callback

    def history(self) -> History:
        start = threading.Barrier(3)
        closes = self.random.random() < 0.3
        works = [self.work(Random(self.random.random()), closes and number == 0) for number in range(3)]
        reset = self.flaky("own reset") if self.config.lease_reset else None
        threads = [
            threading.Thread(target=client, args=(self.pool, work, start, reset), name="ABC"[number], daemon=True)
            for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WATCHDOG)
        return self.recorder.history(self.config)

    def work(self, random: Random, closes: bool) -> list[tuple[str, Any]]:
        jobs: list[tuple[str, Any]] = []
        for _ in range(random.randrange(1, 3)):
            jobs.append(("acquire", random.choice([None, 0.0, 0.0005])))
            jobs.append(("finish", random.choice(["release", "release", "discard", "detach", "twice"])))
            if random.random() < 0.3:
                jobs.append((random.choice(["resize", "expire_all", "stats", "maintain", "add"]), None))
        if closes:
            jobs.append(("close", random.random() < 0.5))
        return jobs


def client(
    pool: RecordedPool,
    jobs: list[tuple[str, Any]],
    start: threading.Barrier,
    reset: Callable[[Resource], object] | None,
) -> None:
    """One thread. Without a factory it waits with a deadline only: others may have taken everything away."""
    lease: RecordedLease | None = None
    start.wait(WATCHDOG)
    for what, how in jobs:
        try:
            if what == "acquire":
                patience = 0.0005 if how is None and pool.pool._driver.settings.create is None else how
                lease = pool.try_acquire() if patience == 0 else pool.acquire(patience, reset)
            elif what == "finish":
                if lease is not None:
                    finish(lease, how)
                lease = None
            elif what == "resize":
                pool.resize(2)
            elif what == "add":
                pool.add(Resource())
            elif what == "close":
                pool.close(force=how)
            else:
                getattr(pool, what)()
        except (PoolError, OSError):
            lease = None if what == "acquire" else lease


def finish(lease: RecordedLease, how: str) -> None:
    if how == "twice":
        assert lease.resource is not None
        lease.release()
        lease.release()
    else:
        getattr(lease, how)()


@pytest.mark.clause("EXCLUSIVE", "LEASE-ONCE", "LEASE-IDENTITY", "WAIT-FIFO", "WAIT-DEADLINE", "ONE-OUTCOME")
@pytest.mark.clause("CAPACITY", "CLOSE-REFUSES", "DESTROY-ONCE", "RESET-BEFORE-REUSE", "ERRORS-UNCHANGED")
@pytest.mark.parametrize("config", CONFIGS)
def test_what_real_threads_did_is_explained(config: Config, seed: int) -> None:
    judge = Judge()
    for number in range(RUNS):
        history = Run(config, Random(f"{seed} {number}")).history()
        verdict = judge(history)
        assert verdict.holds, f"seed {seed}, run {number}\n{verdict}"
