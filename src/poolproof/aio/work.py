"""The four kinds of work, as `poolproof.work` has them, for callbacks that may have to be waited for.

Each begins as a plain call in the middle of whatever began it, and only if its callback returns something to wait
for it goes on in a task of the pool. So whoever is cancelled meanwhile leaves it undisturbed, and what is begun is
finished [CANCEL-SPARES].
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from poolproof import core
from poolproof.core.values import Build, Check, Destroy, Reset, Ticket, current_record
from poolproof.errors import CheckFailed, DuplicateResource
from poolproof.work import Duty, admit, reset_of

if TYPE_CHECKING:
    from poolproof.aio.driver import AsyncDriver


@types.coroutine
def step_aside() -> Generator[None, None, None]:
    """From here on in a task of its own: `AsyncDriver.dispatch` makes it where this yields."""
    yield


async def called(duty: Duty, function: Callable[..., Any], *arguments: Any) -> Any:
    """What *function* returns, waited for if that is needed."""
    returned = function(*arguments)
    if not isawaitable(returned):
        return returned
    try:
        await step_aside()
    except GeneratorExit:
        drop(returned)
        raise
    except BaseException:  # the task was cancelled before it began, and so the work is still to be done
        drop(returned)
        duty.driver.finalize(duty.forsake)
        raise
    return await returned


def drop(awaitable: Awaitable[Any]) -> None:
    """Say that nobody will wait for this, so that it is not reported as forgotten."""
    if isinstance(awaitable, Coroutine):
        awaitable.close()


async def build(driver: AsyncDriver, duty: Duty) -> None:
    """Call create, and hand in what it returned or raised."""
    slot, record, made = duty.slot, duty.record, list[Any]()
    create: Any = driver.settings.create
    try:
        made.append(await called(duty, create))
        admit(driver, slot, record, made[0])
    except GeneratorExit:  # dropped, with its loop
        raise
    except BaseException as error:
        if made and not isinstance(error, DuplicateResource):
            if current_record(slot, record) is not None:
                admit(driver, slot, record, made[0])
            raise
        step = driver.settle(slot, record, core.build_failed, error=error)
        if not isinstance(error, Exception):
            raise
        if step is None or step.fired[0].row == "BUILD-LOST":
            driver.lost(error)
    finally:
        # What was built may have gone to one who waits longer; whoever asked for it may have waited for this alone.
        if isinstance(record[3], Ticket) and driver.is_here:
            record[3].parker.unpark()


async def reset(driver: AsyncDriver, duty: Duty) -> None:
    """Call reset; a resource whose reset did not return is destroyed."""
    slot, record = duty.slot, duty.record
    function = reset_of(driver, slot, record)
    try:
        if function is not None and driver.is_open:
            await called(duty, function, slot.resource)
        await driver.finish(driver.settle, slot, record, core.reset_ok, since=driver.monotonic())
    except GeneratorExit:  # dropped, with its loop
        raise
    except BaseException as error:
        await driver.finish(driver.settle, slot, record, core.reset_failed)
        if not isinstance(error, Exception):
            raise
        driver.complain("reset failed; the resource was discarded", error)


async def inspect(driver: AsyncDriver, duty: Duty) -> None:
    """Check a slot that was free; one that does not pass is destroyed."""
    slot, record, check = duty.slot, duty.record, driver.settings.check
    assert isinstance(duty.effect, Check)
    try:
        if check is not None and not await called(duty, check, slot.resource):
            raise CheckFailed("check returned false")
        await driver.finish(driver.settle, slot, record, core.reset_ok, since=duty.effect.since)
    except GeneratorExit:  # dropped, with its loop
        raise
    except BaseException as error:
        await driver.finish(driver.settle, slot, record, core.reset_failed)
        if not isinstance(error, Exception):
            raise
        if not isinstance(error, CheckFailed):
            driver.complain("check raised; the resource was discarded", error)


async def destroy(driver: AsyncDriver, duty: Duty) -> None:
    """Call destroy. However it ends, the slot is gone afterwards: a second try could destroy twice."""
    slot, record, function = duty.slot, duty.record, driver.settings.destroy
    try:
        if function is not None:
            await called(duty, function, slot.resource)
    except GeneratorExit:  # dropped, with its loop
        raise
    except BaseException as error:
        if driver.settle(slot, record, core.destroyed):
            driver.registry.discharge(slot)
        if not isinstance(error, Exception):
            raise
        driver.complain("destroy failed; the resource was dropped", error)
    else:
        driver.settle(slot, record, core.destroyed)
        driver.registry.discharge(slot)


WORK: Final[dict[type, Callable[[Any, Duty], Coroutine[Any, Any, None]]]] = {
    Build: build,
    Reset: reset,
    Check: inspect,
    Destroy: destroy,
}
