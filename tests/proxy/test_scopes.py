"""Whose resource a proxy is: for each thread, task and greenlet its own, which goes back when that ends."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pool.rig import Call
from poolproof import AcquireTimeout, LeaseRevoked, Pool, PoolClosed
from poolproof.proxy import Proxy, ProxyUnset, holds, release, set_pool, set_target, target_of, unset, use


class Thing:
    """A resource; falsy, so that nobody asks for its truth."""

    def __bool__(self) -> bool:
        raise AssertionError("asked for its truth")


@pytest.fixture
def pool() -> Pool[Thing]:
    return Pool(Thing, max_size=2)


@pytest.fixture(params=["thread", "context"])
def db(request: pytest.FixtureRequest, pool: Pool[Thing]) -> Proxy:
    """A proxy for resources of the pool, in either scope."""
    proxy = Proxy(name="db")
    set_pool(proxy, pool, scope=request.param)
    return proxy


def out(pool: Pool[Any]) -> int:
    return pool.stats().checked_out


def test_first_use_acquires_and_later_ones_use_the_same(db: Proxy, pool: Pool[Thing]) -> None:
    assert (holds(db), out(pool)) == (False, 0)
    first = target_of(db)
    assert target_of(db) is first
    assert (holds(db), out(pool)) == (True, 1)
    release(db)
    release(db)
    assert (holds(db), out(pool)) == (False, 0)


def test_each_thread_has_its_own_and_it_goes_back_when_the_thread_ends(db: Proxy, pool: Pool[Thing]) -> None:
    mine = target_of(db)
    seen: list[Thing] = []
    for _ in range(3):
        Call(lambda: seen.append(target_of(db))).join()
        assert out(pool) == 1
    assert mine not in [id(one) for one in seen]
    assert all(one is seen[0] and one is not mine for one in seen)


def test_thread_that_fails_gives_back_too(db: Proxy, pool: Pool[Thing]) -> None:
    def fail() -> None:
        target_of(db)
        raise KeyboardInterrupt

    Call(fail).raised(KeyboardInterrupt)
    assert out(pool) == 0


def test_blocks_nest(db: Proxy, pool: Pool[Thing]) -> None:
    again: use[Thing] = use(db)
    with again as outer:
        with use(db) as inner, again as third:
            assert outer is inner is third is target_of(db)
        release(db)  # not in a block
        assert out(pool) == 1
    assert out(pool) == 0


def test_block_ends_what_was_acquired_before(db: Proxy, pool: Pool[Thing]) -> None:
    first = target_of(db)
    with use(db) as thing:
        assert thing is first
    assert out(pool) == 0


@pytest.mark.parametrize(("error", "left"), [(ZeroDivisionError, 1), (KeyboardInterrupt, 0)])
def test_block_that_fails_ends_the_lease_as_its_own_block_would(
    db: Proxy, pool: Pool[Thing], error: type[BaseException], left: int
) -> None:
    with pytest.raises(error), use(db), use(db):
        raise error
    assert (out(pool), pool.stats().free) == (0, left)


def test_timeouts(pool: Pool[Thing]) -> None:
    db = Proxy()
    set_pool(db, pool, timeout=0)
    with pool.acquire(), pool.acquire():
        with pytest.raises(AcquireTimeout):
            target_of(db)
        with pytest.raises(AcquireTimeout):
            target_of(db, 0.01)
        with pytest.raises(AcquireTimeout), use(db, 0.01):
            pass
    assert (out(pool), holds(db)) == (0, False)


def test_what_is_set_next_closes_the_pool(db: Proxy, pool: Pool[Thing]) -> None:
    target_of(db)
    set_target(db, None)
    assert target_of(db) is None
    assert pool.stats().phase == "closing" or pool.stats().phase == "closed"
    gc.collect()
    assert pool.stats().phase == "closed"


@pytest.mark.parametrize("scope", ["thread", "context"])
def test_pool_in_use_is_closed_when_its_holders_are_done(scope: str, pool: Pool[Thing]) -> None:
    db, second = Proxy(), Pool(Thing, max_size=2)
    set_pool(db, pool, scope=scope)
    with use(db) as thing:
        set_pool(db, second, scope=scope)
        assert target_of(db) is thing
        assert (pool.stats().phase, out(second)) == ("closing", 0)
    assert pool.stats().phase == "closed"
    assert target_of(db) is not thing
    release(db)
    old = target_of(db)
    third = Pool(Thing)
    set_pool(db, third, scope=scope, closes=False)
    assert target_of(db) is not old
    assert (second.stats().phase, out(third)) == ("closed", 1)
    unset(db)
    with pytest.raises(ProxyUnset):
        target_of(db)
    assert third.stats().phase == "open"


def test_revoked_lease_is_told_once() -> None:
    db, pool = Proxy(), Pool(Thing, max_lease=0.001, revoke_overdue=True)
    set_pool(db, pool)
    first = target_of(db)
    while pool.stats().checked_out:
        pool.maintain()
    with pytest.raises(LeaseRevoked):
        target_of(db)
    assert target_of(db) is not first
    pool.close(force=True)
    with pytest.raises(LeaseRevoked):
        target_of(db)
    with pytest.raises(PoolClosed):
        target_of(db)


def test_none_and_values() -> None:
    db = Proxy()
    set_pool(db, Pool(lambda: None, max_size=1))
    assert db == None  # noqa: E711  # that is what a proxy is for
    assert holds(db)
    no_pool: Any = Thing()
    with pytest.raises(TypeError, match="pool"):
        set_pool(db, no_pool)
    with pytest.raises(ValueError, match="scope"):
        set_pool(db, Pool(Thing), scope="task")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_child_after_a_fork_gets_its_own(db: Proxy, pool: Pool[Thing]) -> None:
    first = target_of(db)
    child = os.fork()
    if not child:
        os._exit(0 if target_of(db) is not first and target_of(db) is target_of(db) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert target_of(db) is first


# Tasks


async def _mine(db: Proxy) -> int:
    first = target_of(db)
    await asyncio.sleep(0)
    assert target_of(db) is first
    return id(first)


def test_each_task_has_its_own_and_it_goes_back_when_the_task_ends() -> None:
    db, pool = Proxy(), Pool(Thing)
    set_pool(db, pool, scope="context")

    async def parent() -> None:
        mine = await _mine(db)
        tasks = [asyncio.create_task(_mine(db)) for _ in range(3)]
        assert len({mine, *await asyncio.gather(*tasks)}) == 4
        await asyncio.sleep(0)
        assert out(pool) == 1  # though the tasks, and so their contexts, are still there
        assert await asyncio.to_thread(lambda: id(target_of(db))) != mine
        assert await _mine(db) == mine

    asyncio.run(parent())
    gc.collect()
    assert out(pool) == 0


def test_cancelled_task_gives_back() -> None:
    db, pool = Proxy(), Pool(Thing, max_size=1)
    set_pool(db, pool, scope="context")

    async def hold() -> None:
        target_of(db)
        await asyncio.Event().wait()

    async def parent() -> None:
        for _ in range(3):
            task = asyncio.create_task(hold())
            await asyncio.sleep(0)
            assert out(pool) == 1
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0)
            assert out(pool) == 0

    asyncio.run(parent())


def test_tasks_of_the_thread_scope_share() -> None:
    db, pool = Proxy(), Pool(Thing)
    set_pool(db, pool, scope="thread")

    async def parent() -> None:
        assert len({*await asyncio.gather(_mine(db), _mine(db))}) == 1

    asyncio.run(parent())


def test_copied_context_in_another_thread_does_not_share() -> None:
    db, pool = Proxy(), Pool(Thing)
    set_pool(db, pool, scope="context")
    mine = target_of(db)
    context = contextvars.copy_context()
    assert context.run(target_of, db) is mine
    assert Call(lambda: contextvars.Context.run(context, target_of, db)).result() is not mine
    assert out(pool) == 2  # the copy keeps the other one


# Greenlets, in processes of their own: their hubs do not share one

BODY = """
from poolproof import Pool
from poolproof.proxy import Proxy, set_pool, target_of
db, pool = Proxy(), Pool(object)
set_pool(db, pool, scope="context")
mine, seen = target_of(db), []
def use():
    first = target_of(db)
    seen.append(id(first))
    pause()
    assert target_of(db) is first
    assert pool.stats().checked_out == 4
    pause()
kept = [start(use) for _ in range(3)]
for one in kept:
    join(one)
pause()
assert len({id(mine), *seen}) == 4, seen
assert target_of(db) is mine
assert pool.stats().checked_out == 1, pool
print("done")
"""
HUBS = {
    "gevent": "import gevent\nstart, pause, join = gevent.spawn, lambda: gevent.sleep(0), lambda one: one.get()\n",
    "eventlet": "import eventlet\nstart, pause, join = eventlet.spawn, lambda: eventlet.sleep(0), lambda o: o.wait()\n",
}

PATCHES = {
    "gevent": "from gevent import monkey; monkey.patch_all()\n",
    "eventlet": "import eventlet; eventlet.monkey_patch()\n",
}


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("patched", [False, True])
def test_each_greenlet_has_its_own_and_it_goes_back_when_it_ends(hub: str, patched: bool) -> None:
    patch = {
        "gevent": "from gevent import monkey; monkey.patch_all()\n",
        "eventlet": "import eventlet; eventlet.monkey_patch()\n",
    }
    code = patch[hub] * patched + HUBS[hub] + BODY
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_proxy_is_collected_with_what_it_holds(pool: Pool[Thing]) -> None:
    db = Proxy()
    set_pool(db, pool, closes=False)
    target_of(db)
    del db
    gc.collect()
    assert out(pool) == 0


def test_many_threads() -> None:
    db, pool = Proxy(), Pool(object, max_size=3)
    set_pool(db, pool, scope="context")
    using: list[int] = []

    def work() -> None:
        for _ in range(50):
            with use(db) as thing:
                assert id(thing) not in using
                using.append(id(thing))
                using.remove(id(thing))

    calls: list[Callable[[], object]] = [Call(work).result for _ in range(6)]
    for call in calls:
        call()
    assert threading.active_count() < 100
    assert out(pool) == 0
