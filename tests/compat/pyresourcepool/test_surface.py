"""Every parameter, method and attribute of pyresourcepool, as its documents say."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from compat.peers import WATCHDOG, in_thread
from poolproof.compat.pyresourcepool import (
    CALLBACK_ATTRIBUTE,
    AllResourcesRemoved,
    ObjectAlreadyInPool,
    ObjectNotInPool,
    ResourcePool,
)


class Thing:
    """An object like any other."""


def test_objects_are_given_out_the_longest_free_first() -> None:
    things = [Thing() for _ in range(3)]
    pool = ResourcePool(things)
    with pool.get_resource() as first:
        assert first is things[0]
        assert pool._available == things[1:]
    assert pool._available == [things[1], things[2], things[0]]


def test_depleted_pool_gives_none_to_those_who_will_not_wait() -> None:
    pool = ResourcePool([Thing()])
    with pool.get_resource(), pool.get_resource(block=False) as nothing:
        assert nothing is None
        assert pool.get_resource_unmanaged(block=False) is None


def test_object_goes_back_when_the_block_fails() -> None:
    pool = ResourcePool([Thing()])
    with pytest.raises(KeyboardInterrupt), pool.get_resource():
        raise KeyboardInterrupt
    assert len(pool._available) == 1


def test_return_inside_the_block_is_the_return() -> None:
    pool = ResourcePool([Thing()])
    with pool.get_resource() as thing:
        pool.return_resource(thing)
        assert pool.get_resource_unmanaged(block=False) is thing
    assert pool._available == []


def test_another_thread_may_return() -> None:
    pool = ResourcePool([Thing()])
    thing = pool.get_resource_unmanaged()
    in_thread(lambda: pool.return_resource(thing))
    assert pool._available == [thing]


def test_equal_values_are_as_good_as_one_another() -> None:
    pool = ResourcePool(["host-1", "host-2"])
    assert pool.get_resource_unmanaged() == "host-1"
    pool.return_resource("-".join(["host", str(1)]))
    assert pool._available == ["host-2", "host-1"]


def test_strangers_are_refused() -> None:
    pool = ResourcePool([Thing()])
    for operation in (pool.return_resource, pool.remove):
        with pytest.raises(ObjectNotInPool):
            operation(Thing())


def test_members() -> None:
    things = [Thing(), Thing()]
    pool = ResourcePool(things)
    assert (pool.active, pool.active_size, pool.all_removed()) == (things, 2, False)
    held = pool.get_resource_unmanaged()
    pool.remove(held)
    pool.remove(held)
    assert pool._removed == {id(things[0]): True, id(things[1]): False}
    with pytest.raises(ObjectAlreadyInPool):
        pool.add(held)  # somebody has it still
    pool.return_resource(held)
    assert pool._available == [things[1]]
    with pytest.raises(AllResourcesRemoved):
        pool.remove(things[1])
    with pytest.raises(AllResourcesRemoved):
        pool.remove(things[1])
    assert pool.all_removed()
    assert pool._objects == things


@pytest.mark.parametrize("block", [True, False])
def test_empty_pool_raises_until_something_is_added(block: bool) -> None:
    pool = ResourcePool([])
    with pytest.raises(AllResourcesRemoved):
        pool.get_resource_unmanaged(block=block)
    things = [Thing(), Thing()]
    pool.add(things)
    assert pool.get_resource_unmanaged(block=block) is things[0]
    pool.add(Thing())
    with pytest.raises(ObjectAlreadyInPool):
        pool.add(things[1])
    assert pool.active_size == 3


def test_callback_runs_beside_the_caller() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def reset(_: object) -> None:
        begun.set()
        assert go_on.wait(WATCHDOG)

    pool = ResourcePool([Thing()], return_callback=reset)
    with pool.get_resource() as thing:
        pass
    assert begun.wait(WATCHDOG)
    assert pool.get_resource_unmanaged(block=False) is None
    go_on.set()
    assert pool.get_resource_unmanaged() is thing


def test_callback_of_the_object_comes_first_and_once() -> None:
    called: list[str] = []
    pool = ResourcePool([Thing()], return_callback=lambda _: called.append("pool's"))
    thing: Any = pool.get_resource_unmanaged()
    thing.resource_pool_return_callback = lambda _: called.append("its own")
    for _ in range(2):
        pool.return_resource(thing)
        assert pool.get_resource_unmanaged() is thing
        assert not hasattr(thing, CALLBACK_ATTRIBUTE)
    thing.resource_pool_return_callback = None
    pool.return_resource(thing)
    assert pool.get_resource_unmanaged() is thing
    thing.resource_pool_return_callback = lambda _: called.append("never")
    pool.return_resource(thing, force=True)
    assert pool._available == [thing]
    assert hasattr(thing, CALLBACK_ATTRIBUTE)
    assert called == ["its own", "pool's", "pool's"]


def test_failing_callback_costs_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: object) -> None:
        raise ValueError("no reset")

    pool = ResourcePool([Thing()], return_callback=fail)
    thing = pool.get_resource_unmanaged()
    assert pool._return_callback is fail
    pool.return_resource(thing)
    with pytest.raises(AllResourcesRemoved):
        pool.get_resource_unmanaged()
    assert "no reset" in capsys.readouterr().err


def test_callback_of_a_removed_object_runs_all_the_same() -> None:
    seen: list[object] = []
    done = threading.Event()

    def reset(one: object) -> None:
        seen.append(one)
        done.set()

    pool = ResourcePool([Thing(), Thing()], return_callback=reset)
    thing = pool.get_resource_unmanaged()
    pool.remove(thing)
    pool.return_resource(thing)
    assert done.wait(WATCHDOG)
    assert seen == [thing]
