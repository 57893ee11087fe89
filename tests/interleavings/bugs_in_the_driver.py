"""Seeded bugs in the driver: how steps are proposed, waited for and carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from poolproof import Lease, core, pool, work
from poolproof.core.values import WAITING, PlainState, Slot, State, Step, Ticket
from poolproof.driver import Driver, Propose
from poolproof.messages import refused, timed_out
from poolproof.waiting import Waiter


def timeout_eats_the_grant(patch: pytest.MonkeyPatch) -> None:
    def late(self: Waiter) -> bool:
        if self.deadline is None or self.driver.monotonic() < self.deadline:
            return False
        self.withdraw()
        self.abandon_build()
        raise timed_out(self.driver, self.asked)

    patch.setattr(Waiter, "late", late)


def cancel_keeps_the_slot(patch: pytest.MonkeyPatch) -> None:
    timeout_eats_the_grant(patch)
    patch.setattr(Waiter, "cancel", lambda self: self.withdraw())


def woken_means_granted(patch: pytest.MonkeyPatch) -> None:
    def sleep(self: Waiter) -> None:
        timeout = None if self.deadline is None else self.deadline - self.driver.monotonic()
        if self.ticket.parker.park(timeout):
            if self.ticket.record.state == WAITING:
                raise refused(self.driver, "REFUSE-CLOSED")
            return
        self.late()

    patch.setattr(Waiter, "sleep", sleep)


def builder_forgets_its_build(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Waiter, "abandon_build", lambda self: None)


def stale_release(patch: pytest.MonkeyPatch) -> None:
    """What is released is whatever the slot holds now."""

    def release(self: Any) -> None:
        driver, slot = self._driver, self._slot
        if slot.record[0] != "checked_out" or driver.settle(slot, slot.record, core.release, reset=False) is None:
            self._raise_stale()
        driver.tend(thoroughly=False)

    patch.setattr(Lease, "release", release)


def silent_release(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told that a lease was ended already."""
    patch.setattr(Lease, "_raise_stale", lambda self: None)


def double_destroy(patch: pytest.MonkeyPatch) -> None:
    whole = work.destroy

    def destroy(driver: Driver, slot: Slot, record: Any) -> None:
        if driver.settings.destroy is not None:
            driver.settings.destroy(slot.resource)
        whole(driver, slot, record)

    patch.setattr(work, "destroy", destroy)


def capacity_freed_early(patch: pytest.MonkeyPatch) -> None:
    def destroy(driver: Driver, slot: Slot, record: Any) -> None:
        driver.settle(slot, record, core.destroyed)
        if driver.settings.destroy is not None:
            driver.settings.destroy(slot.resource)
        driver.registry.discharge(slot)

    patch.setattr(work, "destroy", destroy)


def used_while_reset(patch: pytest.MonkeyPatch) -> None:
    """The slot is free before its reset is over."""

    def reset(driver: Driver, slot: Slot, record: Any) -> None:
        resource = slot.resource
        driver.settle(slot, record, core.reset_ok, since=driver.monotonic())
        if driver.settings.reset is not None:
            driver.settings.reset(resource)

    patch.setattr(work, "reset", reset)


def destroy_in_the_commit(patch: pytest.MonkeyPatch) -> None:
    whole = work.destroy

    def destroy(driver: Driver, slot: Slot, record: Any) -> None:
        atom: Any = driver.atom
        next(atom.turns)
        try:
            whole(driver, slot, record)
        finally:
            atom.leave()

    patch.setattr(work, "destroy", destroy)


def nothing_of(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    """These steps of the core never happen: what they were to free stays as it was."""

    def patch_them(patch: pytest.MonkeyPatch) -> None:
        for name in names:
            patch.setattr(core, name, lambda *_, **__: None)

    return patch_them


def closed_without_looking(patch: pytest.MonkeyPatch) -> None:
    """close(None) looks whether the pool is closed, and then registers to be told: too late."""

    def wait_until_closed(driver: Driver, deadline: float | None) -> None:
        closer = Ticket(0, driver.here.who, driver.runtime.parker())
        if driver.state.ledger.phase == "closing":
            driver.step(lambda state, now: core.await_closed(state, driver.options, closer, now))
            closer.parker.park(None)

    patch.setattr(pool, "wait_until_closed", wait_until_closed)


def none_is_trusted(patch: pytest.MonkeyPatch) -> None:
    """That there is nothing to do counts although the state has changed meanwhile."""

    def proposal(self: Driver, propose: Propose) -> tuple[PlainState, Step] | None:
        while True:
            state = self.atom.value
            try:
                step = propose(State.of(state), self.monotonic())
            except Exception:
                if self.atom.value is state:
                    raise
                continue
            return None if step is None else (state, step)

    patch.setattr(Driver, "proposal", proposal)


def interrupted_acquire_keeps_its_slot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Waiter, "cancel", lambda self: None)


def interrupted_release_gives_up(patch: pytest.MonkeyPatch) -> None:
    """A release that is interrupted before its commit leaves the lease as it is."""

    def release(self: Any) -> None:
        self._release_slowly()

    def end(self: Any, row: Any, **extra: Any) -> None:
        if self._driver.settle(self._slot, self._record, row, **extra) is None:
            self._raise_stale()

    patch.setattr(Lease, "release", release)
    patch.setattr(Lease, "_end", end)


def interrupted_build_is_nobodys(patch: pytest.MonkeyPatch) -> None:
    """``except Exception`` where ``except BaseException`` is due; and the finalizer gives nothing back."""

    def build(driver: Driver, slot: Slot, record: Any) -> None:
        create: Any = driver.settings.create
        try:
            work.admit(driver, slot, record, create())
        except Exception as error:
            driver.settle(slot, record, core.build_failed, error=error)

    patch.setattr(work, "build", build)
    patch.setattr(work.Duty, "forsake", lambda self: None)


def done_twice(patch: pytest.MonkeyPatch) -> None:
    """What the executor was given is done here, too, and nobody looks whether it was done already."""

    def dispatch(self: Driver, duty: work.Duty) -> None:
        if self.settings.executor is not None:
            self.settings.executor.submit(work.build, self, duty.slot, duty.record)
        work.build(self, duty.slot, duty.record)

    patch.setattr(Driver, "dispatch", dispatch)
