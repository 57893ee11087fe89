"""Duties: work on a slot that somebody owes, and how each kind of it is done.

Whoever commits a step that needs an effect owes it from then on, by a `Duty` that exists before the commit. A duty
is held like a lease, by the record in the slot's register, so it is discharged at most once; and if its owner dies
first, the duty's finalizer gives the work back to the pool, where the next passer-by finds it [DUTY-OWNED].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from poolproof import core
from poolproof.core.values import OPEN, Build, Check, Effect, PlainRecord, Reset, Slot, current_record
from poolproof.errors import CheckFailed, DuplicateResource
from poolproof.forks import keep

if TYPE_CHECKING:
    from poolproof.driver import Driver


class Duty:
    """One piece of work that its owner has to carry out or to give back."""

    __slots__ = ("driver", "effect", "record", "slot", "submitted", "unclaimed")

    def __init__(self, driver: Driver, effect: Effect) -> None:
        self.driver: Final = driver
        self.effect: Final = effect
        self.slot: Final = effect.slot
        self.submitted = False
        self.unclaimed = [True]  # taken by whoever runs the duty, at most one
        self.record: Final = effect.record

    @property
    def held(self) -> bool:
        return current_record(self.slot, self.record) is not None and not self.driver.inherited(self.slot)

    def run(self) -> None:
        """Carry it out. Never raises an `Exception`; an interruption is passed on when the pool is in order."""
        try:
            self.unclaimed.pop()
        except IndexError:  # an executor had taken the work, although it said no
            return
        if not self.held:  # it was left behind by a fork
            return
        if isinstance(self.effect, Build):
            build(self.driver, self.slot, self.record)
        elif isinstance(self.effect, Reset):
            reset(self.driver, self.slot, self.record)
        elif isinstance(self.effect, Check):
            inspect(self.driver, self.effect)
        else:
            destroy(self.driver, self.slot, self.record)

    def forsake(self) -> None:
        """Give it back, if it is still owed. Runs none of the user's code but the observer."""
        if not self.held:
            return
        if self.submitted and self.unclaimed:
            self.driver.distrust()
        if isinstance(self.effect, Build):
            self.driver.settle(self.slot, self.record, core.build_abandoned)
        else:
            self.driver.settle(self.slot, self.record, core.orphan)

    def __del__(self) -> None:
        if hasattr(self, "record") and self.held:  # or else it was interrupted before it owed anything
            self.driver.finalize(self.forsake)


def build(driver: Driver, slot: Slot, record: PlainRecord) -> None:
    """Call create, and hand in what it returned or raised.

    What create returns is put into the dictionary by the same C call that called it, so no interruption can come
    between the two and lose it: if one comes later, the resource is handed in first [CONSERVATION]. (Nor may an
    iterator call it: a StopIteration would be taken for the end.)
    """
    create: Any = driver.settings.create
    made: defaultdict[int, Any] = defaultdict(create)
    try:
        admit(driver, slot, record, made[0])
    except BaseException as error:
        if made and not isinstance(error, DuplicateResource):
            if current_record(slot, record) is not None:
                admit(driver, slot, record, made[0])
            raise
        step = driver.settle(slot, record, core.build_failed, error=error)
        if not isinstance(error, Exception):
            raise
        if step is None or step.fired[0].row == "BUILD-LOST":
            driver.complain("create failed, and nobody waits for it any more", error)


def admit(driver: Driver, slot: Slot, record: PlainRecord, resource: Any) -> None:
    """A resource was made for this slot: number it among the pool's, and let it be used."""
    registry = driver.registry  # if a signal handler forks from here on, the child's own one hears nothing of it
    if not driver.inherited(slot):
        registry.enrol(slot, resource, factory_made=True)
        slot.resource = resource
        slot.expires = driver.expiry(driver.monotonic())
        driver.settle(slot, record, core.build_ok)
    if driver.inherited(slot):  # create forked, and this is the child: who knows what the two share
        keep(resource)


def if_ours(driver: Driver, slot: Slot, resource: Any) -> Generator[Any, None, None]:
    """The *resource* of *slot*, unless this is the child after a fork, and the parent's.

    For ``map(callback, if_ours(…))``, whose C code takes the resource and calls. Nothing interrupts between
    this comparison and the call, so a signal handler that forks comes before the one or within the other [FORK-SAFE].
    """
    if slot.generation >= driver.first_generation:  # written out: a call would be an interruption point
        yield resource


def reset(driver: Driver, slot: Slot, record: PlainRecord) -> None:
    """Call reset; a resource whose reset did not return is destroyed."""
    function = reset_of(driver, slot, record)
    try:
        if function is not None and driver.state.ledger.phase == OPEN:
            returned = [*map(function, if_ours(driver, slot, slot.resource))]
            if not returned and not driver.inherited(slot):
                raise RuntimeError("reset raised StopIteration")
        driver.settle(slot, record, core.reset_ok, since=driver.monotonic())
    except BaseException as error:
        driver.settle(slot, record, core.reset_failed)
        if not isinstance(error, Exception):
            raise
        driver.complain("reset failed; the resource was discarded", error)


def reset_of(driver: Driver, slot: Slot, record: PlainRecord) -> Any:
    """What resets this slot now: the reset of the lease that ended, or the pool's."""
    own, slot.reset = slot.reset, None
    return own.function if own is not None and own.number == record[4] else driver.settings.reset


def inspect(driver: Driver, effect: Check) -> None:
    """Check a slot that was free; one that does not pass is destroyed."""
    check = driver.settings.check
    try:
        if check is not None and not any([*map(check, if_ours(driver, effect.slot, effect.slot.resource))]):
            raise CheckFailed("check returned false")
        driver.settle(effect.slot, effect.record, core.reset_ok, since=effect.since)
    except BaseException as error:
        driver.settle(effect.slot, effect.record, core.reset_failed)
        if not isinstance(error, Exception):
            raise
        if not isinstance(error, CheckFailed):
            driver.complain("check raised; the resource was discarded", error)


def destroy(driver: Driver, slot: Slot, record: PlainRecord) -> None:
    """Call destroy. However it ends, the slot is gone afterwards: a second try could destroy twice.

    The C call that calls destroy takes the resource out of *todo* first. So whatever interrupts, it is known whether
    destroy has been called; if not, the work is still owed [DESTROY-ONCE].
    """
    function = driver.settings.destroy
    todo: Any = if_ours(driver, slot, slot.resource)
    try:
        if function is not None and next(map(function, todo), todo) is todo:
            if driver.inherited(slot):
                return
            raise RuntimeError("destroy raised StopIteration")
        driver.settle(slot, record, core.destroyed)
    except BaseException as error:
        called = function is None or todo.gi_suspended  # it stands behind the resource that it gave
        if called:
            driver.settle(slot, record, core.destroyed)
            driver.registry.discharge(slot)
        if not called or not isinstance(error, Exception):
            raise
        driver.complain("destroy failed; the resource was dropped", error)
    else:
        driver.registry.discharge(slot)
