"""The patched primitives behave as the real ones of this interpreter do."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance_patched.racing import BAD, MAKERS, STEPS, Programs, alone, each_thread, in_order, real, staged, told
from poolproof.conformance.patched.modules import Copies
from poolproof.conformance.patched.search import RunOn

OURS = ("Lock", "RLock")  # the rest is the standard library's own code on top of them


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    made = Copies()
    made.load("queue")
    yield made
    made.stage.dismiss()


@given(data=st.data())
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_one_thread_is_answered_the_same(copies: Copies, name: str, data: st.DataObject) -> None:
    """Results and errors, message included, of any sequence of steps."""
    plain = [step for step in STEPS[name] + BAD[name] if step[1][1:2] != (0.02,)]
    steps = data.draw(st.lists(st.sampled_from(plain), max_size=6))
    if name == "SimpleQueue":  # the real one is written in C, and words its error otherwise
        steps = [step for step in steps if step[1] != (True, -1)]
    assert {tuple((0, answer) for answer in alone(name, steps))} == staged(copies, name, [steps])


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_two_threads_can_come_to_what_real_ones_come_to(copies: Copies, name: str, seed: int) -> None:
    """Whatever real threads answer is among what is explored."""
    chance = random.Random(seed)
    for _ in range(5):
        programs = [[chance.choice(STEPS[name]) for _ in range(2)] for _ in range(2)]
        if name == "Condition":  # a wait that is over wants the lock: nobody keeps it
            programs = [[*steps, ("release", ()), ("release", ())] for steps in programs]
        explored = {each_thread(ended, 2) for ended in staged(copies, name, programs)}
        assert real(name, programs) <= explored, programs


@pytest.mark.parametrize("name", OURS)
def test_whatever_is_explored_the_real_ones_do_too(copies: Copies, name: str, seed: int) -> None:
    """Every explored run of the primitives written anew, step by step in the order in which the steps ended."""
    chance = random.Random(seed)
    for _ in range(8):
        programs = [[chance.choice(STEPS[name]) for _ in range(3)] for _ in range(2)]
        for ended in staged(copies, name, programs):
            assert in_order(name, programs, ended) == list(ended), programs


def test_late_notify_is_lost_as_it_is_in_cpython(copies: Copies) -> None:
    """A waiter whose time is up is still in the queue of the condition for a moment: a notify can go to it."""
    programs: Programs = [
        [("acquire", ()), ("wait", (0.02,)), ("release", ())],
        [("acquire", ()), ("notify", ()), ("release", ())],
    ]
    assert {each_thread(ended, 2)[0][1] for ended in staged(copies, "Condition", programs)} == {"True", "False"}


def test_thread_locals_are_each_threads_own(copies: Copies) -> None:
    class Mine(copies.threading.local):  # type: ignore[name-defined, misc]
        shared = "of the class"

        def __init__(self, first: int) -> None:
            self.values = [first]

    stage, seen = copies.stage, []

    def use(mine: Mine, value: int) -> None:
        mine.values.append(value)
        stage.point()
        seen.append((sorted(mine.__dict__), mine.values, mine.shared))

    stage.begin()
    mine = Mine(0)
    for value in (1, 2):
        stage.actor(partial(use, mine, value), f"t{value}", player=True)
    stage.perform(RunOn())
    stage.drop()
    assert seen == [(["values"], [0, 1], "of the class"), (["values"], [0, 2], "of the class")]
    assert mine.values == [0]
    assert told(mine, ("nothing", ())).startswith("AttributeError")


def test_threads_and_timers_of_the_pool_run_on_the_stage(copies: Copies) -> None:
    stage, happened, names = copies.stage, [], copies.threading

    def player() -> None:
        thread = names.Thread(target=lambda: happened.append("thread"))
        thread.start()
        thread.join()
        names.Timer(60.0, lambda: happened.append("timer")).start()
        event = names.Event()
        event.wait(120.0)
        happened.append(f"{round(stage.now)} s, {thread.is_alive()}")

    stage.begin()
    with copies.in_force():
        stage.actor(player, "t", player=True)
        stage.perform(RunOn())
    assert not stage.unended()
    stage.drop()
    copies.forget_threads()
    assert happened == ["thread", "timer", "120 s, False"]


def test_real_modules_are_untouched(copies: Copies) -> None:
    lock = threading.Lock()
    with copies.in_force():
        import queue as inside
    import queue as outside

    assert inside is not outside
    assert type(lock) is type(threading.Lock())
    assert threading is not copies.threading
