"""One run: a pool on a scheduled loop, the tasks that use it, resources with a memory, and the verdict in the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from poolproof import PoolError
from poolproof.aio import AsyncPool
from poolproof.conformance.aio.loop import ScheduledLoop
from poolproof.core.world import broken
from poolproof.replay import replay
from poolproof.replay.recorder import is_refusal
from poolproof.reports import PoolEvent
from poolproof.runtime.aio import AsyncRuntime


class Fault(Exception):
    """What a callback raises that is told to fail."""


@dataclass(frozen=True)
class Setting:
    """A kind of pool. ``slow`` callbacks have to be waited for; ``faults`` is how many calls of each fail at first."""

    max_size: int = 1
    given: int = 0
    slow: frozenset[str] = frozenset(("create", "destroy"))
    faults: dict[str, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def callbacks(self) -> set[str]:
        return {"create", "destroy"} | {each for each in ("check", "reset") if each in self.slow | set(self.faults)}


SETTINGS: Final[dict[str, Setting]] = {
    "one given": Setting(given=1),
    "one built": Setting(),
    "plain callbacks": Setting(slow=frozenset(), faults={"check": 0, "reset": 0}),
    "reset": Setting(slow=frozenset(("create", "reset", "destroy"))),
    "check": Setting(slow=frozenset(("create", "check", "destroy"))),
    "create fails": Setting(faults={"create": 1}),
    "reset fails": Setting(given=1, slow=frozenset(("reset", "destroy")), faults={"reset": 1}),
    "check fails": Setting(given=1, slow=frozenset(("check", "destroy")), faults={"check": 1}),
    "destroy fails": Setting(given=1, faults={"destroy": 1}),
    "two built": Setting(max_size=2),
    "two slots": Setting(max_size=2, given=1),
    "kept at one": Setting(options={"min_size": 1}),
}


class Thing:
    """A resource that counts what happens to it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.holders = self.destroyed = 0


class Stage:
    """A pool, its loop, its things, and what was found wrong."""

    def __init__(self, setting: Setting, loop: ScheduledLoop | None = None) -> None:
        self.loop = ScheduledLoop() if loop is None else loop
        self.setting = setting
        self.things = [Thing(-number) for number in range(1, setting.given + 1)]
        self.given = len(self.things)
        self.faults = dict(setting.faults)
        self.events: list[PoolEvent] = []
        self.findings: list[str] = []
        self.detached: list[Thing] = []
        self.forgotten = 0  # leases that a program forgets on purpose
        self.tasks: list[asyncio.Task[Any]] = []
        self.cancelled: set[asyncio.Task[Any]] = set()
        chosen: dict[str, Any] = {name: self.callback(name) for name in setting.callbacks}
        self.pool: AsyncPool[Thing] = AsyncPool(
            resources=list(self.things), max_size=setting.max_size, observer=self.events.append, name="db",
            runtime=AsyncRuntime(self.loop.time), **chosen, **setting.options,
        )  # fmt: skip

    # Callbacks.

    def callback(self, name: str) -> Callable[..., Any]:
        work: Callable[..., Any] = getattr(self, name)

        async def slowly(*arguments: Any) -> Any:
            await asyncio.sleep(0)
            result = work(*arguments)
            await asyncio.sleep(0)
            return result

        return slowly if name in self.setting.slow else work

    def may_fail(self, name: str) -> None:
        if self.faults.get(name, 0) > 0:
            self.faults[name] -= 1
            raise Fault(name)

    def create(self) -> Thing:
        self.may_fail("create")
        self.things.append(Thing(len(self.things) + 1))
        there = sum(not thing.destroyed and thing not in self.detached for thing in self.things)
        if there > max(event.limit for event in self.events):
            self.findings.append(f"CAPACITY-UNTIL-DESTROYED: {there} things exist")
        return self.things[-1]

    def destroy(self, thing: Thing) -> None:
        thing.destroyed += 1
        if thing.holders and not self.forced:
            self.findings.append(f"EXCLUSIVE: thing {thing.number} is destroyed while somebody holds it")
        self.may_fail("destroy")

    def check(self, thing: Thing) -> bool:
        try:
            self.may_fail("check")
        except Fault:
            return False
        return True

    def reset(self, thing: Thing) -> None:
        if thing.holders:
            self.findings.append(f"EXCLUSIVE: thing {thing.number} is reset while somebody holds it")
        self.may_fail("reset")

    forced = False

    def hold(self, thing: Thing) -> None:
        thing.holders += 1
        if thing.holders > 1 or thing.destroyed:
            self.findings.append(f"EXCLUSIVE: thing {thing.number} is lent {thing.holders} times")

    def let_go(self, thing: Thing) -> None:
        thing.holders -= 1

    # Tasks.

    def begin(self, program: Callable[[Stage], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[Any]:
        task = self.loop.create_task(program(self), name=name)
        self.tasks.append(task)
        return task

    def cancel(self, task: asyncio.Task[Any]) -> None:
        if task.cancel():
            self.cancelled.add(task)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, no lease may be lost but those that are forgotten on purpose."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
            self.judge()
        lost = [str(each.message) for each in caught if "LEASE-ABANDONED" in str(each.message)]
        if len(lost) > self.forgotten:
            self.findings.append(f"LEASE-ABANDONED: a lease was lost: {lost[0]}")
        self.findings += [str(each.message) for each in caught if "never awaited" in str(each.message)]

    def judge(self) -> list[str]:
        """What is wrong now that nothing can run: then the pool is closed, and everything must have ended."""
        if self.pool.stats().limit == 0 and self.pool.stats().phase == "open":  # then the spec lets them wait
            self.loop.create_task(self.pool.resize(1))
            self.loop.settle()
        for task in self.tasks:
            self.judge_task(task)
        self.tasks.clear()
        self.cancelled.clear()
        gc_free(self.loop)
        driver, stats = self.pool._driver, self.pool.stats()
        if driver.tasks or stats.creating or stats.returning > stats.backlog or stats.discarded > stats.backlog:
            self.findings.append(f"DUTY-OWNED: work is left and nobody does it: {self.pool}")
        elif clauses := broken(driver.world(), driver.options):
            self.findings.append(f"{', '.join(clauses)}: {self.pool}")
        if stats.checked_out or stats.waiting:
            self.findings.append(f"CONSERVATION: nobody holds or waits for anything: {self.pool}")
        self.judge_end()
        trace = tuple(sorted(self.events, key=lambda event: (event.version, is_refusal(event))))
        if trace not in _JUDGED:
            wrong = [f"{found.clause}: version {found.version}: {found.what}" for found in replay(trace).findings]
            self.findings += wrong
            if not wrong:
                _JUDGED.add(trace)
        for error in self.loop.errors:
            self.findings.append(f"unhandled: {error.get('message')} {error.get('exception')!r}")
        return self.findings

    def judge_task(self, task: asyncio.Task[Any]) -> None:
        """A task ends; one that was cancelled ends cancelled; errors are those of the pool or of create."""
        if not task.done():
            self.findings.append(f"WAIT-ENDS: {task.get_name()} sleeps on, and nothing can wake it: {self.pool}")
            task.cancel()
            self.loop.settle()
        elif task in self.cancelled:
            if not task.cancelled():
                self.findings.append(f"CANCELLATION-SURVIVES: {task.get_name()} was cancelled, and ended otherwise")
        elif task.cancelled():
            self.findings.append(f"CANCELLATION-SURVIVES: {task.get_name()} ends cancelled, and nobody cancelled it")
        elif (error := task.exception()) is not None and not isinstance(error, PoolError | Fault):
            self.findings.append(f"ERRORS-UNCHANGED: {task.get_name()} ended with {error!r}")

    def judge_end(self) -> None:
        """Everything live can be had; after close nothing is left, and each thing was destroyed once."""
        before = self.pool.stats()
        closing = self.loop.create_task(self.last_look(), name="last look")
        self.loop.settle()
        if not closing.done():
            self.findings.append(f"CLOSE-TERMINATES: close hangs: {self.pool}")
            return
        report = closing.result()
        if not report.closed:
            self.findings.append(f"CLOSE-TERMINATES: nobody holds anything, and the pool is {self.pool}; was {before}")
        for thing in self.things:
            if thing.destroyed + (thing in self.detached) != 1:
                self.findings.append(f"DESTROY-ONCE: thing {thing.number} was destroyed {thing.destroyed} times")

    async def last_look(self) -> Any:
        pool = self.pool
        self.faults.clear()  # from here on nothing fails
        if pool.stats().phase == "open":
            await pool.maintain()
            for _ in range(50):  # what maintenance began to build takes a few steps
                if pool.stats().creating:
                    await pause()
            leases = []
            for _ in range(pool.stats().live):
                try:
                    leases.append(await pool.acquire(0))
                except PoolError as error:
                    self.findings.append(f"CONSERVATION: a live slot cannot be had: {error}")
            for lease in leases:
                await lease.release()
        return await pool.close(grace=5)


_JUDGED: set[tuple[PoolEvent, ...]] = set()


def gc_free(loop: ScheduledLoop) -> None:
    """Let go of what only a cycle or a traceback keeps, and let the loop see it."""
    loop.settle()
    if gc.get_count()[0] > 5_000:
        gc.collect()
    loop.settle()


async def pause() -> None:
    await asyncio.sleep(0)


async def use(stage: Stage) -> None:
    async with stage.pool.acquire() as thing:
        stage.hold(thing)
        try:
            await pause()
        finally:
            stage.let_go(thing)


async def hurry(stage: Stage) -> None:
    async with stage.pool.acquire(timeout=1) as thing:
        stage.hold(thing)
        stage.let_go(thing)


async def attempt(stage: Stage) -> None:
    lease = await stage.pool.try_acquire()
    if lease is not None:
        stage.hold(lease.resource)
        stage.let_go(lease.resource)
        await lease.release()


async def discard(stage: Stage) -> None:
    lease = await stage.pool.acquire()
    stage.hold(lease.resource)
    stage.let_go(lease.resource)
    await lease.discard()


async def detach(stage: Stage) -> None:
    lease = await stage.pool.acquire()
    stage.detached.append(lease.resource)  # before, because the next one may be built within
    try:
        await lease.detach()
    except PoolError:
        stage.detached.pop()
        raise


async def forget(stage: Stage) -> None:
    lease = await stage.pool.acquire()
    stage.forgotten += 1
    del lease
    await pause()


async def own_reset(stage: Stage) -> None:
    async with stage.pool.acquire(reset=stage.callback("reset")) as thing:
        stage.hold(thing)
        stage.let_go(thing)


async def soon(stage: Stage) -> None:
    lease = await stage.pool.acquire()
    stage.loop.call_soon(lease.release_soon)
    await pause()


async def add(stage: Stage) -> None:
    thing = Thing(len(stage.things) + 1)
    try:
        await stage.pool.add(thing)
    finally:
        if any(slot.resource is thing for slot in stage.pool._driver.registry.all()) or thing.destroyed:
            stage.things.append(thing)


async def grow(stage: Stage) -> None:
    await stage.pool.resize(2)


async def shrink(stage: Stage) -> None:
    await stage.pool.resize(stage.setting.options.get("min_size", 0))
    await stage.pool.resize(1)


async def renew(stage: Stage) -> None:
    await stage.pool.expire_all()


async def maintain(stage: Stage) -> None:
    await stage.pool.maintain()


async def close(stage: Stage) -> None:
    await stage.pool.close(grace=1)


async def force(stage: Stage) -> None:
    stage.forced = True
    await stage.pool.close(force=True)


OPERATIONS: Final[dict[str, Callable[[Stage], Coroutine[Any, Any, None]]]] = {
    each.__name__: each
    for each in (
        use, hurry, attempt, discard, detach, forget, own_reset, soon, add, grow, shrink, renew, maintain, close, force,
    )
}  # fmt: skip
