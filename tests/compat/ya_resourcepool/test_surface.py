"""Every parameter and method of ya.resourcepool, as its documents say."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest

from compat.peers import pass_time
from poolproof.compat import ya_resourcepool
from poolproof.compat.ya_resourcepool import DeadResource, ResourcePool, ResourcePoolEmpty


class Thing:
    """A resource like any other."""


def test_names() -> None:
    assert ya_resourcepool.__all__ == ["ResourcePool", "ResourcePoolEmpty"]
    assert ya_resourcepool.true(1)
    ya_resourcepool.noop(1)
    assert ResourcePool[int](init=[1]).pop() == 1


def test_given_resources_come_in_their_order_and_pushed_ones_first() -> None:
    pool = ResourcePool(init=iter("abc"), alloc=lambda: "new")
    pool.push("d")
    assert [pool.pop() for _ in range(6)] == ["d", "a", "b", "c", "new", "new"]


def test_values_without_identity_may_be_there_several_times() -> None:
    pool = ResourcePool(init=[None, None, 1])
    pool.push(1)
    assert len(pool) == 4
    assert [pool.pop() for _ in range(4)] == [1, None, None, 1]


def test_minsize_is_filled_once() -> None:
    numbers = itertools.count(1)
    pool = ResourcePool(alloc=lambda: next(numbers), init=[100], minsize=3)
    assert len(pool) == 3
    assert [pool.pop() for _ in range(4)] == [100, 1, 2, 3]
    assert len(pool) == 0


@pytest.mark.parametrize(
    ("maxsize", "minsize", "left"), [(0, None, []), (2, None, [4, 3]), (2, 1, [4]), (2, 0, [4, 3])]
)
def test_surplus_goes_the_oldest_first(maxsize: int, minsize: int | None, left: list[int]) -> None:
    gone: list[int] = []
    pool = ResourcePool(maxsize=maxsize, minsize=minsize, dealloc=gone.append)
    for number in range(5):
        pool.push(number)
    assert sorted(gone) == list(range(5 - len(pool)))
    assert [pool.pop() for _ in range(len(pool))] == left


def test_maxage_spares_the_newest_down_to_minsize() -> None:
    gone: list[str] = []
    pool = ResourcePool(init="ba", maxage=0.02, minsize=1, dealloc=gone.append)
    pool.push("c")
    pass_time(0.06)
    assert len(pool) == 1
    assert gone == ["a", "b"]
    assert pool.pop() == "c"


def test_maxage_needs_nobody_to_look() -> None:
    gone = threading.Event()
    pool = ResourcePool(init=[1], maxage=0.02, dealloc=lambda _: gone.set())
    assert gone.wait(10)
    assert len(pool) == 0


def test_dead_resources_are_dropped_and_not_deallocated() -> None:
    gone: list[int] = []

    def alive(number: int) -> int:
        if number == 2:
            raise DeadResource
        return number - 1

    pool = ResourcePool(init=[1, 2, 3], check=alive, dealloc=gone.append)
    assert pool.pop() == 3
    assert (len(pool), gone) == (0, [])


def test_fresh_resources_are_not_checked() -> None:
    assert ResourcePool(alloc=lambda: 0, check=bool).pop() == 0


def test_error_of_alloc_reaches_the_caller() -> None:
    def fail() -> int:
        raise OSError("no")

    pool = ResourcePool(alloc=fail)
    with pytest.raises(OSError, match="no"):
        pool.pop(timeout=3)


def test_block_pushes_whatever_happens() -> None:
    pool = ResourcePool(init=[Thing()])
    with pytest.raises(KeyboardInterrupt), pool():
        raise KeyboardInterrupt
    with pool() as thing:
        pool.push(thing)
    assert len(pool) == 1


@pytest.mark.parametrize("timeout", [None, 0.01])
def test_nothing_to_be_had(timeout: float | None) -> None:
    with pytest.raises(ResourcePoolEmpty):
        ResourcePool[int]().pop(timeout)


@pytest.mark.parametrize("timeout", [0, -1, 10.0])
def test_waiting_ends_with_a_push(timeout: float) -> None:
    pool: ResourcePool[int] = ResourcePool()
    threading.Timer(0.01, pool.push, (5,)).start()
    assert pool.pop(timeout) == 5


def test_pooled_resources_are_deallocated_at_exit_and_owned_ones_are_not() -> None:
    code = (
        "from poolproof.compat.ya_resourcepool import ResourcePool\n"
        "pool = ResourcePool(init=['owned', 'pooled'], dealloc=print)\n"
        "mine = pool.pop()\n"
        "import sys\n"
        "sys.kept = pool  # to the very end\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("pooled\n", "")


def test_forgotten_pool_deallocates_at_once_and_leaves_no_thread() -> None:
    gone: list[Thing] = []
    threads = threading.active_count()
    pool = ResourcePool(init=[Thing()], dealloc=gone.append, maxage=50.0)
    del pool
    assert len(gone) == 1
    while threading.active_count() > threads:
        threading.Event().wait(0.001)
