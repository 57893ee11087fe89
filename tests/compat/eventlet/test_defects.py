"""What is wrong with eventlet.pools, seen there and not seen in what stands in for it.

Each scenario runs on both, and tells what it saw.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from greenlets.hubs import EVENTLET, WATCHDOG, Call
from poolproof.compat import eventlet_pools as facade

# isort: split
from eventlet import pools as original

PROMISED = "promised"


class Thing:
    """A resource like any other."""


def failing_create_strands_who_waits(pools: Any) -> object:
    """C01. The first create fails while another greenlet waits for the only place."""
    pool: Any = None
    attempts: list[int] = []

    def create() -> Thing:
        attempts.append(1)
        EVENTLET.pause()
        if len(attempts) == 1:
            raise OSError("no route")
        return Thing()

    pool = pools.Pool(max_size=1, create=create)
    first, second = Call(EVENTLET, pool.get), Call(EVENTLET, pool.get)
    EVENTLET.settle(20)
    assert isinstance(first.error, OSError)
    return PROMISED if second.done else f"one waits beside {pool.free()} free place"


def killed_create_strands_who_waits(pools: Any) -> object:
    """C01, by a kill."""
    pool = pools.Pool(max_size=1, create=lambda: EVENTLET.approve() and Thing())
    first, second = Call(EVENTLET, pool.get), Call(EVENTLET, pool.get)
    EVENTLET.sleep(0)
    first.greenlet.kill()
    EVENTLET.settle(20)
    return PROMISED if second.done else f"one waits beside {pool.free()} free place"


def resize_wakes_nobody(pools: Any) -> object:
    """C02. There is room for one more, and somebody waits."""
    pool = pools.Pool(max_size=1, create=Thing)
    pool.get()
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    pool.resize(2)
    EVENTLET.settle()
    return PROMISED if waiter.done else "one waits beside a place"


def resize_leaves_what_is_free(pools: Any) -> object:
    """C03. Four items are free when the limit becomes one."""
    pool = pools.Pool(min_size=4, max_size=4, create=Thing)
    pool.resize(1)
    calls = [Call(EVENTLET, pool.get) for _ in range(4)]
    EVENTLET.settle()
    out = sum(call.done for call in calls)
    return PROMISED if out == 1 else f"{out} of at most 1 are out"


def free_is_less_than_nothing(pools: Any) -> object:
    """C04."""
    pool = pools.Pool(max_size=2, create=Thing)
    pool.get(), pool.get()
    pool.resize(1)
    return PROMISED if pool.free() == 0 else pool.free()


def newcomer_overtakes(pools: Any) -> object:
    """One waits; then there is room for one more, and a newcomer comes."""
    pool = pools.Pool(max_size=1, create=Thing)
    pool.get()
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    pool.resize(2)
    newcomer = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    return "the newcomer has it" if newcomer.done and not waiter.done else PROMISED


def double_put(pools: Any) -> object:
    """One thing is put back twice, by mistake. Two greenlets get it."""
    pool = pools.Pool(max_size=2, create=Thing)
    one, _other = pool.get(), pool.get()
    pool.put(one)
    pool.put(one)
    first, second = Call(EVENTLET, pool.get), Call(EVENTLET, pool.get)
    EVENTLET.settle()
    return "one thing, two holders" if first.value is second.value is not None else PROMISED


def double_put_of_a_number(pools: Any) -> object:
    """The same with items that are equal to others."""
    numbers = iter(range(10))
    pool = pools.Pool(max_size=2, create=lambda: next(numbers))
    one, _other = pool.get(), pool.get()
    pool.put(one)
    pool.put(one)
    first, second = Call(EVENTLET, pool.get), Call(EVENTLET, pool.get)
    EVENTLET.settle()
    return "one thing, two holders" if first.value == second.value is not None else PROMISED


def stale_put(pools: Any) -> object:
    """One thing is put back a second time, when somebody else has it. A third greenlet gets it as well."""
    pool = pools.Pool(max_size=1, create=Thing)
    one = pool.get()
    pool.put(one)
    holder = Call(EVENTLET, lambda: (pool.get(), EVENTLET.sleep(WATCHDOG)))
    EVENTLET.settle()
    pool.put(one)
    third = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    found = "one thing, two holders" if third.done else PROMISED
    holder.greenlet.kill()
    return found


def foreign_puts_exceed_the_limit(pools: Any) -> object:
    """C08b. Items come from outside."""
    pool = pools.Pool(max_size=1, create=Thing)
    for _ in range(3):
        pool.put(Thing())
    calls = [Call(EVENTLET, pool.get) for _ in range(5)]
    EVENTLET.settle()
    out = sum(call.done for call in calls)
    return PROMISED if out == 1 else f"{out} of at most 1 are out"


def more_to_begin_with_than_allowed(pools: Any) -> object:
    """C10."""
    try:
        pool = pools.Pool(min_size=3, max_size=1, create=Thing)
    except ValueError:
        return PROMISED
    return f"{len(pool.free_items)} of at most 1 are there"


def out_of_turn(pools: Any) -> object:
    """Fifty wait, and are served one after the other."""
    pool = pools.Pool(max_size=1, create=Thing)
    served: list[int] = []

    def work(number: int) -> None:
        with pool.item():
            served.append(number)

    thing = pool.get()
    calls = [Call(EVENTLET, lambda number=number: work(number)) for number in range(50)]  # type: ignore[misc]
    EVENTLET.settle()
    pool.put(thing)
    for call in calls:
        call.result()
    return PROMISED if served == sorted(served) else "not in the order in which they came"


def put_from_another_thread(pools: Any) -> object:
    """A worker thread puts back what the hub's greenlets wait for."""
    pool = pools.Pool(max_size=1, create=Thing)
    thing, raised = pool.get(), []
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()

    def put() -> None:
        try:
            pool.put(thing)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    thread.join(0.5)
    EVENTLET.settle(20)
    if thread.is_alive():
        waiter.greenlet.kill()
        return "the thread hangs"
    return PROMISED if waiter.value is thing and not raised else f"{waiter.value}, {raised}"


SCENARIOS = [
    failing_create_strands_who_waits, killed_create_strands_who_waits, resize_wakes_nobody,
    resize_leaves_what_is_free, free_is_less_than_nothing, newcomer_overtakes, double_put,
    double_put_of_a_number, stale_put, foreign_puts_exceed_the_limit, more_to_begin_with_than_allowed,
    out_of_turn, put_from_another_thread,
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda function: function.__name__)
def test_the_facade_keeps_what_eventlet_breaks(scenario: Callable[[Any], object]) -> None:
    assert scenario(facade) == PROMISED
    assert scenario(original) != PROMISED
