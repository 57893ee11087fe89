"""Defects of ya.resourcepool 0.1.1: each is there, and is not in what stands in for it."""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from compat.peers import GLIMPSE, WATCHDOG, in_thread, load, outcome, pass_time, shows

REAL, OURS = load("ya.resourcepool"), load("poolproof.compat.ya_resourcepool")


class Thing:
    """A resource like any other."""


def double_push_makes_two_of_one(module: Any) -> bool:
    pool = module.ResourcePool(alloc=Thing)
    thing = pool.pop()
    pool.push(thing)
    pool.push(thing)
    return pool.pop() is pool.pop()


def stale_push_takes_it_from_its_owner(module: Any) -> bool:
    pool = module.ResourcePool(init=[Thing()])
    thing = pool.pop()
    pool.push(thing)
    assert in_thread(pool.pop) is thing
    pool.push(thing)
    return outcome(pool.pop) is thing


def pool_with_maxsize_is_never_cleaned_up(module: Any) -> bool:  # B01
    gone: list[object] = []
    pool = module.ResourcePool(init=[Thing()], maxsize=3, dealloc=gone.append)
    assert len(pool) == 1
    del pool
    gc.collect()
    return not gone


def failing_check_loses_the_resource(module: Any) -> bool:  # B06
    gone: list[object] = []

    def check(_: object) -> bool:
        raise ValueError

    pool = module.ResourcePool(init=[Thing()], check=check, dealloc=gone.append)
    assert outcome(pool.pop) is ValueError
    return not gone and len(pool) == 0


def maxage_is_dead_beside_maxsize(module: Any) -> bool:  # B09
    pool = module.ResourcePool(alloc=Thing, maxsize=5, maxage=0.02)
    pool.push(pool.pop())
    pass_time(0.1)
    return len(pool) == 1


def maxage_spares_what_was_given(module: Any) -> bool:  # B10
    pool = module.ResourcePool(init=[Thing()], maxage=0.02)
    pass_time(0.1)
    return len(pool) == 1


def what_was_spared_once_is_kept_for_ever(module: Any) -> bool:  # B11
    pool = module.ResourcePool(maxage=0.05, minsize=1)
    pool.push(Thing())
    pass_time(0.1)  # too old, and the last one
    pool.push(Thing())
    pass_time(0.02)
    return len(pool) == 2


def the_list_of_the_caller_grows(module: Any) -> bool:  # B14
    mine = [Thing()]
    module.ResourcePool(init=mine, alloc=Thing, minsize=3)
    return len(mine) == 3


def empty_pool_is_false(module: Any) -> bool:  # B17
    return not module.ResourcePool()


def failing_dealloc_ends_the_retention(module: Any) -> bool:
    gone: list[object] = []

    def dealloc(thing: object) -> None:
        gone.append(thing)
        raise ValueError

    pool = module.ResourcePool(maxsize=1, dealloc=dealloc)
    for _ in range(4):
        pool.push(Thing())
        pass_time(0.02)
    return len(pool) > 1


def dealloc_is_called_under_the_lock(module: Any) -> bool:
    begun, found = list[object](), list[object]()
    done = threading.Event()

    def dealloc(thing: object) -> None:
        begun.append(thing)
        if begun == [thing]:
            found.append(in_thread(lambda: pool.push(Thing()), GLIMPSE if module is REAL else WATCHDOG))
            done.set()

    pool = module.ResourcePool(maxsize=2, minsize=0, dealloc=dealloc)
    for _ in range(3):
        pool.push(Thing())
    assert done.wait(WATCHDOG)
    return found == ["hangs"]


def check_is_called_under_the_lock(module: Any) -> bool:
    found: list[object] = []

    def check(_: object) -> bool:
        found.append(in_thread(lambda: pool.push(Thing()), GLIMPSE))
        return True

    pool = module.ResourcePool(check=check)
    threading.Timer(0.02, lambda: pool.push(Thing())).start()
    pool.pop(timeout=WATCHDOG)
    return found == ["hangs"]


def each_push_starts_a_thread(module: Any) -> bool:
    pool = module.ResourcePool(maxage=30.0)
    before = set(threading.enumerate())
    for _ in range(5):
        pool.push(Thing())
    begun = set(threading.enumerate()) - before
    for thread in begun:
        if isinstance(thread, threading.Timer):
            thread.cancel()
    return len(begun) >= 5


def failed_construction_leaves_resources_behind(module: Any) -> bool:
    gone: list[object] = []
    made = iter([Thing(), Thing()])
    assert outcome(lambda: module.ResourcePool(alloc=lambda: next(made), dealloc=gone.append, minsize=3)) is not None
    gc.collect()
    return not gone


def senseless_arguments_are_taken(module: Any) -> bool:
    return all(
        outcome(functools.partial(module.ResourcePool, **options)) not in (TypeError, ValueError)
        for options in ({"dealloc": 5}, {"check": 5}, {"maxsize": -1}, {"maxsize": 1, "minsize": 2}, {"minsize": -1})
    )


Scenario = Callable[[Any], bool]
SCENARIOS: list[Scenario] = [
    double_push_makes_two_of_one,
    stale_push_takes_it_from_its_owner,
    pool_with_maxsize_is_never_cleaned_up,
    failing_check_loses_the_resource,
    maxage_is_dead_beside_maxsize,
    maxage_spares_what_was_given,
    what_was_spared_once_is_kept_for_ever,
    the_list_of_the_caller_grows,
    empty_pool_is_false,
    failing_dealloc_ends_the_retention,
    dealloc_is_called_under_the_lock,
    check_is_called_under_the_lock,
    each_push_starts_a_thread,
    failed_construction_leaves_resources_behind,
    senseless_arguments_are_taken,
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_in_the_library(defect: Scenario) -> None:
    assert shows(defect, REAL)


@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_absent_here(defect: Scenario) -> None:
    assert not defect(OURS)


def test_waiters_are_served_in_the_order_of_their_arrival() -> None:
    pool = OURS.ResourcePool()
    served: list[int] = []

    def use(number: int) -> None:
        with pool(timeout=0):
            served.append(number)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=use, args=(number,), daemon=True))
        threads[-1].start()
        while pool._pool.stats().waiting <= number:
            threading.Event().wait(0.001)
    pool.push(Thing())
    for thread in threads:
        thread.join(WATCHDOG)
    assert served == [0, 1, 2, 3, 4]


def test_wall_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = OURS.ResourcePool(init=[Thing()], maxage=1000.0)
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert len(pool) == 1
