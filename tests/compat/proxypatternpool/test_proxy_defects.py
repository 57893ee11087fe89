"""Defects of the Proxy of ProxyPatternPool 11.6: each is there, and is not in what stands in for it."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from compat.peers import in_thread, load, outcome, shows

REAL, OURS = load("ProxyPatternPool"), load("poolproof.compat.proxypatternpool")


def failing_block_keeps_the_object(module: Any) -> bool:  # D22
    proxy = module.Proxy(fun=lambda n: object(), max_size=1)
    with suppress(ZeroDivisionError), proxy._obj():
        raise ZeroDivisionError
    return len(proxy._pool._using) == 1


def inner_block_takes_it_from_the_outer(module: Any) -> bool:  # D23
    proxy = module.Proxy(fun=lambda n: object(), max_size=1)
    with proxy._obj():
        with proxy._obj():
            pass
        return len(proxy._pool._using) == 0


def falsy_object_is_not_set(module: Any) -> bool:  # D24
    return bool(outcome(lambda: module.Proxy([])._get_obj()) != [])


def class_cannot_be_wrapped(module: Any) -> bool:  # D25
    return bool(outcome(lambda: module.Proxy(dict).fromkeys("a")) != {"a": None})


def attributes_made_on_demand_are_missing(module: Any) -> bool:  # D25
    class Lazy:
        def __getattr__(self, name: str) -> str:
            return name

    return bool(outcome(lambda: module.Proxy(Lazy()).some_name) != "some_name")


def set_attribute(one: Any) -> Any:
    one.set_there = 1
    return vars(one._get_obj())["set_there"]


OPERATIONS: dict[str, Callable[[Any], Any]] = {  # D26
    "setattr": set_attribute,
    "bool": lambda one: bool(one) is False,
    "len": len,
    "iter": list,
    "getitem": lambda one: one["key"],
    "contains": lambda one: "key" in one,
    "call": lambda one: one(),
    "with": lambda one: one.__class__.__enter__(one),
    "less": lambda one: one < 1,
    "add": lambda one: one + 1,
    "int": int,
}


class Everything:
    """Has every one of these operations."""

    def __bool__(self) -> bool:
        return False

    def _answer(self, *_: object) -> int:
        return 1

    __len__ = __getitem__ = __call__ = __enter__ = __add__ = __int__ = _answer

    def __iter__(self) -> Any:
        return iter("ab")

    def __contains__(self, _: object) -> bool:
        return True

    def __lt__(self, _: object) -> bool:
        return True


def operations_are_missing(module: Any) -> bool:
    proxy = module.Proxy(obj=None, fun=lambda n: Everything(), max_size=None)
    found = {name: outcome(functools.partial(do, proxy)) for name, do in OPERATIONS.items()}
    failed = [name for name, value in found.items() if isinstance(value, type) or value is False]
    assert failed in ([], sorted(failed, key=list(OPERATIONS).index))
    return len(failed) >= 9


def old_pool_is_left_behind(module: Any) -> bool:  # D28
    closed: list[object] = []
    proxy = module.Proxy(fun=lambda n: n, closer=closed.append)
    proxy._set_fun(lambda n: n + 10)
    return closed == []


def unset_proxy_recurses(module: Any) -> bool:
    return outcome(lambda: module.Proxy().anything) is RecursionError


def shared_function_fails_an_assertion(module: Any) -> bool:
    return outcome(lambda: module.Proxy(fun=lambda n: n, scope=module.Proxy.Scope.SHARED)) is not module.ProxyException


def tasks_share_what_their_parent_has(module: Any) -> bool:  # D60
    proxy = module.Proxy(fun=lambda n: object(), scope=module.Proxy.Scope.VERSATILE)

    async def mine() -> int:
        return id(proxy._get_obj())

    async def parent() -> bool:
        first = proxy._get_obj()
        return id(first) in await asyncio.gather(mine(), mine())

    return asyncio.run(parent())


def none_is_not_given_back(module: Any) -> bool:  # D62
    proxy = module.Proxy(fun=lambda n: None, max_size=1)
    assert proxy._get_obj() is None
    proxy._ret_obj()
    return in_thread(lambda: outcome(lambda: proxy._get_obj(timeout=0.01))) is module.TimeOut


SCENARIOS: list[Callable[[Any], bool]] = [
    failing_block_keeps_the_object,
    inner_block_takes_it_from_the_outer,
    falsy_object_is_not_set,
    class_cannot_be_wrapped,
    attributes_made_on_demand_are_missing,
    operations_are_missing,
    old_pool_is_left_behind,
    unset_proxy_recurses,
    shared_function_fails_an_assertion,
    tasks_share_what_their_parent_has,
    none_is_not_given_back,
]


@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_in_the_library(defect: Callable[[Any], bool]) -> None:
    assert shows(defect, REAL)


@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_absent_here(defect: Callable[[Any], bool]) -> None:
    assert not defect(OURS)


@pytest.mark.parametrize("ret_at_end", [False, True])
def test_object_of_an_ended_thread(ret_at_end: bool) -> None:  # D29
    """The library keeps it, and its own tests count on that; so going back is for those who ask for it."""
    proxy = OURS.Proxy(fun=lambda n: n, max_size=1, ret_at_end=ret_at_end)
    assert in_thread(lambda: operator.index(proxy)) == 0
    found = outcome(lambda: proxy._get_obj(timeout=0.01))
    assert found == (0 if ret_at_end else OURS.TimeOut)
