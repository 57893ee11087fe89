"""A proxy does whatever its target does: every operation, on every kind of target, gives what the target gives."""

from __future__ import annotations

import array
import asyncio
import collections
import copy
import decimal
import fractions
import math
import operator
import os
import pathlib
import pickle
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import werkzeug.local
import wrapt

from poolproof.proxy import Proxy, ProxyUnset, set_target, target_of, unset


class Resource:
    """A target with a bit of everything."""

    kind = "resource"

    def __init__(self) -> None:
        self.value = 1

    def __getattr__(self, name: str) -> str:
        if name.startswith("on_demand"):
            return name
        raise AttributeError(name)

    def __enter__(self) -> str:
        return "entered"

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is ValueError

    def __call__(self, *args: object, **more: object) -> tuple[object, ...]:
        return args, more


def derived(base: Any) -> type:
    """A class statement with that base."""

    class Derived(base):  # type: ignore[misc]
        pass

    return Derived


TARGETS: list[Any] = [
    None, True, False, 0, 5, -3, 2.5, 1j, "", "text", b"bytes", (), (1, 2), [], [3, 1, 2], {}, {"key": 1}, {1, 2},
    frozenset({1}), range(3), bytearray(b"ab"), decimal.Decimal("1.5"), fractions.Fraction(1, 3), dict, int, len,
    pathlib.PurePosixPath("/tmp"), collections.deque([1]), array.array("i", [1, 2]),
]  # fmt: skip
OPERANDS: list[Any] = [None, 2, 1.5, "te", b"x", (1,), [1], {"key": 1}, {1}, int]

UNARY: list[Callable[[Any], Any]] = [
    str, repr, bytes, hash, bool, len, operator.length_hint, iter, next, reversed, int, float, complex, round,
    operator.index, math.trunc, math.floor, math.ceil, operator.neg, operator.pos, abs, operator.invert, os.fspath,
    dir, format, list, tuple, dict, set, sorted, vars, copy.copy, copy.deepcopy,
    lambda one: format(one, ">8"), lambda one: one.__class__, lambda one: one.__doc__, lambda one: [*map(str, one)],
    lambda one: isinstance(one, int), lambda one: pickle.loads(pickle.dumps(one)), lambda one: one.nothing_like_it,
    lambda one: one(), lambda one: f"{one!s:>6}", lambda one: round(one, 1), lambda one: one[0], lambda one: one["key"],
    lambda one: one[::-1], lambda one: [5, 6, 7, 8, 9, 10][one], lambda one: {5: "five"}[one], lambda one: f"{one}",
    lambda one: sys.getsizeof(one) > 0, lambda one: one.__len__(), lambda one: issubclass(bool, one),
    lambda one: isinstance(5, one), lambda one: derived(one).__mro__[1], lambda one: one.upper(),
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge, operator.add, operator.sub,
    operator.mul, operator.matmul, operator.truediv, operator.floordiv, operator.mod, divmod, operator.pow,
    operator.lshift, operator.rshift, operator.and_, operator.or_, operator.xor, operator.contains, operator.getitem,
    operator.delitem, lambda one, other: operator.setitem(one, 0, other), lambda one, other: pow(one, other, 7),
    operator.iadd, operator.isub, operator.imul, operator.imatmul, operator.itruediv, operator.ifloordiv, operator.imod,
    operator.ipow, operator.ilshift, operator.irshift, operator.iand, operator.ior, operator.ixor,
]  # fmt: skip

# As the right operand it has to be asked first, or after the left one gave up.
REFLECTED = BINARY[:20]


def formats(do: object, left: object) -> bool:
    """Formatting looks at the exact type of what is to be put in."""
    return do is operator.mod and isinstance(left, str | bytes)


def result(do: Callable[..., Any], *args: Any) -> Any:
    """What it gives, told so that it can be compared: iterators by what comes out of them."""
    try:
        value = do(*args)
    except Exception as error:
        return type(error)
    if type(value) is Proxy:
        value = target_of(value)
    if hasattr(value, "__next__"):
        return type(value), list(value)
    return (type(value), value)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_every_operation_gives_what_the_target_gives(target: Any) -> None:
    for do in UNARY:
        first, second = copy.deepcopy(target), copy.deepcopy(target)
        expected, actual = result(do, first), result(do, Proxy(second))
        assert expected == actual, do
    for both in BINARY:
        for operand in OPERANDS:
            for backwards in (False, True) if both in REFLECTED and not formats(both, operand) else (False,):
                first, second = copy.deepcopy(target), copy.deepcopy(target)
                proxy = Proxy(second)
                mine, other = copy.deepcopy(operand), copy.deepcopy(operand)
                expected = result(both, mine, first) if backwards else result(both, first, mine)
                actual = result(both, other, proxy) if backwards else result(both, proxy, other)
                assert expected == actual, (both, operand, backwards)
                assert (first, mine) == (second, other)


def test_two_proxies_meet() -> None:
    two: Any = Proxy(2)
    five: Any = Proxy(5)
    fives: Any = Proxy([5])
    assert two + five == 7
    assert divmod(five, two) == (2, 1)
    assert two**five == 32
    assert five in fives
    assert fives == Proxy([5])


def test_name_bound_to_a_proxy_goes_on_to_mean_it() -> None:
    numbers: Any = Proxy([1])
    kept = numbers
    numbers += [2]
    assert numbers is kept
    assert target_of(kept) == [1, 2]
    number: Any = Proxy(1)
    number += 1
    assert type(number) is int


def test_attributes_are_the_target_s() -> None:
    resource = Resource()
    proxy: Any = Proxy(resource)
    proxy.value = 2
    proxy.other = 3
    del proxy.other
    assert vars(resource) == vars(proxy) == {"value": 2}
    assert (proxy.kind, proxy.on_demand_name) == ("resource", "on_demand_name")
    assert isinstance(proxy, Resource)
    assert proxy("a", b=1) == (("a",), {"b": 1})
    with proxy as entered:
        assert entered == "entered"
        raise ValueError
    number: Any = Proxy(5)
    with pytest.raises(TypeError), number:
        pass


def test_asynchronous_operations() -> None:
    class Source:
        async def __aenter__(self) -> int:
            return 1

        async def __aexit__(self, *_: object) -> None: ...

        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return 2

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            raise StopAsyncIteration

    async def use(source: Any) -> list[int]:
        async with source as entered:
            return [entered, await source, *[one async for one in source]]

    assert asyncio.run(use(Proxy(Source()))) == [1, 2]


@pytest.mark.parametrize("peer", [wrapt.ObjectProxy, werkzeug.local.LocalProxy])
def test_no_operation_is_missing_that_other_proxies_have(peer: type) -> None:
    """Neither are their own ways, nor what an object can only do for itself."""
    own = {
        "__object_proxy__", "__self_setattr__", "__self_dict__", "__wrapped__", "__weakref__", "__dict__", "__slots__",
        "__annotations__", "__name__", "__qualname__", "__orig_bases__", "__parameters__", "__class_getitem__",
        "__init_subclass__", "__getattr__", "__wrapped_setattr_fixups__", "__wrapped_factory__", "__wrapped_get__",
        "__static_attributes__", "__firstlineno__",
    }  # fmt: skip
    theirs = {name for name in dir(peer) if name.startswith("__") and name not in own} - set(dir(object))
    assert theirs - set(vars(Proxy)) == set()
    assert len(theirs) > 60


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_copy_and_pickle_are_the_target_s(target: Any) -> None:
    proxy = Proxy(target)
    for made in (copy.copy(proxy), copy.deepcopy(proxy)):
        assert type(made) is type(target)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        made = pickle.loads(pickle.dumps([proxy, proxy], protocol))
        assert made == [target, target]
        assert type(made[0]) is type(target)


UNSET: list[Callable[[Any], Any]] = [
    str, bool, len, hash, iter, int, dir, lambda one: one.anything, lambda one: one(), lambda one: one == 1,
    lambda one: one + 1, lambda one: setattr(one, "a", 1), lambda one: one[0], pickle.dumps, copy.copy, target_of,
]  # fmt: skip


@pytest.mark.parametrize("do", UNSET)
def test_unset_proxy_says_so(do: Callable[[Any], Any]) -> None:
    proxy = Proxy(name="db")
    with pytest.raises(ProxyUnset, match="proxy 'db' is unset"):
        do(proxy)
    set_target(proxy, {})
    unset(proxy)
    with pytest.raises(ProxyUnset, match="proxy 'db' is unset"):
        do(proxy)


def test_unset_proxy_may_be_looked_at() -> None:
    proxy = Proxy(name="db")
    assert repr(proxy) == "<Proxy 'db' unset>"
    assert not isinstance(proxy, int)
    assert not hasattr(proxy, "__wrapped__")
    assert weakref.ref(proxy)() is proxy
    assert issubclass(ProxyUnset, RuntimeError)


def test_setting_is_seen_by_every_thread() -> None:
    proxy = Proxy()
    seen: list[str] = []
    set_target(proxy, "new")
    thread = threading.Thread(target=lambda: seen.append(str(proxy)))
    thread.start()
    thread.join()
    assert seen == ["new"]
