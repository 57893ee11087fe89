"""``ProxyPatternPool.Proxy``, on our own `poolproof.proxy`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, ClassVar

from poolproof import proxy as native
from poolproof.compat.proxypatternpool.errors import ProxyException
from poolproof.compat.proxypatternpool.hooks import log
from poolproof.compat.proxypatternpool.pool import Pool
from poolproof.compat.returning import Out
from poolproof.proxy.forwarding import OWN
from poolproof.proxy.scopes import ContextScope, Leased, ThreadScope
from poolproof.proxy.steering import replace_source, scope_for
from poolproof.settings import DEFAULT


class ProxyScope(Enum):
    """Who shares an object."""

    AUTO = 0
    SHARED = 1
    THREAD = 2
    VERSATILE = 3
    WERKZEUG = 3  # noqa: PIE796  # the same by another name
    GEVENT = 4
    EVENTLET = 5


class _Taken:
    """An object out of the pool, as a scope keeps it."""

    def __init__(self, pool: Pool, out: Out, ret_at_end: bool) -> None:
        self._pool, self._out, self._ret_at_end = pool, out, ret_at_end

    @property
    def resource(self) -> Any:
        return self._out.lease.resource.resource

    @property
    def held(self) -> bool:
        return self._out.lease.held

    def release(self) -> None:
        """The thread has ended."""
        if self._ret_at_end:
            self.__exit__()

    def __exit__(self, *_: object) -> None:
        if self._pool._life.out.claim(self._out):
            self._pool._give(self._out)


class _Own:
    """An object that a thread made for itself, and keeps."""

    held = True

    def __init__(self, resource: Any) -> None:
        self.resource = resource

    def release(self) -> None:
        """It goes with its thread."""

    def __exit__(self, *_: object) -> None:
        """It is kept."""


class _Local:
    """What is there for the caller: ``obj``, or no such attribute."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @property
    def obj(self) -> Any:
        if not native.holds(self._proxy):
            raise AttributeError("obj")
        return native.target_of(self._proxy)


class Proxy(native.Proxy):
    """Stands for an object, or for one that ``fun`` makes for each thread, greenlet or task.

    The parameters are those of ProxyPatternPool 11.6.

    Args:
        ret_at_end: whether a thread's object goes back to the pool when the thread ends. (That of a task or greenlet
            always does.)
    """

    __slots__ = ("_auto", "_fun", "_made", "_options", "_pool", "_scope", "_setters", "_size")
    _own: ClassVar[frozenset[str]] = OWN | {
        "_set", "_set_obj", "_set_fun", "_set_pool", "_get_obj", "_ret_obj", "_has_obj", "_obj", "_local", "_nobjs",
        "_auto", "_fun", "_made", "_options", "_pool", "_scope", "_setters", "_size",
    }  # fmt: skip
    Scope = ProxyScope

    def __init__(
        self,
        obj: Any = None,
        fun: Callable[[int], Any] | None = None,
        set_name: str = "set",
        scope: ProxyScope = ProxyScope.AUTO,
        log_level: int | None = None,
        max_size: int | None = 0,
        *,
        ret_at_end: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=set_name or "proxy")
        if log_level is not None:
            log.setLevel(log_level)
        names = {} if set_name in ("", "_set") else {set_name + end: "_set" + end for end in ("", "_obj", "_fun")}
        self._note(
            _scope=scope, _size=max_size, _options=kwargs, _auto=ret_at_end, _setters=names, _pool=None, _fun=None
        )
        self._note(_made=[])
        self._set(obj, fun, mandatory=False)

    def _note(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        if name == "_note":
            return object.__getattribute__(self, name)
        setter = object.__getattribute__(self, "_setters").get(name)
        return super().__getattribute__(setter or name)

    def _set(self, obj: Any = None, fun: Callable[[int], Any] | None = None, mandatory: bool = True) -> Proxy | None:
        """Stand for *obj*, or for what *fun* makes."""
        if obj is not None and fun is not None:
            raise ProxyException("Proxy cannot set both obj and fun")
        if obj is None and fun is None:
            if mandatory:
                raise ProxyException("Proxy must set either obj or fun")
            return None
        return self._set_fun(fun) if fun is not None else self._set_obj(obj)

    def _set_obj(self, obj: Any) -> Proxy:
        """Stand for one object, whatever it is."""
        self._note(_scope=ProxyScope.SHARED, _fun=None, _pool=None)
        native.set_target(self, obj)
        return self

    def _set_fun(self, fun: Callable[[int], Any]) -> Proxy:
        """Stand for what *fun* makes for each caller; by way of a pool, unless max_size is None."""
        if self._scope == ProxyScope.SHARED:
            raise ProxyException("a shared proxy stands for an object, not for a function")
        scope = ProxyScope.THREAD if self._scope == ProxyScope.AUTO else self._scope
        pool = None if self._size is None else Pool(fun, max_size=self._size, **self._options)
        self._note(_scope=scope, _fun=fun, _pool=pool, _made=[])
        always = scope != ProxyScope.THREAD
        acquire: Callable[[Any], Any]
        if pool is None:
            numbers, made = itertools.count(), self._made
            acquire = lambda _: _Own(_numbered(fun, numbers, made))  # noqa: E731
        else:
            auto = self._auto or always
            acquire = lambda asked: _Taken(pool, pool._take(None if asked is DEFAULT else asked), auto)  # noqa: E731
        kept = scope_for(self, ContextScope if always else ThreadScope)
        replace_source(self, Leased(acquire, (lambda: None) if pool is None else pool.retire, kept))
        return self

    def _set_pool(self, **kwargs: Any) -> None:
        """Other parameters for the pool that is to come."""
        if self._pool is not None:
            raise ProxyException("cannot override pool parameters once initialized")
        if "max_size" in kwargs:
            self._note(_size=kwargs.pop("max_size"))
        self._note(_options={**self._options, **kwargs})

    def _get_obj(self, timeout: float | None = None) -> Any:
        """The caller's object, taken from the pool if need be."""
        return native.target_of(self, DEFAULT if timeout is None else timeout)

    def _has_obj(self) -> bool:
        """Whether the caller has an object already."""
        return native.holds(self)

    def _ret_obj(self) -> None:
        """Give the caller's object back to the pool, if there is one."""
        if self._pool is not None:
            native.release(self)

    def _obj(self, timeout: float | None = None) -> AbstractContextManager[Any]:
        """The caller's object for a ``with`` block, the outermost of which gives it back."""
        return native.use(self, DEFAULT if timeout is None else timeout)

    @property
    def _local(self) -> _Local:
        return _Local(self)

    @property
    def _nobjs(self) -> int:
        if self._pool is not None:
            return int(self._pool._nobjs)
        return 1 if self._scope == ProxyScope.SHARED else len(self._made)


def _numbered(fun: Callable[[int], Any], numbers: Iterator[int], made: list[int]) -> Any:
    """What *fun* makes, by the next number; *made* are the numbers of what it made before."""
    number = next(numbers)
    resource = fun(number)
    made.append(number)
    return resource
