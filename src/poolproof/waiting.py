"""The slow way through acquire: queue, sleep, build, claim. And the only places where a thread sleeps.

A ticket's owner is responsible for it from the commit of QUEUE on: it leaves `wait` with a lease, or with an error
after the ticket was withdrawn or whatever it had been granted was given back [ONE-OUTCOME].
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from poolproof import core
from poolproof.core.values import (
    CLOSING,
    CREATING,
    GRANTED,
    NEW,
    REFUSED,
    UNBOUNDED,
    WAITING,
    Build,
    Fired,
    Options,
    OwnReset,
    PlainRecord,
    PlainState,
    Slot,
    State,
    Step,
    Ticket,
    TicketRecord,
    read,
)
from poolproof.driver import Driver
from poolproof.errors import CheckFailed
from poolproof.lease import Lease, ResettingLease
from poolproof.messages import describe, refused, timed_out
from poolproof.work import Duty, if_ours


class BaseWaiter:
    """One acquire call on its way: everything but the waiting."""

    __slots__ = ("asked", "begun", "deadline", "driver", "leased", "patient", "reset", "ticket")
    leases: ClassVar[tuple[type[Any], type[Any]]]  # without and with a reset of its own

    def __init__(self, driver: Driver, deadline: float | None, patient: bool, asked: float | None, reset: Any) -> None:
        self.driver = driver
        self.deadline = deadline
        self.patient = patient
        self.asked = asked
        self.reset = reset
        self.ticket = Ticket(0, driver.here.who, driver.runtime.parker())
        self.begun: Slot | None = None
        self.leased = False

    def __del__(self) -> None:
        # The call was struck a second time, in `cancel`: whatever it left is given back when its frame goes.
        if not getattr(self, "leased", True):
            self.cancel()

    def sleep(self) -> None:
        """Wait until something happened to the ticket; withdraw it when the deadline has passed."""
        raise NotImplementedError

    def passes(self, lease: Any, slot: Slot, hold: PlainRecord) -> bool:
        """Whether the resource may be used."""
        raise NotImplementedError

    def look(self) -> Any:
        """See what became of the ticket, and do the one thing that is due."""
        record = self.ticket.record
        if record.state == NEW:
            self.begun = None  # in the child after a fork, what was begun is the parent's
            self.enqueue()
        elif record.state == GRANTED:
            if record.slot is not None and self.driver.inherited(record.slot):  # create forked: start anew
                self.ticket.record = TicketRecord(NEW)
            else:
                return self.claim(record)
        elif record.state == REFUSED:
            self.ticket.record = record._replace(error=None)  # or the error and this frame would hold each other
            raise record.error if record.error is not None else refused(self.driver, "REFUSE-CLOSED")
        elif not self.driver.is_open:
            # The ticket is looked at once more: it may have been granted before the pool closed.
            if self.ticket.record.state == WAITING:
                raise refused(self.driver, "REFUSE-CLOSED")
        elif record.build is not None and record.build is not self.begun:
            if self.begun is None or not self.late():
                self.build(record.build)
        elif not self.late() and not self.driver.help():
            self.sleep()
        return None

    def enqueue(self) -> None:
        """Take a free slot or a place in the queue, or be refused; what others left undone is done before that."""
        driver, ticket = self.driver, self.ticket

        def propose(state: State, now: float) -> Step | None:
            ticket.number = state.version + 1
            if state.free or core.refusal(state, driver.options, self.patient, now) is not None:
                return None
            return core.enqueue(state, driver.options, ticket, now)

        helped = False
        while ticket.record.state == NEW:
            state = driver.atom.value
            if State.of(state).free:
                if not self.grant(state, driver.options) and not self.tidy():
                    self.grant(state, replace(driver.options, max_idle=UNBOUNDED))
            elif driver.step(propose) is None:
                row = core.refusal(State.of(state), driver.options, self.patient, driver.monotonic())
                hopeless = row in ("REFUSE-CLOSED", "REFUSE-EMPTY")  # whatever work is done first
                if row is None or not driver.atom.unchanged(state):
                    continue
                if hopeless or helped or not driver.help():
                    if driver.observer is not None:
                        driver.observe(state, (Fired(row),))
                    raise refused(driver, row)
                helped = True  # one piece is enough to ask of a caller that will not wait

    def grant(self, state: PlainState, options: Options) -> bool:
        """Take the next free slot, if that is all there is to do.  [GRANT-FREE]"""
        driver, ticket = self.driver, self.ticket
        granted = core.grant_free(state, options, driver.monotonic(), ticket.who)
        if granted is None:
            return False
        new, slot, hold = granted
        # Nobody else knows this ticket, so its register may be written before the commit: `cancel` looks at the slot.
        ticket.number, ticket.record = hold[4], TicketRecord(GRANTED, None, slot, hold)
        if not driver.atom.commit(state, new, ((slot, hold),), ()):
            ticket.record = TicketRecord(NEW)
        elif driver.observer is not None:
            driver.observe(new, (Fired("GRANT-FREE", slot.number, ticket.number),))
        return True

    def tidy(self) -> bool:
        """Discard free slots that are too old or were idle for too long; whether there were any."""
        driver = self.driver
        expired = driver.step(lambda state, now: core.expire(state, driver.options, now))
        return (expired or driver.step(lambda state, now: core.shrink(state, driver.options, now))) is not None

    def build(self, slot: Slot) -> None:
        """Carry out the build that is bound to the ticket, here or in the executor."""
        duty = Duty(self.driver, Build(slot, slot.record))
        # From here on the duty owes the build, not the waiter: it gives the build back if it is never carried out.
        self.begun = slot
        self.driver.dispatch(duty)

    def late(self) -> bool:
        """Give up if the deadline has passed; true if it has, but the ticket got its outcome before."""
        if self.deadline is None or self.driver.monotonic() < self.deadline:
            return False
        if self.withdraw():
            self.abandon_build()
            raise timed_out(self.driver, self.asked)
        return True

    def withdraw(self) -> bool:
        driver = self.driver
        return driver.step(lambda state, now: core.withdraw(state, driver.options, self.ticket, now)) is not None

    def abandon_build(self) -> None:
        """Give up a build that was assigned and not begun: whatever woke this waiter, it needs it no more."""
        slot = self.ticket.record.build
        if slot is not None and slot is not self.begun and read(slot).state == CREATING:
            self.driver.settle(slot, slot.record, core.build_abandoned)

    def claim(self, record: TicketRecord) -> Any:
        """The ticket was granted: make it a lease, unless the check says no."""
        slot, hold = record.slot, record.hold
        assert slot is not None  # GRANTED says so
        assert hold is not None
        if slot.record is not hold:  # it was revoked; or the commit that granted it is under way: let that one end
            self.driver.atom.unchanged(self.driver.atom.value)
        lease = self.leases[self.reset is not None]()
        if self.reset is not None:
            # The slot is the new holder's alone, so this may be written. The number tells for whose lease it is meant.
            slot.reset = OwnReset(hold[4], self.reset)
        lease._driver, lease._record, lease._slot = self.driver, hold, slot
        self.abandon_build()
        return lease if self.driver.settings.check is None or self.passes(lease, slot, hold) else None

    def rejected(self, lease: Any, slot: Slot, hold: PlainRecord, cause: Exception | None) -> None:
        """The resource did not pass: its slot goes, and the ticket waits again, unless the acquire ends with that."""
        if self.driver.inherited(slot):  # check forked, and this is the child: start anew
            self.ticket.record = TicketRecord(NEW)
            return
        if self.driver.settle(slot, hold, core.check_failed, ticket=self.ticket) is None:
            if not self.driver.is_open:
                raise refused(self.driver, "REFUSE-CLOSED")
            lease._raise_stale()  # it was revoked during the check
        if self.ticket.record.state == REFUSED and self.driver.is_open:
            raise CheckFailed(
                f"{describe(self.driver)}: a resource failed its check right after it was built [CHECK-TERMINATES]"
            ) from cause

    def cancel(self) -> None:
        """Whatever interrupted the call: leave no trace of the ticket.  [WITHDRAW]"""
        self.withdraw()
        record = self.ticket.record
        if record.state == GRANTED and record.slot is not None and record.hold is not None:
            if self.reset is not None:
                record.slot.reset = OwnReset(record.hold[4], self.reset)
            self.driver.give_back(record.slot, record.hold, reset=self.reset is not None)
        self.abandon_build()


class Waiter(BaseWaiter):
    """One acquire call of a thread."""

    __slots__ = ()
    leases = (Lease, ResettingLease)

    def wait(self) -> Lease[Any]:
        """The whole slow acquire.  [QUEUE] [WITHDRAW] and, through its ticket, HAND-OFF and BUILD-START."""
        try:
            while True:
                lease: Lease[Any] | None = self.look()
                if lease is not None:
                    self.leased = True
                    return lease
        except BaseException:
            self.cancel()
            self.leased = True  # or rather, nothing is left to give back
            raise

    def sleep(self) -> None:
        """Park until something happened to the ticket; withdraw it when the deadline has passed."""
        timeout = None if self.deadline is None else self.deadline - self.driver.monotonic()
        if (timeout is None or timeout > 0) and self.ticket.parker.park(timeout):
            return
        self.late()

    def passes(self, lease: Lease[Any], slot: Slot, hold: PlainRecord) -> bool:
        """Check the resource; if it fails, the ticket is back at the head of the queue or refused.
        [CHECK-FAILED] [CHECK-REFUSED]"""
        check = self.driver.settings.check
        assert check is not None
        cause: Exception | None = None
        resource = slot.resource  # first: once the lease is revoked, the cell may be emptied
        try:
            if lease.held and any([*map(check, if_ours(self.driver, slot, resource))]) and lease.held:
                return True
        except Exception as error:
            cause = error
        except BaseException:
            self.driver.settle(slot, hold, core.discard)
            raise
        self.rejected(lease, slot, hold, cause)
        return False


def wait_until_closed(driver: Driver, deadline: float | None) -> None:
    """Sleep until the last slot is gone, at most until *deadline*; meanwhile do what others left undone."""
    closer = Ticket(0, driver.here.who, driver.runtime.parker())
    registered = False
    try:
        while driver.state.ledger.phase == CLOSING:
            if driver.help():
                continue
            timeout = None if deadline is None else deadline - driver.monotonic()
            if timeout is not None and timeout <= 0:
                return
            if registered:
                closer.parker.park(timeout)
            else:  # and look again: the end may have come before
                registered = True
                driver.step(lambda state, now: core.await_closed(state, driver.options, closer, now))
    finally:
        if registered:
            driver.step(lambda state, now: core.leave_closers(state, driver.options, closer, now))
