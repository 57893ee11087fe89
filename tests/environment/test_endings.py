"""Pools that nobody closes: forgotten ones, and those that are open when the process ends."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from environment.rig import WATCHDOG, Maker, Thing
from poolproof import Pool, PoolWarning


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self, pool: Pool[Thing]) -> None:
        self.me, self.pool = self, pool


def housekeepers(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"housekeeping of {name}"]


def drop(pool: Pool[Thing]) -> None:
    """Nobody else refers to *pool*."""


@pytest.mark.clause("COLLECTABLE", "THREADS-BOUNDED")
@pytest.mark.parametrize("keep", [drop, Cycle], ids=["dropped", "in a cycle"])
@pytest.mark.parametrize(
    "options",
    [{}, {"housekeeping": 3600.0}, {"housekeeping": 0.0001}, {"observer": print, "reset": id, "check": id}],
    ids=["plain", "rare housekeeping", "frequent housekeeping", "callbacks"],
)
def test_forgotten_pool_is_collected_with_its_thread_and_its_resources(
    keep: Callable[[Pool[Thing]], object], options: dict[str, Any]
) -> None:
    maker, gone = Maker(), threading.Event()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=3, name="forgotten", **options)
    leases = [pool.acquire() for _ in range(3)]
    for lease in leases:
        lease.release()
    del lease
    leases.clear()
    threads = housekeepers("forgotten")
    assert ("housekeeping" in options) == len(threads)
    weakref.finalize(pool._driver, gone.set)
    weakref.finalize(pool, lambda: None)
    keep(pool)
    del pool
    gc.collect()
    # A round of housekeeping may have been going on; then the pool ends with it, in its thread.
    for thread in threads:
        thread.join(WATCHDOG)
        assert not thread.is_alive()
    gc.collect()
    assert gone.is_set()
    assert [1, 1, 1] == [thing.destroyed for thing in maker.things]


@pytest.mark.clause("COLLECTABLE")
def test_lease_that_outlives_its_pool_ends_as_any_other() -> None:
    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2)
    lease, other = pool.acquire(), pool.acquire()
    other.release()
    del pool
    gc.collect()
    assert [0, 1] == [thing.destroyed for thing in maker.things]
    assert not lease.resource.destroyed
    lease.release()
    assert [1, 1] == [thing.destroyed for thing in maker.things]


@pytest.mark.clause("COLLECTABLE", "LEASE-ABANDONED")
def test_lease_forgotten_together_with_its_pool_costs_no_resource() -> None:
    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1)
    lease = pool.acquire()
    del pool
    leases = [lease]
    del lease
    with pytest.warns(PoolWarning):
        leases.clear()
    gc.collect()
    assert [1] == [thing.destroyed for thing in maker.things]


@pytest.mark.clause("THREADS-BOUNDED")
def test_no_operation_starts_a_thread() -> None:
    maker = Maker()
    before = threading.enumerate()
    with Pool(maker.create, destroy=maker.destroy, reset=id, check=id, max_size=3, min_size=1, timeout=1.0) as pool:
        leases = [pool.acquire() for _ in range(3)]
        assert pool.try_acquire() is None
        leases.pop().release()
        leases.pop().discard()
        leases.pop().detach()
        pool.add(Thing(0))
        pool.maintain()
        pool.expire_all()
        pool.resize(5)
        assert before == threading.enumerate()


@pytest.mark.clause("THREADS-BOUNDED")
def test_housekeeping_is_one_thread_and_ends_with_close() -> None:
    pool: Pool[Thing] = Pool(Maker().create, max_size=3, housekeeping=3600.0, name="kept")
    for _ in range(5):
        pool.acquire().release()
        pool.maintain()
    [thread] = housekeepers("kept")
    assert thread.daemon
    pool.close()
    thread.join(WATCHDOG)
    assert [] == housekeepers("kept")


ENDINGS = {
    "a held lease": "lease = pool.acquire()",
    "a lease that a thread holds": """
        def hold():
            with pool.acquire():
                began.set()
                threading.Event().wait()
        threading.Thread(target=hold, daemon=True).start()
        began.wait()
    """,
    "waiting threads": """
        leases = [pool.acquire() for _ in range(2)]
        for _ in range(3):
            threading.Thread(target=pool.acquire, daemon=True).start()
        while pool.stats().waiting < 3:
            pass
    """,
    "a waiting thread with a deadline": """
        leases = [pool.acquire() for _ in range(2)]
        threading.Thread(target=pool.acquire, args=(3600,), daemon=True).start()
        while not pool.stats().waiting:
            pass
    """,
    "an error": "lease = pool.acquire(); sys.exit(0)",
    "a pool in a module": "sys.modules['elsewhere'] = pool; lease = pool.acquire()",
    "a pool in a cycle": "cycle = [pool]; cycle.append(cycle); del pool",
    "a build going on": """
        def build():
            began.set()
            threading.Event().wait()
        stuck = Pool(build, max_size=1)
        threading.Thread(target=stuck.acquire, daemon=True).start()
        began.wait()
    """,
}


@pytest.mark.clause("EXIT-FREE")
@pytest.mark.parametrize("housekeeping", [None, 0.0005, 3600.0])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_process_ends_at_once_and_silently(ending: str, housekeeping: float | None) -> None:
    program = f"""
import sys, threading
from poolproof import Pool
began = threading.Event()
pool = Pool(object, destroy=id, max_size=2, housekeeping={housekeeping})
pool.acquire().release()
{textwrap.dedent(ending)}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WATCHDOG, check=False
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
