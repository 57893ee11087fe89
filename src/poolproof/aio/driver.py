"""The driver for tasks: `Driver`, where work may take its time.

Every step is proposed, committed and told as in threads, and by the same code: none of that waits. What differs is
how work is carried out (`dispatch`), who waits for it (`finish`), and who may commit at all (`bind`, `finalize`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from inspect import isawaitable
from threading import get_ident
from typing import Any, ParamSpec, TypeVar

from poolproof import core
from poolproof.aio.work import WORK, drop
from poolproof.core.values import Build, Destroy
from poolproof.driver import Driver
from poolproof.errors import WrongLoop
from poolproof.reports import PoolEvent
from poolproof.settings import Settings
from poolproof.work import Duty

T = TypeVar("T")
P = ParamSpec("P")
Task = asyncio.Task[None]


def _nothing() -> None:
    return None


class AsyncDriver(Driver):
    """A state that one event loop moves."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.on_bound: Callable[[], None] | None = None

    def start(self) -> None:
        super().start()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0  # where the loop was last seen; asking for the thread is quicker than asking for the loop
        self.tasks: dict[Task, Duty] = {}
        self.begun: list[Task] | None = None  # what the operation that runs at this moment has begun, and waits for
        self.opening: list[BaseException] | None = None
        self.untold_awaitables: list[Any] = []
        self.telling: Task | None = None
        self.outlived: set[int] = set()  # the leases of tasks that have ended, of which this was told

    # Whose loop it is.

    def bind(self) -> asyncio.AbstractEventLoop:
        """The loop of the caller, which is the pool's from its first use on [LOOP-OWN]."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongLoop(f"pool {self.settings.name!r} is used where no event loop runs [LOOP-OWN]") from None
        if self.loop is not loop:
            if self.loop is not None:
                raise WrongLoop(f"pool {self.settings.name!r} belongs to another event loop [LOOP-OWN]")
            self.loop = loop
            self.hear()
            if self.on_bound is not None:
                self.on_bound()
        self.thread = get_ident()
        return loop

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in the pool's loop, so that it may commit."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def finalize(self, action: Callable[[], object]) -> None:
        """Have it done by whoever may commit: at once if that is the caller, else soon, by the loop [LOOP-ONLY].

        A loop that is closed takes nothing more, and nothing is lost by that: its pool can grant nothing either.
        """
        if self.loop is None or self.is_here:
            self.do_here(action)
            if self.loop is not None and self.state.ledger.backlog:
                self.loop.call_soon(self.tend)
        elif not self.loop.is_closed():
            with contextlib.suppress(WrongLoop):  # closed this very moment
                self.soon(lambda: self.finalize(action))

    def do_here(self, action: Callable[[], object]) -> None:
        """Do it, and have the loop go on: it may be asleep, and this a signal handler."""
        action()
        if self.loop is not None and asyncio.current_task(self.loop) is None:
            self.loop.call_soon_threadsafe(_nothing)

    def __del__(self) -> None:
        if hasattr(self, "telling"):  # or else its making was interrupted
            self.last_of_all(super().__del__)

    def last_of_all(self, action: Callable[[], object]) -> None:
        """Do what is to be done when nobody can reach the pool any more, and so nobody else can commit."""
        if self.loop is None or self.loop.is_closed():
            action()
        else:
            self.finalize(action)

    def soon(self, action: Callable[[], object]) -> None:
        """Have the loop do it, from wherever.

        Raises:
            WrongLoop: the loop is closed [LOOP-OWN].
        """
        loop = self.loop
        try:
            if loop is not None:
                loop.call_soon_threadsafe(action)
        except RuntimeError:
            raise WrongLoop(f"the event loop of pool {self.settings.name!r} is closed [LOOP-OWN]") from None

    # Who does the work, and who waits for it.

    def dispatch(self, duty: Duty) -> None:
        """Carry out *duty*: here as far as there is nothing to wait for, and the rest in a task of its own."""
        outer = self.begun
        self.begun = [] if outer is None else outer
        work = WORK[type(duty.effect)](self, duty)
        try:
            work.send(None)
        except StopIteration:
            return
        finally:
            self.begun = outer
        if self.loop is None or self.loop.is_closed():
            work.close()
            if isinstance(duty.effect, Destroy):  # there is no other work where no loop is left
                self.settle(duty.slot, duty.record, core.destroyed)
            self.complain("a callback was not waited for: there is no event loop", WrongLoop("no event loop"))
            return
        task = self.loop.create_task(work, name=f"{type(duty.effect).__name__.lower()} of pool {self.settings.name!r}")
        self.tasks[task] = duty
        task.add_done_callback(self.tasks.pop)
        # Nobody but the acquire that asked for it waits for a build, and that does so in the queue.
        if self.begun is not None and not isinstance(duty.effect, Build):
            self.begun.append(task)

    async def finish(self, operation: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run *operation*, which does not wait, and then wait for the work that it began.

        Whoever is cancelled meanwhile stops waiting; the work goes on [CANCEL-SPARES].
        """
        outer, self.begun = self.begun, []
        try:
            result = operation(*arguments, **named)
        finally:
            mine, self.begun = self.begun, outer
        if outer is not None:  # this is the beginning of work itself: whoever began that waits for this as well
            outer += mine
        elif mine:
            await asyncio.wait(mine)
            for task in mine:
                task.result()
        return result

    def lost(self, error: BaseException) -> None:
        """A build failed that nobody waits for; while the pool is being opened, that is the opener's affair."""
        if self.opening is not None:
            self.opening.append(error)
        else:
            self.complain("create failed, and nobody waits for it any more", error)

    # The observer may be a coroutine function.

    def tell(self, observer: Callable[[PoolEvent], object], event: PoolEvent) -> None:
        """Tell the observer; what it returns to be waited for is waited for by a task of the pool, in order."""
        returned = observer(event)
        if isawaitable(returned):
            self.untold_awaitables.append(returned)
            self.hear()

    def hear(self) -> None:
        """Have it waited for, if nobody does yet."""
        if self.untold_awaitables and (self.telling is None or self.telling.done()) and self.loop is not None:
            if self.loop.is_closed():
                drop(self.untold_awaitables.pop())
            else:
                self.telling = self.loop.create_task(self.listen(), name=f"observer of pool {self.settings.name!r}")

    async def listen(self) -> None:
        while self.untold_awaitables:
            try:
                await self.untold_awaitables.pop(0)
            except Exception as error:
                self.complain("the observer raised", error)
