"""Bugs planted into the driver for tasks: each dies, for the reason named beforehand; unbroken, the same runs pass."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from poolproof import PoolError, core
from poolproof.aio import driver as drivers
from poolproof.aio import work
from poolproof.aio.driver import AsyncDriver
from poolproof.aio.lease import AsyncLease
from poolproof.aio.waiting import AsyncWaiter
from poolproof.conformance.aio import OPERATIONS, SETTINGS, Exploration, explore
from poolproof.core.values import GRANTED, Build, Destroy, Reset
from poolproof.runtime.aio import AsyncAtom
from poolproof.waiting import BaseWaiter
from poolproof.work import admit, reset_of

pytestmark = pytest.mark.filterwarnings("ignore")
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Bug:
    """How it is planted, the smallest programs that show it, and the clause that it is to die by."""

    plant: Callable[[Patch], None]
    programs: tuple[str, ...]
    setting: str
    clause: str
    strays: int = 2


def nobody_is_woken(patch: Patch) -> None:
    commit = AsyncAtom.commit
    patch.setattr(AsyncAtom, "commit", lambda self, old, new, moves, wakes: commit(self, old, new, moves, ()))


def cancelled_acquire_leaves_its_ticket(patch: Patch) -> None:
    patch.setattr(AsyncWaiter, "cancel", lambda self: None)


def cancelled_acquire_keeps_its_grant(patch: Patch) -> None:
    patch.setattr(AsyncWaiter, "cancel", lambda self: self.withdraw())


def cancelled_acquire_keeps_its_build(patch: Patch) -> None:
    patch.setattr(BaseWaiter, "abandon_build", lambda self: None)


def cancellation_reaches_callbacks(patch: Patch) -> None:
    async def wait(tasks: Any) -> None:
        await asyncio.gather(*tasks)

    patch.setattr(drivers, "asyncio", _Altered(asyncio, wait=wait))


def cancellation_is_swallowed(patch: Patch) -> None:
    rest = AsyncWaiter.rest

    async def again(self: AsyncWaiter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await rest(self)

    patch.setattr(AsyncWaiter, "rest", again)


def lease_is_returned_too_late(patch: Patch) -> None:
    wait = AsyncWaiter.wait

    async def slowly(self: AsyncWaiter) -> Any:
        lease = await wait(self)
        await asyncio.sleep(0)
        return lease

    patch.setattr(AsyncWaiter, "wait", slowly)


def callback_is_not_awaited(patch: Patch) -> None:
    async def called(duty: Any, function: Any, *arguments: Any) -> Any:
        returned = function(*arguments)
        if isinstance(duty.effect, Destroy):
            work.drop(returned)
            return None
        await work.step_aside()
        return await returned

    patch.setattr(work, "called", called)


def request_is_forgotten(patch: Patch) -> None:
    patch.setattr(AsyncLease, "release_soon", lambda self: setattr(self, "_slot", self._slot.__class__(0, 0, None)))


def built_resource_is_dropped(patch: Patch) -> None:
    async def build(driver: AsyncDriver, duty: Any) -> None:
        made = await work.called(duty, driver.settings.create)  # type: ignore[arg-type]
        if duty.slot.number > 1:
            admit(driver, duty.slot, duty.record, made)
        else:
            driver.settle(duty.slot, duty.record, core.build_failed, error=PoolError())

    patch.setitem(work.WORK, Build, build)


def capacity_is_free_before_destroy_ends(patch: Patch) -> None:
    destroy = work.destroy

    async def early(driver: AsyncDriver, duty: Any) -> None:
        driver.settle(duty.slot, duty.record, core.destroyed)
        await destroy(driver, duty)

    patch.setitem(work.WORK, Destroy, early)


def destroy_is_tried_twice(patch: Patch) -> None:
    destroy = work.destroy

    async def twice(driver: AsyncDriver, duty: Any) -> None:
        with contextlib.suppress(Exception):
            await work.called(duty, driver.settings.destroy, duty.slot.resource)  # type: ignore[arg-type]
        if driver.begun is None:
            await driver.settings.destroy(duty.slot.resource)  # type: ignore[misc]
        await destroy(driver, duty)

    patch.setitem(work.WORK, Destroy, twice)


def deadline_does_not_withdraw(patch: Patch) -> None:
    patch.setattr(AsyncWaiter, "withdraw", lambda self: self.ticket.record.state != GRANTED)


def waiters_do_not_help(patch: Patch) -> None:
    patch.setattr(AsyncDriver, "help", lambda self: False)


def reset_runs_beside_the_next_holder(patch: Patch) -> None:
    async def reset(driver: AsyncDriver, duty: Any) -> None:
        function, resource = reset_of(driver, duty.slot, duty.record), duty.slot.resource
        driver.settle(duty.slot, duty.record, core.reset_ok, since=driver.monotonic())
        if function is not None:
            await work.called(duty, function, resource)

    patch.setitem(work.WORK, Reset, reset)


class _Altered:
    """A module, but for some names."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update(vars(module), **names)


BUGS = {
    bug.plant.__name__: bug
    for bug in (
        Bug(nobody_is_woken, ("use", "use"), "one given", "WAIT-ENDS"),
        Bug(cancelled_acquire_leaves_its_ticket, ("use", "use"), "one given", "CONSERVATION"),
        Bug(cancelled_acquire_keeps_its_grant, ("use", "use"), "one given", "CONSERVATION"),
        Bug(cancelled_acquire_keeps_its_build, ("discard", "use"), "one given", "DUTY-OWNED", strays=3),
        Bug(cancellation_reaches_callbacks, ("discard",), "one given", "DESTROY-ONCE"),
        Bug(cancellation_is_swallowed, ("use", "use"), "one given", "CANCELLATION-SURVIVES"),
        Bug(lease_is_returned_too_late, ("use",), "one built", "CONSERVATION"),
        Bug(callback_is_not_awaited, ("discard",), "one given", "DESTROY-ONCE"),
        Bug(request_is_forgotten, ("soon",), "one given", "CONSERVATION"),
        Bug(built_resource_is_dropped, ("use",), "one built", "DESTROY-ONCE"),
        Bug(capacity_is_free_before_destroy_ends, ("discard", "use"), "one given", "CAPACITY-UNTIL-DESTROYED"),
        Bug(destroy_is_tried_twice, ("discard",), "one given", "DESTROY-ONCE"),
        Bug(deadline_does_not_withdraw, ("use", "hurry"), "one given", "CONSERVATION"),
        Bug(waiters_do_not_help, ("use", "close"), "one given", "CLOSE-TERMINATES"),
        Bug(reset_runs_beside_the_next_holder, ("use", "use"), "reset", "EXCLUSIVE"),
    )
}


def judged(bug: Bug) -> Exploration:
    return explore([OPERATIONS[each] for each in bug.programs], SETTINGS[bug.setting], strays=bug.strays, cancels=1)


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_dies_for_its_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    assert judged(bug).ok
    bug.plant(monkeypatch)
    found = judged(bug)
    assert any(each.startswith(f"{bug.clause}:") for each in found.findings), found
