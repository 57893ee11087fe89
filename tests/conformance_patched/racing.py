"""Small programs on a primitive: what can come of them on the stage, and what does come of them on real threads."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from poolproof.conformance.patched.modules import Copies
from poolproof.conformance.patched.search import Explorer

Step = tuple[str, tuple[Any, ...]]
Programs = Sequence[Sequence[Step]]
Ended = tuple[int, str]
Made = Callable[[Any, Any], Any]

# Each primitive: how it is made of the modules `threading` and `queue`.
MAKERS: dict[str, Made] = {
    "Lock": lambda threading, queue: threading.Lock(),
    "RLock": lambda threading, queue: threading.RLock(),
    "Semaphore": lambda threading, queue: threading.Semaphore(1),
    "BoundedSemaphore": lambda threading, queue: threading.BoundedSemaphore(1),
    "Event": lambda threading, queue: threading.Event(),
    "Condition": lambda threading, queue: threading.Condition(),
    "Queue": lambda threading, queue: queue.Queue(1),
    "LifoQueue": lambda threading, queue: queue.LifoQueue(1),
    "SimpleQueue": lambda threading, queue: queue.SimpleQueue(),
}
SOON = 0.02  # seconds: a wait that ends by itself
STEPS: dict[str, list[Step]] = {
    "Lock": [("acquire", (True, SOON)), ("acquire", (False,)), ("release", ()), ("locked", ())],
    "RLock": [("acquire", (True, SOON)), ("acquire", (False,)), ("release", ()), ("_is_owned", ())],
    "Semaphore": [("acquire", (True, SOON)), ("acquire", (False,)), ("release", ())],
    "BoundedSemaphore": [("acquire", (True, SOON)), ("acquire", (False,)), ("release", ())],
    "Event": [("wait", (SOON,)), ("set", ()), ("clear", ()), ("is_set", ())],
    "Condition": [("acquire", (True, SOON)), ("release", ()), ("wait", (SOON,)), ("notify", ())],
    "Queue": [("put", (1, True, SOON)), ("get", (True, SOON)), ("get_nowait", ()), ("qsize", ())],
    "LifoQueue": [("put", (1, True, SOON)), ("get", (True, SOON)), ("put_nowait", (2,)), ("empty", ())],
    "SimpleQueue": [("put", (1,)), ("get", (True, SOON)), ("get_nowait", ()), ("qsize", ())],
}
BAD: dict[str, list[Step]] = {
    "Lock": [("acquire", (True, -2)), ("acquire", (False, 1)), ("acquire", (True, 1e20)), ("acquire", (True, "x"))],
    "RLock": [("acquire", (True, -2)), ("acquire", (False, 1)), ("acquire", (True, 1e20))],
    "Semaphore": [("acquire", (False, 1)), ("release", (0,))],
    "BoundedSemaphore": [("acquire", (False, 1)), ("release", (2,))],
    "Event": [("wait", (0,)), ("wait", (-1,))],
    "Condition": [("wait", (0,)), ("notify_all", ()), ("notify", (3,))],
    "Queue": [("get", (True, -1)), ("task_done", ()), ("full", ())],
    "LifoQueue": [("get", (True, -1)), ("full", ())],
    "SimpleQueue": [("get", (True, -1)), ("empty", ())],
}


def told(thing: Any, step: Step) -> str:
    """What a step answers, or raises."""
    try:
        return repr(getattr(thing, step[0])(*step[1]))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def alone(name: str, steps: Sequence[Step]) -> list[str]:
    """What the real primitive answers to one thread."""
    thing = MAKERS[name](threading, queue)
    return [told(thing, step) for step in steps]


def staged(copies: Copies, name: str, programs: Programs, bound: int = 2) -> set[tuple[Ended, ...]]:
    """Everything that can come of *programs*, one thread each, on the stage: the steps in the order in which they
    ended, each with whose it was and what it answered."""
    stage, found = copies.stage, set()
    explorer = Explorer(bound)
    with copies.in_force():
        while True:
            stage.begin()
            explorer.begin()
            thing = MAKERS[name](copies.threading, copies.private["queue"])
            ended: list[Ended] = []
            for number, steps in enumerate(programs):
                stage.actor(partial(play, stage, thing, steps, number, ended), f"t{number}", player=True)
            stage.perform(explorer)
            assert not stage.unended(), "every wait ends by itself"
            stage.drop()
            found.add(tuple(ended))
            if not explorer.advance():
                return found


def play(stage: Any, thing: Any, steps: Sequence[Step], number: int, ended: list[Ended]) -> None:
    for step in steps:
        stage.point()
        ended.append((number, told(thing, step)))


def each_thread(ended: Sequence[Ended], count: int) -> tuple[tuple[str, ...], ...]:
    """The same, by thread."""
    return tuple(tuple(answer for number, answer in ended if number == each) for each in range(count))


def real(name: str, programs: Programs) -> set[tuple[tuple[str, ...], ...]]:
    """What comes of *programs* on real threads, their steps begun in every order; the next one when the one before
    has ended, or seems to wait. Which outcomes are met is up to the machine; that they can be met is not."""
    turns = [number for number, steps in enumerate(programs) for _ in steps]
    orders = sorted(set(itertools.permutations(turns)))
    some = orders[:: 1 + len(orders) // 8]
    return {each_thread(driven(name, programs, order, SOON / 4), len(programs)) for order in some}


def in_order(name: str, programs: Programs, ended: Sequence[Ended]) -> list[Ended]:
    """What the real primitive answers if the steps are made in the order in which they *ended*: then none of them
    waits, and a wait that timed out finds nothing."""
    hasty = [[(word, hurried(given)) for word, given in steps] for steps in programs]
    return driven(name, hasty, [number for number, _ in ended], None)


def hurried(given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(0 if each == SOON else each for each in given)


def driven(name: str, programs: Programs, order: Sequence[int], patience: float | None) -> list[Ended]:
    """Make the steps on real threads, begun in this order."""
    thing = MAKERS[name](threading, queue)
    ended: list[Ended] = []
    orders: list[queue.SimpleQueue[Step | None]] = [queue.SimpleQueue() for _ in programs]
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def serve(number: int) -> None:
        while (step := orders[number].get()) is not None:
            ended.append((number, told(thing, step)))
            done.put(number)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(len(programs))]
    for thread in threads:
        thread.start()
    left = [iter(steps) for steps in programs]
    for number in order:
        orders[number].put(next(left[number]))
        with suppress(queue.Empty):
            done.get(timeout=patience)
    for each in orders:
        each.put(None)
    for thread in threads:
        thread.join()
    return ended
