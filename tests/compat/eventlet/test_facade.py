"""What stands in for eventlet.pools: its surface, what subclasses in the wild do to it, and kills at every switch."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from greenlets.hubs import EVENTLET, Call, GreenletExit
from greenlets.world import Injection
from poolproof.compat import eventlet_pools as pools

PROGRAM = Path(__file__).with_name("forked_program.py")


class Thing:
    """A resource like any other."""


def test_parameters_are_those_of_eventlet_in_their_order() -> None:
    pool = pools.Pool(1, 2, True, Thing)
    assert (pool.min_size, pool.max_size, pool.order_as_stack) == (1, 2, True)
    assert (pool.current_size, len(pool.free_items), pool.free(), pool.waiting()) == (1, 1, 2, 0)
    assert (pool.channel.getting(), pool.channel.putting()) == (0, 0)


def test_create_as_argument_wins_over_the_method() -> None:
    class Numbers(pools.Pool):
        def create(self) -> int:
            return 1

    assert Numbers(create=lambda: 2).get() == 2
    assert Numbers().get() == 1
    with pytest.raises(NotImplementedError):
        pools.Pool().get()


def test_nothing_is_had_from_a_pool_of_size_nothing() -> None:
    pool = pools.Pool(max_size=0, create=Thing)
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    assert (waiter.done, pool.waiting(), pool.free()) == (False, 1, 0)
    pool.max_size = 1
    EVENTLET.settle()
    assert isinstance(waiter.value, Thing)


@pytest.mark.parametrize(("stack", "expected"), [(False, [1, 2, 3]), (True, [3, 2, 1])])
def test_order_of_items(stack: bool, expected: list[int]) -> None:
    pool = pools.Pool(max_size=3, order_as_stack=stack, create=iter(range(1, 4)).__next__)
    items = [pool.get() for _ in range(3)]
    for item in items:
        pool.put(item)
    assert [pool.get() for _ in range(3)] == expected


def test_falsy_and_equal_items_are_items() -> None:
    pool = pools.Pool(max_size=3, create=iter([None, 0, []]).__next__)
    items = [pool.get() for _ in range(3)]
    for item in items:
        pool.put(item)
    assert [pool.get() for _ in range(3)] == items
    same = pools.Pool(max_size=2, create=lambda: "same")
    for item in [same.get(), same.get()]:
        same.put(item)
    assert (same.free(), len(same.free_items)) == (2, 2)


def test_put_returns_when_the_longest_waiter_has_the_item() -> None:
    pool = pools.Pool(max_size=1, create=Thing)
    thing = pool.get()
    first, second = Call(EVENTLET, pool.get), Call(EVENTLET, pool.get)
    EVENTLET.settle()
    pool.put(thing)
    assert (first.value, second.done, pool.waiting(), len(pool.free_items)) == (thing, False, 1, 0)


def test_put_lets_nobody_run_if_nobody_waits() -> None:
    pool = pools.Pool(max_size=1, create=Thing)
    for _ in range(2):
        bystander = Call(EVENTLET, Thing)
        pool.put(pool.get())
        assert not bystander.done
        bystander.result()


def test_put_in_the_hub_itself_does_not_wait() -> None:
    pool = pools.Pool(max_size=1, create=Thing)
    thing = pool.get()
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    EVENTLET.call_soon(pool.put, thing)
    assert waiter.result() is thing


def test_tokens() -> None:
    pool = pools.TokenPool(max_size=2)
    with pool.item() as one, pool.item() as other:
        assert isinstance(one, pools.Token)
        assert one != other
        assert pool.free() == 0
    assert pool.free() == 2


def test_what_is_not_taken_is_told(caplog: pytest.LogCaptureFixture) -> None:
    pool = pools.Pool(max_size=1, create=Thing)
    thing = pool.get()
    pool.put(thing)
    pool.put(thing)
    pool.put(Thing())
    assert ["it is free already", "nothing is out, and there is no room for one more"] == [
        message.rpartition(": ")[2] for message in caplog.messages
    ]
    assert (pool.current_size, pool.free(), len(pool.free_items)) == (1, 1, 1)


def test_anybody_may_put_back_what_another_one_got() -> None:
    """Even who had it before, if the other one is over; and who never had it, always."""
    pool = pools.Pool(max_size=1, create=Thing)
    pool.put(pool.get())
    other = Call(EVENTLET, pool.get)
    pool.put(other.result())
    assert pool.free() == 1
    thing = pool.get()
    Call(EVENTLET, lambda: pool.put(thing)).result()
    assert pool.free() == 1


def test_a_forgotten_pool_is_collected_in_silence_while_items_are_out() -> None:
    pool = pools.Pool(max_size=2, create=Thing)
    items = [pool.get(), pool.get()]
    del pool
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
    assert len(items) == 2


@pytest.mark.parametrize(("stack", "left"), [(False, 3), (True, 1)])
def test_resizing_down_drops_what_was_free_longest_now_and_the_rest_when_put_back(stack: bool, left: int) -> None:
    pool = pools.Pool(max_size=3, order_as_stack=stack, create=iter(range(1, 4)).__next__)
    items = [pool.get() for _ in range(3)]
    pool.resize(2)
    for item in reversed(items) if stack else items:
        pool.put(item)
    assert (pool.current_size, len(pool.free_items), pool.free()) == (2, 2, 2)
    pool.resize(1)
    assert (pool.current_size, list(pool.free_items), pool.free()) == (1, [left], 1)


def test_what_comes_from_outside_takes_no_place_of_what_is_being_made() -> None:
    pool = pools.Pool(max_size=1, create=lambda: EVENTLET.approve() and Thing())
    maker = Call(EVENTLET, pool.get)
    EVENTLET.sleep(0)
    pool.put(Thing())
    assert isinstance(maker.result(), Thing)
    assert (pool.free(), len(pool.free_items)) == (0, 0)


class PlaceholderPool(pools.Pool):
    """Puts back a pair of nothings for what broke, and makes a new one when it gets that, as memcache clients do."""

    down = False

    def __init__(self, size: int) -> None:
        pools.Pool.__init__(self, max_size=size)

    def create(self) -> tuple[Any, Any]:
        EVENTLET.pause()
        if self.down:
            raise ConnectionRefusedError
        return Thing(), Thing()

    def get(self) -> Any:
        file, socket = super().get()
        try:
            if file is None:
                file, socket = self.create()
        except BaseException:
            self.put((None, None))
            raise
        return file, socket


def test_placeholders_keep_the_place_of_what_broke() -> None:
    pool = PlaceholderPool(2)
    one, other = pool.get(), pool.get()
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    pool.down = True
    pool.put((None, None))
    with pytest.raises(ConnectionRefusedError):
        waiter.result()
    pool.put((None, None))
    assert pool.free() == 2
    pool.down = False
    again = [pool.get(), pool.get()]
    assert pool.free() == 0
    assert not {id(part) for pair in again for part in pair} & {id(part) for pair in (one, other) for part in pair}


def test_a_subclass_may_assign_its_limit_before_it_is_a_pool() -> None:
    class Early(pools.Pool):
        def __init__(self) -> None:
            self.max_size = 7
            super().__init__(max_size=2)

    assert Early().max_size == 2


class LosingPool(pools.Pool):
    """Corrects the books by itself, as eventlet.db_pool does."""

    def lose(self, _: object) -> None:
        self.current_size -= 1

    def clear(self) -> list[Any]:
        free, self.free_items = self.free_items, deque()
        for _ in free:
            EVENTLET.pause()
            self.current_size -= 1
        return list(free)


def test_an_item_that_is_out_can_be_written_off() -> None:
    pool = LosingPool(max_size=1, create=Thing)
    thing = pool.get()
    waiter = Call(EVENTLET, pool.get)
    EVENTLET.settle()
    pool.lose(thing)
    assert waiter.result() is not thing
    assert (pool.current_size, pool.free()) == (1, 0)


def test_one_is_written_off_while_another_is_free() -> None:
    pool = LosingPool(max_size=2, create=Thing)
    thing, other = pool.get(), pool.get()
    pool.put(other)
    pool.lose(thing)
    assert (pool.current_size, pool.free(), list(pool.free_items)) == (1, 2, [other])


def test_free_items_can_be_cleared_while_others_get() -> None:
    pool = LosingPool(min_size=3, max_size=4, create=Thing)
    held = pool.get()
    clearing = Call(EVENTLET, pool.clear)
    EVENTLET.sleep(0)
    others = [Call(EVENTLET, pool.get) for _ in range(4)]
    assert len(clearing.result()) == 2
    EVENTLET.settle()
    assert [call.done for call in others] == [True, True, True, False]
    assert (pool.current_size, pool.free(), pool.waiting()) == (4, 0, 1)
    pool.put(held)
    assert others[3].value is held


@pytest.mark.parametrize(
    ("module", "told"), [("poolproof.compat.eventlet_pools", "own\n1 2\n"), ("eventlet.pools", "shared\n1 2\n")]
)
def test_a_forked_child_does_not_get_what_is_the_parent_s(module: str, told: str) -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), module], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, told), done.stderr


# Kills and Timeouts


def make(stack: bool = False) -> pools.Pool:
    def create() -> Thing:
        EVENTLET.pause()
        return Thing()

    return pools.Pool(max_size=2, order_as_stack=stack, create=create)


def use(pool: pools.Pool) -> None:
    with pool.item():
        EVENTLET.pause()


def resize(pool: pools.Pool) -> None:
    item = pool.get()
    try:
        pool.resize(1)
        EVENTLET.pause()
        pool.resize(2)
    finally:
        pool.put(item)


def wrong(pool: pools.Pool, others: list[Call]) -> list[str]:
    """What is wrong when everybody has gone home."""
    EVENTLET.join(*(each.greenlet for each in others))
    pool.resize(2)
    found = [f"another greenlet got {each.error!r}" for each in others if each.error is not None]
    if (pool.free(), pool.waiting()) != (2, 0) or pool.current_size != len(pool.free_items):
        found.append(f"{pool.free()} free, {pool.waiting()} waiting, {pool.current_size} {len(pool.free_items)}")
    calls = [Call(EVENTLET, pool.get) for _ in range(3)]
    EVENTLET.settle()
    values = [call.value for call in calls if call.done]
    if len(values) != 2 or values[0] is values[1]:
        found.append(f"got {values}")
    calls[2].greenlet.kill()
    return found


@pytest.mark.parametrize("crowd", [0, 1, 3])
@pytest.mark.parametrize("operation", [use, resize])
@pytest.mark.parametrize("error", [GreenletExit, lambda: EVENTLET.timeout(None), OSError])
def test_nothing_is_lost_at_any_switch(
    operation: Callable[[pools.Pool], None], crowd: int, error: Callable[[], BaseException]
) -> None:
    struck = 0
    for rounds in range(6):
        for nth in count():
            pool, thrown = make(), error()
            others = [Call(EVENTLET, lambda pool=pool: use(pool)) for _ in range(crowd)]  # type: ignore[misc]
            injection = Injection(EVENTLET, thrown, nth, rounds)
            call = injection.run(lambda pool=pool: operation(pool))  # type: ignore[misc]
            assert [] == wrong(pool, others), f"switch {nth}, {rounds} rounds later"
            assert call.error is (thrown if injection.struck else None)
            if not injection.aimed:
                break
            struck += injection.struck
    assert struck > 0
