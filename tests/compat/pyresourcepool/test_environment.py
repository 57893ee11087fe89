"""Forks, signals, finalizers and crowds: for all three libraries, whose facades share what finds a lease by its
object."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from compat.peers import WATCHDOG, outcome
from poolproof.compat.proxypatternpool import Pool
from poolproof.compat.pyresourcepool import AllResourcesRemoved, ResourcePool
from poolproof.compat.ya_resourcepool import ResourcePool as YaPool
from poolproof.compat.ya_resourcepool import ResourcePoolEmpty


class Thing:
    """A resource like any other."""


def theirs(kind: str) -> tuple[Any, Callable[[], Any], Callable[[Any], None]]:
    """A pool of two objects, how to get one without waiting, and how to give it back."""
    if kind == "pyresourcepool":
        pool = ResourcePool([Thing(), Thing()])
        return pool, lambda: pool.get_resource_unmanaged(block=False), pool.return_resource
    if kind == "ya":
        shelf = YaPool(init=[Thing(), Thing()])
        return shelf, shelf.pop, shelf.push
    ppp = Pool(lambda n: Thing(), max_size=2, min_size=2)
    return ppp, lambda: ppp.get(0), ppp.ret


KINDS = ("pyresourcepool", "ya", "proxypatternpool")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_child_after_a_fork_does_not_use_what_its_parent_has(kind: str) -> None:
    pool, get, give = theirs(kind)
    mine, other = get(), get()
    give(other)
    child = os.fork()
    if not child:
        found = outcome(get)
        fine = found in (AllResourcesRemoved, ResourcePoolEmpty) or (
            type(found) is Thing and found not in (mine, other)
        )
        give(mine)  # changes nothing that anybody could see
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert get() is other
    give(mine)
    assert get() is mine
    assert pool is not None


@pytest.mark.parametrize("kind", KINDS)
def test_finalizers_may_give_back_at_any_moment(kind: str) -> None:
    """Each cycle of garbage has an object out, and gives it back when the collector finds it: everywhere."""
    _, get, give = theirs(kind)
    kept = get()

    class Garbage:
        def __init__(self) -> None:
            self.me, self.thing = self, outcome(get)

        def __del__(self) -> None:
            if type(self.thing) is Thing:
                give(self.thing)

    thresholds = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for _ in range(200):
            Garbage()
    finally:
        gc.set_threshold(*thresholds)
        gc.collect()
    other = get()
    assert type(other) is Thing
    assert other is not kept


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
@pytest.mark.parametrize("kind", KINDS)
def test_signal_handlers_may_get_and_give_back(kind: str) -> None:
    _, get, give = theirs(kind)
    handled: list[object] = []

    def handle(*_: object) -> None:
        thing = outcome(get)
        if type(thing) is Thing:
            give(thing)
        handled.append(thing)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(100_000):
            give(get())
            if len(handled) > 50:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(handled) > 50
    first, second = get(), get()
    assert first is not second


@pytest.mark.parametrize("kind", KINDS)
def test_crowd_shares_nothing(kind: str) -> None:
    _, get, give = theirs(kind)
    using: dict[int, int] = {}
    shared: list[object] = []

    def work(number: int) -> None:
        for _ in range(300):
            thing = outcome(get)
            if type(thing) is not Thing:
                continue
            if using.setdefault(id(thing), number) != number:
                shared.append(thing)
            del using[id(thing)]
            give(thing)
            if number % 2:
                give(thing)  # once more, by mistake

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WATCHDOG)
    assert (shared, using) == ([], {})
    first, second = get(), get()
    assert type(first) is type(second) is Thing
    assert first is not second
