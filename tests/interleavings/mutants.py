"""Seeded bugs: what each changes in the pool or beneath it, the program that shows it, and what must be found.

A mutant is killed for the right reason only if one of the clauses named here is found broken, or the verdict named
here is given. An error of the mutant itself (a NameError, a crash of a client) has no such clause.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from poolproof import Lease, core, pool, work
from poolproof.conformance.points import Grain, ScheduledAtom, ScheduledParker, ScheduledRuntime
from poolproof.conformance.programs import Program
from poolproof.conformance.scene import Scene
from poolproof.core import change
from poolproof.core.draft import Draft
from poolproof.core.lists import queue_items
from poolproof.core.values import WAITING, PlainState, Slot, Ticket, TicketRecord
from poolproof.driver import Driver
from poolproof.messages import refused, timed_out
from poolproof.waiting import Waiter

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutant:
    """``clauses`` are the reasons for which it may die; ``atom`` and ``parker`` replace the runtime's."""

    name: str
    program: str
    clauses: tuple[str, ...]
    patch: Patch | None = None
    atom: type[ScheduledAtom] | None = None
    parker: type[ScheduledParker] | None = None
    grain: Grain = "all"

    def scene(self, program: Program, grain: Grain) -> Scene:
        class Runtime(ScheduledRuntime):
            atom_type = self.atom or ScheduledAtom
            parker_type = self.parker or ScheduledParker

        class MutantScene(Scene):
            runtime_type = Runtime

        return MutantScene(program, grain)


# Beneath the pool: the commit and the wake-up.


class SwapWithoutCompare(ScheduledAtom):
    """Whoever checked outside of the lock commits all the same."""

    def _current(self, old: PlainState) -> bool:
        return True


class NobodyWoken(ScheduledAtom):
    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        return super().commit(old, new, moves, ())


class FirstOnlyWoken(ScheduledAtom):
    """``notify`` where ``notify_all`` is due."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        return super().commit(old, new, moves, wakes[:1])


class WokenBefore(ScheduledAtom):
    """The wake-up comes before the change that it tells of."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        for ticket in wakes:
            ticket.parker.unpark()
        return super().commit(old, new, moves, ())


class RegistersLater(ScheduledAtom):
    """The registers are written behind the region, not in it."""

    def commit(self, old: PlainState, new: PlainState, moves: Any, wakes: Any) -> bool:
        self.crew.point()
        if self._value is not old:
            return False
        self._value = new
        self.crew.stamp += 1
        self.crew.point()
        for cell, record in moves:
            cell.record = record
        self._committed(old, new, moves)
        for ticket in wakes:
            ticket.parker.unpark()
        return True


class EdgeTriggered(ScheduledParker):
    """A wake-up that comes before the sleeper is lost."""

    __slots__ = ()

    def unpark(self) -> None:
        if self.sleeper is not None:
            super().unpark()


# In the driver.


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


def nothing_of(*names: str) -> Patch:
    """These steps of the core never happen: what they were to free stays as it was."""

    def patch_them(patch: pytest.MonkeyPatch) -> None:
        for name in names:
            patch.setattr(core, name, lambda *_, **__: None)

    return patch_them


# In the core.


def close_without_waking(patch: pytest.MonkeyPatch) -> None:
    whole = core.close
    patch.setattr(core, "close", lambda *args: (step := whole(*args)) and step._replace(wakes=()))


def barging(patch: pytest.MonkeyPatch) -> None:
    """A slot that becomes free is free for all; who waits is woken, and may find it gone."""

    def balance(self: Draft) -> None:
        if self.waiting and self.free:
            self.wakes.append(self.queue[0])
        elif self.short:
            self.build_start()

    patch.setattr(Draft, "balance", balance)


def newest_first(patch: pytest.MonkeyPatch) -> None:
    def next_ticket(self: Draft) -> Any:
        living = [each for each in queue_items(self.queue, self.tail) if self.record_of(each).state == WAITING]
        self.waiting -= 1
        self.tombs = 0
        self.queue, self.tail = change_list(living[:-1]), ()
        return living[-1]

    patch.setattr(Draft, "next_ticket", next_ticket)


def change_list(items: list[Any]) -> Any:
    result: Any = ()
    for item in reversed(items):
        result = (item, result, result[2] + 1 if result else 1)
    return result


def granted_slot_stays_free(patch: pytest.MonkeyPatch) -> None:
    whole = core.grant_free

    def grant_free(state: Any, options: Any, now: float, who: object) -> Any:
        granted = whole(state, options, now, who)
        return granted and ((granted[0][0], state[1], state[2], state[3]), granted[1], granted[2])

    patch.setattr(core, "grant_free", grant_free)
    patch.setattr(pool, "grant_free", grant_free)


def no_restart(patch: pytest.MonkeyPatch) -> None:
    """A build that failed does not start one for the next who waits."""
    whole = Draft.balance

    def balance(self: Draft) -> None:
        failed = any(each.row in ("BUILD-FAILED", "BUILD-LOST") for each in self.fired)
        limit, self.limit = self.limit, 0 if failed else self.limit
        whole(self)
        self.limit = limit

    patch.setattr(Draft, "balance", balance)


def overshoot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draft, "short", property(lambda self: self.phase == "open" and self.creating < self.waiting))


def withdraw_whatever(patch: pytest.MonkeyPatch) -> None:
    """A ticket that was granted is withdrawn all the same."""
    whole = core.withdraw

    def withdraw(state: Any, options: Any, ticket: Any, now: float) -> Any:
        step = whole(state, options, ticket, now)
        if step is None and ticket.record.state == "granted" and state.ledger.phase == "open":
            draft = Draft(state, options, now)
            draft.moves[ticket] = TicketRecord("withdrawn")
            step = draft.finish()
        return step

    patch.setattr(core, "withdraw", withdraw)


def shrink_forgets_surplus(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(change, "oldest_first", lambda state, options: [])


def kept_after_close(patch: pytest.MonkeyPatch) -> None:
    """What comes back to a closing pool is free again."""
    patch.setattr(
        sys.modules["poolproof.core.release"], "may_stay", lambda draft, slot, record: draft.fit(slot, record)
    )


def old_generation_kept(patch: pytest.MonkeyPatch) -> None:
    whole = Draft.fit

    def fit(self: Draft, slot: Slot, record: Any) -> bool:
        generation, self.generation = self.generation, slot.generation
        try:
            return whole(self, slot, record)
        finally:
            self.generation = generation

    patch.setattr(Draft, "fit", fit)


def unowned_work_untold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draft, "tell", lambda self: None)


def closer_not_woken(patch: pytest.MonkeyPatch) -> None:
    whole = Draft.balance

    def balance(self: Draft) -> None:
        closers = self.closers
        whole(self)
        self.wakes = [each for each in self.wakes if each not in closers]

    patch.setattr(Draft, "balance", balance)


def closed_without_looking(patch: pytest.MonkeyPatch) -> None:
    """close(None) looks whether the pool is closed, and then registers to be told: too late."""

    def wait_until_closed(driver: Driver, deadline: float | None) -> None:
        closer = Ticket(0, driver.here.who, driver.runtime.parker())
        if driver.state.ledger.phase == "closing":
            driver.step(lambda state, now: core.await_closed(state, driver.options, closer, now))
            closer.parker.park(None)

    patch.setattr(pool, "wait_until_closed", wait_until_closed)


TWO = "size=1: acquire release | acquire release"
HELD = "size=1 given=1: release | acquire release"
FULL = "size=1 given=1 factory=0: release | acquire(1) release"

MUTANTS = (
    Mutant("check outside the lock", TWO, ("COUNTS-RECOUNT", "CAPACITY", "EXCLUSIVE", "WAIT-ENDS"),
           atom=SwapWithoutCompare),
    Mutant("notify dropped", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), atom=NobodyWoken),
    Mutant("notify for notify_all", "size=1 given=1: close | acquire | acquire | release", ("PROMPT-GRANT",),
           atom=FirstOnlyWoken, grain="commits"),
    Mutant("notify before update", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), atom=WokenBefore),
    Mutant("edge-triggered notify", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), parker=EdgeTriggered),
    Mutant("registers written behind the commit", TWO, ("COUNTS-RECOUNT", "EXCLUSIVE", "WAIT-ENDS", "PROMPT-GRANT",
           "CONSERVATION", "ONE-OUTCOME"), atom=RegistersLater),
    Mutant("timeout eats the grant", FULL, ("GRANT-STANDS",), timeout_eats_the_grant),
    Mutant("cancel without giving back", FULL, ("GRANT-STANDS", "CONSERVATION"), cancel_keeps_the_slot),
    Mutant("withdraw whatever the ticket is", FULL, ("CONSERVATION", "GRANT-STANDS"), withdraw_whatever),
    Mutant("trusting wait()'s result", "size=1 given=1: discard | acquire", ("ONE-OUTCOME",), woken_means_granted),
    Mutant("builder withdrawn before building", "size=1 given=1: discard | acquire(1)",
           ("WAIT-ENDS", "DUTY-OWNED"), builder_forgets_its_build),
    Mutant("abandoned build stays", "size=1 given=1: discard | acquire(1)", ("WAIT-ENDS", "DUTY-OWNED"),
           nothing_of("build_abandoned")),
    Mutant("stale release accepted", "size=1: acquire release again | acquire release",
           ("STALE-UNCHANGED", "EXCLUSIVE"), stale_release),
    Mutant("release after discard", "size=1: acquire discard again | acquire release",
           ("STALE-UNCHANGED",), silent_release),
    Mutant("double destroy", "size=1 given=1: discard | acquire", ("DESTROY-ONCE",), double_destroy),
    Mutant("capacity freed before destroy ends", "size=1 given=1: discard | acquire release", ("CAPACITY",),
           capacity_freed_early),
    Mutant("free before its reset ends", "size=1 given=1 reset=1: release | acquire", ("EXCLUSIVE",),
           used_while_reset),
    Mutant("destroy under the lock", "size=1 given=1: discard | acquire", ("NO-CALLS-UNDER-LOCK",),
           destroy_in_the_commit),
    Mutant("leak on create failure", "size=1 faults=1: acquire release | acquire release",
           ("WAIT-ENDS", "DUTY-OWNED", "ONE-OUTCOME"), nothing_of("build_failed", "build_abandoned")),
    Mutant("leak on reset failure", "size=1 given=1 reset=1 faults=1: release | acquire",
           ("WAIT-ENDS", "DUTY-OWNED"), nothing_of("reset_failed", "orphan")),
    Mutant("leak on destroy", "size=1 given=1: discard | acquire", ("WAIT-ENDS", "DUTY-OWNED"),
           nothing_of("destroyed", "orphan")),
    Mutant("leak on abandon", "size=1 given=1: drop | acquire", ("WAIT-ENDS", "CONSERVATION"),
           nothing_of("abandon")),
    Mutant("close without waking", "size=1 given=1: close | acquire | acquire", ("PROMPT-GRANT", "WAIT-ENDS"),
           close_without_waking, grain="commits"),
    Mutant("barging", "size=1 given=1: release | acquire | acquire", ("WORK-CONSERVING",), barging,
           grain="commits"),
    Mutant("newest first", "size=1 given=1: release | acquire release | acquire release", ("WAIT-FIFO",),
           newest_first, grain="commits"),
    Mutant("double hand-out", "size=1 given=1: acquire release | acquire release", ("EXCLUSIVE", "COUNTS-RECOUNT"),
           granted_slot_stays_free),
    Mutant("build failed does not restart the others", "size=1 faults=1: acquire release | acquire release",
           ("WORK-CONSERVING",), no_restart),
    Mutant("overshoot", TWO, ("CAPACITY",), overshoot),
    Mutant("shrink forgets surplus", "size=2 given=2: resize(1) | acquire release", ("RESIZE-BOTH-WAYS",),
           shrink_forgets_surplus),
    Mutant("grant after close", "size=1 given=1: release | close", ("CLOSE-FINAL",), kept_after_close),
    Mutant("old generation kept", "size=1 given=1: release | expire", ("NEVER-STALE",), old_generation_kept),
    Mutant("unowned work is not told of", "size=1 given=1 reset=1: drop | acquire", ("WAIT-ENDS",),
           unowned_work_untold),
    Mutant("closer not woken", "size=1 given=1: release | close_wait", ("CLOSE-TERMINATES",), closer_not_woken),
    Mutant("lost wake-up window of close", "size=1 given=1: release | close_wait", ("CLOSE-TERMINATES", "WAIT-ENDS"),
           closed_without_looking),
)  # fmt: skip
