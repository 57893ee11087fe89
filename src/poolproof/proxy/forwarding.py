"""The proxy itself: every operation of the language, carried out on the target.

The operations are those of the standard library (``operator.add``, ``len``, …), not the target's special methods: so
what the language does beside calling them (reflected operands, types that do not match) it does here, too.
"""

from __future__ import annotations

import copy
import math
import operator
import os
from collections.abc import Callable
from typing import Any, ClassVar, Final

from poolproof.proxy.scopes import Nothing, Shared, Source
from poolproof.settings import DEFAULT, of_type

UNARY: Final[dict[str, Callable[..., Any]]] = {
    "str": str, "bytes": bytes, "format": format, "hash": hash, "bool": bool, "dir": dir, "len": len,
    "length_hint": operator.length_hint, "iter": iter, "next": next, "reversed": reversed, "int": int, "float": float,
    "complex": complex, "index": operator.index, "round": round, "trunc": math.trunc, "floor": math.floor,
    "ceil": math.ceil, "neg": operator.neg, "pos": operator.pos, "abs": abs, "invert": operator.invert,
    "contains": operator.contains, "getitem": operator.getitem, "setitem": operator.setitem,
    "delitem": operator.delitem, "fspath": os.fspath, "copy": copy.copy, "deepcopy": copy.deepcopy,
    "setattr": setattr, "delattr": delattr,
}  # fmt: skip
COMPARISONS: Final = ("lt", "le", "eq", "ne", "gt", "ge")
ARITHMETIC: Final = (
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor",
)  # fmt: skip
# Where the language has no function for it, the method of the target's class is called, as the language does.
METHODS: Final = ("enter", "exit", "aenter", "aexit", "await", "aiter", "anext", "sizeof", "buffer", "release_buffer")
# In every proxy itself.
OWN: Final = frozenset(("__reduce_ex__", "__reduce__", "__mro_entries__"))


class Proxy:
    """Stands for a target, and behaves as it does.

    The target is one object that everybody shares, or a resource of a pool that each thread or task gets for itself
    when it first uses the proxy, and that goes back when it ends (`set_pool`). It may be any object, None and falsy
    ones included. A proxy without target raises `ProxyUnset` when used.

    ``type(proxy)`` and C code that asks for an exact type see the proxy; `isinstance` and everything else see the
    target. A copy and a pickle are those of the target.

    Args:
        target: what to stand for; default: nothing yet.
        name: what messages call the proxy.
    """

    __slots__ = ("__weakref__", "_name", "_source")
    _own: ClassVar[frozenset[str]] = OWN

    def __init__(self, target: Any = DEFAULT, *, name: str = "proxy") -> None:
        of_type("name", name, str)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_source", Nothing(name) if target is DEFAULT else Shared(target))

    def __getattribute__(self, name: str) -> Any:
        if name in _own(self):
            return object.__getattribute__(self, name)
        dunder = name.startswith("__") and name.endswith("__")
        if dunder and isinstance(source_of(self), Nothing):  # whoever asks for these looks around, and uses nothing
            if name == "__class__":
                return type(self)
            raise AttributeError(f"{object.__repr__(self)} is unset, and has no {name}")
        return getattr(target(self), name)

    def __repr__(self) -> str:
        source = source_of(self)
        return f"<Proxy {source.name!r} unset>" if isinstance(source, Nothing) else repr(target(self))

    def __call__(self, *args: Any, **more: Any) -> Any:
        return target(self)(*args, **more)

    def __divmod__(self, other: Any) -> Any:
        return divmod(target(self), other)

    def __rdivmod__(self, other: Any) -> Any:
        return divmod(other, target(self))

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return pow(target(self), other, modulus)

    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        return pow(other, target(self), modulus)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, target(self))

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, target(self))

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[Any, ...]:
        base = target(self)
        entries = None if isinstance(base, type) else getattr(base, "__mro_entries__", None)
        return (base,) if entries is None else entries(bases)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return itself, (target(self),)


def _own(proxy: Proxy) -> frozenset[str]:
    return type(proxy)._own


def source_of(proxy: Proxy) -> Source:
    """What *proxy* stands for."""
    source: Source = object.__getattribute__(proxy, "_source")
    return source


def target(proxy: Proxy, timeout: Any = DEFAULT) -> Any:
    """The object that *proxy* is for the caller, acquired if need be."""
    source = source_of(proxy)
    holding = source.holding(timeout)
    return source.shared() if holding is None else holding.resource()


def itself(target: Any) -> Any:
    """What the pickle of a proxy is: its target."""
    return target


def _forward(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: function(target(self), *args)


def _reflect(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, target(self))


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any) -> Any:
        before = target(self)
        after = function(before, *args)
        return self if after is before else after  # a name that was bound to the proxy goes on to mean it

    return method


def _call(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any) -> Any:
        own = target(self)
        found = getattr(type(own), name, None)
        if found is None:
            raise TypeError(f"{type(own).__name__!r} object does not support {name}")
        return found(own, *args)

    return method


for _name, _function in UNARY.items():
    setattr(Proxy, f"__{_name}__", _forward(_function))
for _name in COMPARISONS:
    setattr(Proxy, f"__{_name}__", _forward(getattr(operator, f"__{_name}__")))
for _name in ARITHMETIC:
    _function = getattr(operator, f"__{_name}__")
    setattr(Proxy, f"__{_name}__", _forward(_function))
    setattr(Proxy, f"__r{_name}__", _reflect(_function))
for _name in (*ARITHMETIC, "pow"):
    setattr(Proxy, f"__i{_name}__", _in_place(getattr(operator, f"__i{_name}__")))
for _name in METHODS:
    setattr(Proxy, f"__{_name}__", _call(f"__{_name}__"))
