"""An event loop that runs one handle at a time, the one it is told to, on a clock that stands still meanwhile."""

from __future__ import annotations

import asyncio
import contextvars
from asyncio import events
from collections.abc import Callable
from typing import Any


class ScheduledLoop:
    """Handles that are ready, and timers; nothing runs until `step` or `ring` is called.

    ``errors`` keeps what would have been reported as unhandled.
    """

    def __init__(self) -> None:
        self.ready: list[asyncio.Handle] = []
        self.timers: list[asyncio.TimerHandle] = []
        self.errors: list[dict[str, Any]] = []
        self.now = 1000.0
        self.steps = 0
        self.factory: Callable[..., asyncio.Task[Any]] | None = None
        self._closed = False

    @property
    def itself(self) -> Any:
        """This loop, for those who ask for a whole one."""
        return self

    # What the scheduler does.

    def alive(self) -> list[asyncio.Handle]:
        """The handles that may be next, in the order in which an ordinary loop would run them."""
        self.ready = [each for each in self.ready if not each.cancelled()]
        return self.ready

    def step(self, place: int = 0) -> None:
        """Run the handle that stands at this place of the ready queue."""
        handle = self.alive().pop(place)
        self.steps += 1
        events._set_running_loop(self.itself)
        try:
            handle._run()
        finally:
            events._set_running_loop(None)

    def ring(self) -> None:
        """Let time pass until the next timer is due."""
        timer = min(self.timers, key=asyncio.TimerHandle.when)
        self.timers.remove(timer)
        self.now = max(self.now, timer.when())
        self.ready.append(timer)

    def settle(self, most: int = 10_000) -> None:
        """Run whatever can run, in order, timers last."""
        for _ in range(most):
            if self.alive():
                self.step()
            elif self.timers:
                self.ring()
            else:
                return
        raise AssertionError(f"still not at rest after {most} steps")

    # What tasks and futures ask of a loop.

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = asyncio.Handle(callback, args, self.itself, context)
        self.ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self.itself, context)
        self.timers.append(timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle in self.timers:
            self.timers.remove(handle)

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.itself)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None, **more: Any) -> asyncio.Task[Any]:
        if self.factory is None:
            return asyncio.Task(coro, loop=self.itself, name=name, context=context)
        task = self.factory(self, coro, context=context)
        task.set_name(name)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self.itself

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
