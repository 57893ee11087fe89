"""A task is cancelled before every one of its steps, in every operation and callback, and what is left is counted.

The count is `Stage.judge`: the task ends cancelled, nobody sleeps on, no work is left undone, every live slot can be
had, the pool closes, each thing was destroyed once, and the trace replays through the model. Time is virtual.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from poolproof import PoolError
from poolproof.conformance.aio import OPERATIONS, SETTINGS, ScheduledLoop, Stage
from poolproof.conformance.aio.stage import Fault, use

pytestmark = pytest.mark.filterwarnings("ignore:.*collected without having been ended")
Program = Callable[[Stage], Coroutine[Any, Any, None]]
LONG = 1e6


async def plainly(program: Program, stage: Stage) -> None:
    await program(stage)


async def in_timeout(program: Program, stage: Stage) -> None:
    async with asyncio.timeout(LONG):
        await program(stage)


async def in_wait_for(program: Program, stage: Stage) -> None:
    await asyncio.wait_for(program(stage), LONG)


async def in_group(program: Program, stage: Stage) -> None:
    async def member() -> None:
        with contextlib.suppress(PoolError, Fault):  # of which a group makes errors of its own
            await program(stage)

    async with asyncio.TaskGroup() as group:
        group.create_task(member())


WRAPPERS = {each.__name__: each for each in (plainly, in_timeout, in_wait_for, in_group)}
EAGER = ["eager"] if sys.version_info >= (3, 12) else []


def staged(setting: str, eager: bool = False) -> Stage:
    loop = ScheduledLoop()
    if eager:
        loop.factory = asyncio.eager_task_factory  # type: ignore[attr-defined,unused-ignore]
    return Stage(SETTINGS[setting], loop)


def cancelled_after(steps: int, operation: str, setting: str, wrapper: str, crowded: bool) -> tuple[Stage, bool]:
    """One run in which the operation's task is cancelled after so many steps of the loop; whether it was in time."""
    stage = staged(setting, wrapper == "eager")
    wrap = WRAPPERS.get(wrapper, plainly)
    with stage.watched():
        return stage, play(stage, steps, operation, wrapper, wrap, crowded)


def play(stage: Stage, steps: int, operation: str, wrapper: str, wrap: Any, crowded: bool) -> bool:
    if crowded:
        stage.begin(use, "holder")
    before = stage.loop.steps
    token = _enter(stage.loop)
    try:
        task = stage.begin(lambda stage: wrap(OPERATIONS[operation], stage), operation)
    finally:
        token()
    while stage.loop.steps - before < steps and stage.loop.alive():
        stage.loop.step()
    in_time = not task.done()
    if in_time:
        stage.cancel(task)
    stage.loop.settle()
    if wrapper == "in_wait_for" and sys.version_info < (3, 12):
        stage.cancelled.clear()  # asyncio's own wait_for swallows a cancellation there that meets a result
        stage.tasks.remove(task)
        with contextlib.suppress(asyncio.CancelledError, PoolError, Fault):
            task.result()
    return in_time


def _enter(loop: ScheduledLoop) -> Callable[[], None]:
    """An eager task runs where it is made, so that has to be inside of the loop."""
    asyncio.events._set_running_loop(loop.itself)
    return lambda: asyncio.events._set_running_loop(None)


def points(operation: str, wrapper: str) -> Iterator[tuple[Stage, str]]:
    for setting in SETTINGS:
        for crowded in (False, True):
            for steps in range(200):
                stage, in_time = cancelled_after(steps, operation, setting, wrapper, crowded)
                yield stage, f"{operation} {wrapper}, {setting}, {'crowded' if crowded else 'alone'}, step {steps}"
                if not in_time:
                    break


@pytest.mark.clause("CANCELLATION-SURVIVES", "CONSERVATION", "GRANT-STANDS", "DESTROY-ONCE", "CANCEL-SPARES")
@pytest.mark.parametrize("wrapper", [*WRAPPERS, *EAGER])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_cancelled_before_any_step_leaves_no_trace(
    operation: str, wrapper: str, record_property: Callable[[str, object], None]
) -> None:
    tried = 0
    for stage, where in points(operation, wrapper):
        assert stage.findings == [], where
        tried += 1
    assert tried >= 2 * len(SETTINGS)
    record_property("points", tried)


@pytest.mark.clause("CANCELLATION-SURVIVES")
@pytest.mark.parametrize("setting", SETTINGS)
def test_timeout_that_expires_at_any_step_leaves_no_cancellation_behind(setting: str) -> None:
    counts = []

    async def bounded(stage: Stage) -> None:
        async with asyncio.timeout(None) as bound:
            bounds.append(bound)
            await use(stage)
        counts.append(asyncio.current_task().cancelling())  # type: ignore[union-attr]

    async def whole(stage: Stage) -> None:
        try:
            await bounded(stage)
        except TimeoutError:
            counts.append(asyncio.current_task().cancelling())  # type: ignore[union-attr]

    for steps in range(1, 60):
        stage, bounds = staged(setting), list[asyncio.Timeout]()
        stage.begin(use, "holder")
        task = stage.begin(whole, "bounded")
        while stage.loop.steps < steps and stage.loop.alive():
            stage.loop.step()
        if task.done():
            break
        if bounds:
            leave = _enter(stage.loop)
            bounds[0].reschedule(stage.loop.time())
            leave()
        stage.loop.settle()
        assert [] == stage.judge(), f"step {steps}"
    assert {0} == set(counts)
    assert len(counts) > 3


@pytest.mark.clause("CANCELLATION-SURVIVES", "CONSERVATION")
@pytest.mark.parametrize("setting", SETTINGS)
def test_sibling_of_a_task_group_that_fails_at_any_step(setting: str) -> None:
    tried = 0
    for steps in range(60):
        stage = staged(setting)
        alarm: asyncio.Future[None] = stage.loop.create_future()

        async def fails(alarm: asyncio.Future[None] = alarm) -> None:
            await alarm
            raise LookupError

        async def whole(stage: Stage, fails: Any = fails) -> None:
            with contextlib.suppress(ExceptionGroup):
                async with asyncio.TaskGroup() as group:
                    group.create_task(use(stage))
                    group.create_task(fails())
                pytest.fail("the group did not fail")

        stage.begin(use, "holder")
        stage.begin(whole, "group")
        while stage.loop.steps < steps and stage.loop.alive():
            stage.loop.step()
        alarm.set_result(None)
        stage.loop.settle()
        assert [] == stage.judge(), f"step {steps}"
        tried += 1
    assert 60 == tried


@pytest.mark.clause("CANCELLATION-SURVIVES", "CONSERVATION")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, GeneratorExit])
def test_what_is_thrown_in_at_any_await_comes_out(operation: str, error: type[BaseException]) -> None:
    tried = 0
    for setting in SETTINGS:
        for number in range(30):
            stage = staged(setting)
            stage.begin(use, "holder")
            came_so_far = thrown_in(stage, OPERATIONS[operation], number, error)
            stage.loop.settle()
            if not came_so_far:
                break
            assert [] == stage.judge(), f"{setting}, await {number}"
            tried += 1
    assert tried or operation in ("add", "grow")  # which wait for nothing


def thrown_in(stage: Stage, program: Program, number: int, error: type[BaseException]) -> bool:
    """Drive a coroutine by hand, without a task, and throw at its await of this number; whether it came so far."""
    coroutine = program(stage)
    for _ in range(number + 1):
        try:
            in_loop(stage, lambda: coroutine.send(None))
        except StopIteration:
            return False
        except (PoolError, Fault):
            return False
    if error is GeneratorExit:
        in_loop(stage, coroutine.close)
        return True
    try:
        in_loop(stage, lambda: coroutine.throw(error()))
        while True:
            in_loop(stage, lambda: coroutine.send(None))
    except StopIteration:
        pytest.fail(f"{error.__name__} was swallowed")
    except error:
        return True


def in_loop(stage: Stage, resume: Callable[[], Any]) -> None:
    """Resume a coroutine inside of the loop, and let the loop run until what it waits for is there."""
    leave = _enter(stage.loop)
    try:
        waited = resume()
    finally:
        leave()
    while waited is not None and not waited.done() and (stage.loop.alive() or stage.loop.timers):
        waited._asyncio_future_blocking = False
        if stage.loop.alive():
            stage.loop.step()
        else:
            stage.loop.ring()
