"""Defects of pyresourcepool 0.1.12: each is there, and is not in what stands in for it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from compat.peers import WATCHDOG, in_thread, load, outcome, shows
from poolproof.compat import workers

REAL, OURS = load("pyresourcepool.pyresourcepool"), load("poolproof.compat.pyresourcepool")


class Thing:
    """A resource like any other."""


class Equal:
    """Equal to every other, and hashable."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class Hostile:
    """Nobody has any business to compare or to test it."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __bool__(self) -> bool:
        raise RuntimeError("tested")

    __hash__ = None  # type: ignore[assignment]


class WithCallback:
    """Its class has the attribute that is looked for in objects."""

    resource_pool_return_callback = print


@pytest.fixture(autouse=True)
def _callbacks_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)


def callbacks_done() -> None:
    """Return when no return callback runs any more."""
    for thread in threading.enumerate():
        if thread.name.startswith("return_obj"):
            thread.join(WATCHDOG)


def double_return_makes_two_of_one(module: Any) -> bool:
    pool = module.ResourcePool([Thing()])
    thing = pool.get_resource_unmanaged()
    pool.return_resource(thing)
    pool.return_resource(thing)
    pool.get_resource_unmanaged(block=False)
    return pool.get_resource_unmanaged(block=False) is not None


def stale_return_takes_it_from_its_holder(module: Any) -> bool:
    pool = module.ResourcePool([Thing()])
    thing = pool.get_resource_unmanaged()
    pool.return_resource(thing)
    assert in_thread(pool.get_resource_unmanaged) is thing
    pool.return_resource(thing)
    return pool.get_resource_unmanaged(block=False) is not None


def return_of_a_free_object_makes_two_of_one(module: Any) -> bool:
    thing = Thing()
    pool = module.ResourcePool([thing])
    pool.return_resource(thing)
    return len(pool._available) == 2


def duplicates_are_given_out_twice(module: Any) -> bool:
    thing = Thing()
    return outcome(lambda: module.ResourcePool([thing, thing])) is not module.ObjectAlreadyInPool


def falsy_object_is_lost(module: Any) -> bool:
    pool = module.ResourcePool([[]])
    with pool.get_resource(block=False) as thing:
        assert thing == []
    return not pool._available


def none_is_lost(module: Any) -> bool:
    pool = module.ResourcePool([None])
    return outcome(lambda: pool.return_resource(pool.get_resource_unmanaged(block=False))) is module.ObjectNotInPool


def objects_are_compared(module: Any) -> bool:
    pool = module.ResourcePool([Equal()])
    return outcome(lambda: pool.add(Equal())) is module.ObjectAlreadyInPool


def objects_are_tested_for_truth(module: Any) -> bool:
    pool = module.ResourcePool([Hostile()])
    return outcome(lambda: pool.return_resource(pool.get_resource_unmanaged(block=False))) is RuntimeError


def the_list_of_the_caller_grows(module: Any) -> bool:
    mine = [Thing()]
    module.ResourcePool(mine).add(Thing())
    return len(mine) == 2


def a_removed_object_never_comes_back(module: Any) -> bool:  # A10
    things = [Thing(), Thing()]
    pool = module.ResourcePool(things)
    pool.remove(things[0])
    return outcome(lambda: pool.add(things[0])) is module.ObjectAlreadyInPool


def a_refused_list_is_added_in_part(module: Any) -> bool:
    known = Thing()
    pool = module.ResourcePool([known])
    assert outcome(lambda: pool.add([Thing(), known])) is module.ObjectAlreadyInPool
    return bool(pool.active_size == 2)


def an_interrupted_callback_loses_the_object(module: Any) -> bool:  # A16
    def stop(_: object) -> None:
        raise SystemExit

    pool = module.ResourcePool([Thing()], return_callback=stop)
    pool.return_resource(pool.get_resource_unmanaged())
    callbacks_done()
    return bool(pool.active_size == 1 and not pool._available)


def a_callback_of_the_class_is_fatal(module: Any) -> bool:  # A17
    pool = module.ResourcePool([WithCallback()])
    return outcome(lambda: pool.return_resource(pool.get_resource_unmanaged())) is AttributeError


def a_documented_method_is_missing(module: Any) -> bool:  # A26
    return not hasattr(module.ResourcePool, "remove_resource")


def callbacks_keep_the_process_from_ending(module: Any) -> bool:
    daemons: list[bool] = []
    pool = module.ResourcePool([Thing()], return_callback=lambda _: daemons.append(threading.current_thread().daemon))
    pool.return_resource(pool.get_resource_unmanaged())
    callbacks_done()
    return daemons == [False]


def each_return_has_a_thread_of_its_own(module: Any) -> bool:
    started: list[object] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    pool = module.ResourcePool([Thing()], return_callback=lambda _: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", counted)
        for _ in range(30):
            thing = pool.get_resource_unmanaged()
            pool.return_resource(thing)
            if module is REAL:
                callbacks_done()
    return len(started) > 25  # a thread that is not quite idle yet is not waited for


def a_message_prints_the_object(module: Any) -> bool:
    class Secret(Thing):
        def __str__(self) -> str:
            return "password"

    pool = module.ResourcePool([Thing()])
    with pytest.raises(module.ObjectNotInPool) as caught:
        pool.return_resource(Secret())
    return "password" in str(caught.value)


Scenario = Callable[[Any], bool]
SCENARIOS: list[Scenario] = [
    double_return_makes_two_of_one,
    stale_return_takes_it_from_its_holder,
    return_of_a_free_object_makes_two_of_one,
    duplicates_are_given_out_twice,
    falsy_object_is_lost,
    none_is_lost,
    objects_are_compared,
    objects_are_tested_for_truth,
    the_list_of_the_caller_grows,
    a_removed_object_never_comes_back,
    a_refused_list_is_added_in_part,
    an_interrupted_callback_loses_the_object,
    a_callback_of_the_class_is_fatal,
    a_documented_method_is_missing,
    callbacks_keep_the_process_from_ending,
    each_return_has_a_thread_of_its_own,
    a_message_prints_the_object,
]


@pytest.mark.filterwarnings("ignore:setName:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_in_the_library(defect: Scenario) -> None:
    assert shows(defect, REAL)


@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_absent_here(defect: Scenario) -> None:
    workers.IDLE_SECONDS = 1.0 if defect is each_return_has_a_thread_of_its_own else 0.01
    assert not defect(OURS)


def test_waiters_are_served_in_the_order_of_their_arrival() -> None:
    pool = OURS.ResourcePool([Thing()])
    served: list[int] = []
    thing = pool.get_resource_unmanaged()

    def use(number: int) -> None:
        with pool.get_resource():
            served.append(number)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=use, args=(number,), daemon=True))
        threads[-1].start()
        while pool._pool.stats().waiting <= number:
            threading.Event().wait(0.001)
    pool.return_resource(thing)
    for thread in threads:
        thread.join(WATCHDOG)
    assert served == [0, 1, 2, 3, 4]


def test_waiters_are_told_when_the_last_object_is_removed() -> None:
    thing = Thing()
    pool = OURS.ResourcePool([thing])
    pool.get_resource_unmanaged()
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.append(outcome(pool.get_resource_unmanaged)), daemon=True)
    waiter.start()
    while not pool._pool.stats().waiting:
        threading.Event().wait(0.001)
    with pytest.raises(OURS.AllResourcesRemoved):
        pool.remove(thing)
    waiter.join(WATCHDOG)
    assert found == [OURS.AllResourcesRemoved]
    pool.return_resource(thing)
    assert pool._available == []


def test_a_forgotten_pool_is_gone_at_once() -> None:
    pool = OURS.ResourcePool([Thing(), Thing()])
    pool.get_resource_unmanaged()
    gc.disable()
    try:
        threads = threading.active_count()
        driver = gc.get_referrers(pool._pool)
        assert driver
        inner = __import__("weakref").ref(pool._pool)
        del driver, pool
        assert inner() is None
        assert threading.active_count() == threads
    finally:
        gc.enable()
