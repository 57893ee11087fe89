"""The adapter of `AsyncPool` for the conformance suite.

    python -m poolproof conform poolproof.conformance.aio.adapter:make_pool

The suite's clients are threads, so they come over the bridge, and its callbacks may block, so each is awaited in a
thread. One event loop, in a thread of this module, serves all pools.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import cache, partial
from typing import Any, ClassVar

from poolproof import AcquireTimeout, AsyncPool, PoolClosed, StaleLease
from poolproof.aio import PoolOfTasks
from poolproof.conformance.suite.adapter import Adapter, PoolSpec


@cache
def loop_beside() -> asyncio.AbstractEventLoop:
    """An event loop that runs for as long as this process does."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=run, args=(loop,), name="event loop", daemon=True).start()
    return loop


def run(loop: asyncio.AbstractEventLoop) -> None:
    """Run it for ever: a loop of asyncio stops when a task raises one of these, and tells whoever runs it."""
    while True:
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            loop.run_forever()


def awaited(function: Callable[..., Any] | None) -> Callable[..., Coroutine[Any, Any, Any]] | None:
    """The same, to be awaited while a thread does it."""
    if not callable(function):
        return function

    def outcome(*arguments: Any) -> tuple[Any, BaseException | None]:
        try:
            return function(*arguments), None
        except BaseException as error:  # itself: on its way between threads asyncio may make another of it
            return None, error

    async def called(*arguments: Any) -> Any:
        result, error = await asyncio.to_thread(outcome, *arguments)
        if error is not None:
            raise error
        return result

    return called


class OwnAsync(Adapter):
    """`poolproof.AsyncPool`, from threads."""

    timeout_error = AcquireTimeout
    closed_error = PoolClosed
    misuse_error = StaleLease
    lacks: ClassVar[dict[str, str]] = {
        "gc": "a finalizer cannot wait for the loop; it calls release_soon, which waits for nothing",
        "signals": "a signal handler cannot wait for the loop; it calls release_soon, which waits for nothing",
        "fork": "the thread of the loop is not in the child",
        "reentrant-callbacks": "callbacks await; those of the suite would wait in a thread of the loop's executor",
        "exit": "the loop and its executor are this adapter's",
        "bounded-threads": "the threads are this adapter's",
    }

    def __init__(self, spec: PoolSpec) -> None:
        self.pool: AsyncPool[Any] = AsyncPool(
            awaited(spec.create), resources=spec.resources, destroy=awaited(spec.destroy), check=awaited(spec.check),
            reset=awaited(spec.reset), max_size=spec.max_size, min_size=spec.min_size or 0, max_uses=spec.max_uses,
            max_age=spec.max_age, max_waiting=spec.max_waiting, order=spec.order or "lifo",
        )  # fmt: skip
        self.bridge = PoolOfTasks(self.pool, loop_beside())
        if spec.min_size:
            self.bridge.call(self.pool.open)
        for name in ("add", "remove", "resize", "close", "expire_all", "maintain"):
            setattr(self, name, partial(self.carry_over, getattr(self.pool, name)))

    def carry_over(self, method: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
        return self.bridge.call(partial(method, *arguments))

    def acquire(self, timeout: float | None) -> Any:
        return self.bridge.acquire(timeout)

    def release(self, lease: Any) -> None:
        lease.release()

    def resource(self, lease: Any) -> Any:
        return lease.resource

    def discard(self, lease: Any) -> None:
        lease.discard()

    def detach(self, lease: Any) -> Any:
        return lease.detach()

    def stats(self) -> dict[str, Any]:
        stats = self.pool.stats()
        return {name: getattr(stats, name) for name in ("live", "free", "checked_out", "waiting")}


make_pool = OwnAsync
