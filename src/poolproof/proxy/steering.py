"""The operations on proxies. They are functions, so that no name of a proxy hides a name of its target."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, TypeVar

from poolproof.pool import Pool
from poolproof.proxy.forwarding import Proxy, source_of, target
from poolproof.proxy.scopes import (
    SCOPES,
    ContextScope,
    Holding,
    Leased,
    Nothing,
    Shared,
    Source,
    ThreadScope,
)
from poolproof.settings import DEFAULT, of_type, one_of

R = TypeVar("R")


def set_target(proxy: Proxy, target: Any) -> None:
    """Have *proxy* stand for one object, for everybody. A pool that it stood for is closed, see `set_pool`."""
    replace_source(proxy, Shared(target))


def unset(proxy: Proxy) -> None:
    """Have *proxy* stand for nothing. A pool that it stood for is closed, see `set_pool`."""
    replace_source(proxy, Nothing(object.__getattribute__(proxy, "_name")))


def set_pool(
    proxy: Proxy, pool: Pool[Any], *, scope: str = "thread", timeout: float | None = DEFAULT, closes: bool = True
) -> None:
    """Have *proxy* stand for a resource of *pool*, for each thread or task another one.

    A resource is acquired when the proxy is first used there. It is kept until `release`, the end of the outermost
    block of `use`, or the end of the thread or task.

    Args:
        proxy: the proxy.
        pool: the pool.
        scope: "thread"; or "context", where each asyncio task and each greenlet is on its own, too.
        timeout: how many seconds a use may wait for a resource; default: the pool's.
        closes: whether the pool is closed once *proxy* stands for something else. What is held then is kept until
            its holder is done, and destroyed.
    """
    one_of("scope", scope, SCOPES)
    of_type("pool", pool, Pool)
    replace_source(
        proxy,
        Leased(
            lambda asked: pool.acquire(timeout if asked is DEFAULT else asked),
            pool.close if closes else lambda: None,
            scope_for(proxy, ThreadScope if scope == "thread" else ContextScope),
        ),
    )


def scope_for(proxy: Proxy, kind: type[ThreadScope | ContextScope]) -> ThreadScope | ContextScope:
    """Where holdings are kept: in the old place if it is of this kind, so that old ones are found and ended."""
    before = source_of(proxy)
    return before.scope if isinstance(before, Leased) and isinstance(before.scope, kind) else kind()


def replace_source(proxy: Proxy, source: Source) -> None:
    """Have *proxy* stand for *source*, and close what it stood for."""
    before = source_of(proxy)
    object.__setattr__(proxy, "_source", source)
    before.close()


def target_of(proxy: Proxy, timeout: float | None = DEFAULT) -> Any:
    """The object itself that *proxy* is for the caller, acquired if need be.

    Raises:
        ProxyUnset: it is unset.
        Anything else came from the pool.
    """
    return target(proxy, timeout)


def holds(proxy: Proxy) -> bool:
    """Whether *proxy* is an object for the caller already, without acquiring one."""
    source = source_of(proxy)
    if isinstance(source, Leased):
        holding = source.scope.holding
        return holding is not None and holding.lease.held
    return not isinstance(source, Nothing)


def release(proxy: Proxy) -> None:
    """Give the caller's resource back to the pool, unless it is in a block of `use`. The next use acquires again."""
    source = source_of(proxy)
    holding = source.scope.holding if isinstance(source, Leased) else None
    if holding is not None and isinstance(source, Leased) and not holding.blocks:
        source.release(holding)


class use(Generic[R]):  # noqa: N801  # it reads as a verb: with use(db) as connection
    """A ``with`` block that has the proxy's resource, and gives it back at the end.

    Blocks nest: all have the same resource, and the outermost gives it back. If the block is left by an exception
    that the pool's ``discard_on`` names, the resource is discarded.

    Args:
        proxy: the proxy.
        timeout: how many seconds to wait for a resource; default: as `set_pool` said.
    """

    __slots__ = ("_blocks", "_proxy", "_timeout")

    def __init__(self, proxy: Proxy, timeout: float | None = DEFAULT) -> None:
        self._proxy = proxy
        self._timeout = timeout
        self._blocks: list[tuple[Source, Holding | None]] = []

    def __enter__(self) -> Any:
        source = source_of(self._proxy)
        holding = source.holding(self._timeout)
        if holding is None:
            self._blocks.append((source, None))
            return source.shared()
        resource = holding.resource()
        self._blocks.append((source, holding))
        holding.blocks += 1
        return resource

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        source, holding = self._blocks.pop()
        if holding is None or not isinstance(source, Leased):
            return
        holding.blocks -= 1
        if not holding.blocks:
            if source.scope.holding is holding:
                source.scope.holding = None
            holding.end(kind, error, trace)
