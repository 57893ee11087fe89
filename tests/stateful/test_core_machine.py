"""The core against the model, beyond the sizes that can be explored: long random runs with virtual time.

Every step is one call of the core, checked against the model and then committed. A failing run prints the rows that
fired, in order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import poolmodel
from core.calls import Call, arrivals, calls, first_state, holdings, owned_calls, pool_calls
from core.refinement import wrong
from core.worlds import Built, alpha, commit, options_of
from poolproof import core
from poolproof.core.values import GRANTED, UNBOUNDED, WAITING, Record, State, Ticket, TicketRecord, read
from poolproof.core.world import broken

CLIENTS = 8
LIMITS = (3, 4, 6, 2, 1, None, 5, 0)

configs = st.builds(
    poolmodel.Config,
    limit=st.sampled_from(LIMITS),
    factory=st.sampled_from((True, True, False)),
    min_size=st.integers(0, 3),
    reset=st.booleans(),
    lease_reset=st.booleans(),
    check=st.booleans(),
    max_waiting=st.sampled_from((None, 0, 1, 3)),
    when_empty=st.sampled_from(("wait", "raise")),
    order=st.sampled_from(("lifo", "fifo")),
)
choices = st.integers(0, 2**16)


class CoreMachine(RuleBasedStateMachine):
    """A world of the core that moves only by steps that the model allows."""

    @initialize(config=configs, max_uses=st.sampled_from((UNBOUNDED, 3, 1)), life=st.sampled_from((1000, 60, 20)))
    def begin(self, config: poolmodel.Config, max_uses: float, life: int) -> None:
        self.config, self.life = config, life
        options = replace(options_of(config), max_uses=max_uses)
        self.built = Built(first_state(config), options, {}, {}, now=0.0)
        self.model = poolmodel.initial(config)
        self.rows: list[str] = []
        self.numbers = 0

    # Doing.

    def make(self, call: Call) -> None:
        """Check the step that *call* proposes against the model, and make it true."""
        step = call.step
        if step is None:
            return
        found = list(wrong(self.model, self.config, self.built, call, {}))
        assert not found, f"{call.name}: {found}"
        self.rows += [fired.row for fired in step.fired]
        commit(self.built, step)
        fired = step.fired[0]
        if fired.row == "GRANT-FREE" and fired.ticket is not None and fired.slot is not None:
            slot = self.built.slots[fired.slot]
            ticket = self.built.tickets[fired.ticket] = Ticket(fired.ticket, "client", None)
            ticket.record = TicketRecord(GRANTED, None, slot, slot.record)
        self.model = self.seen()
        self.forget()

    def seen(self) -> poolmodel.State:
        return alpha(self.built.world(), self.built.options, self.built.now)

    def forget(self) -> None:
        """Drop the tickets that have ended."""
        present = {*self.model.queue, *(slot.holder for slot in self.model.slots)}
        self.built.tickets = {n: ticket for n, ticket in self.built.tickets.items() if n in present}

    def choose(self, found: list[Call], choice: int) -> None:
        proposed = [call for call in found if call.step is not None]
        if proposed:
            self.make(proposed[choice % len(proposed)])

    def owned(self, states: tuple[str, ...], choice: int, names: tuple[str, ...] = ()) -> None:
        """One of the calls that the owner of a slot in one of *states* may make."""
        held = holdings(self.built)
        found = [
            (slot, name, call)
            for slot in self.built.slots.values()
            if held[slot] in states
            for name, call in owned_calls(self.built, self.config, slot, held[slot])
            if not names or name in names
        ]
        if found:
            slot, name, call = found[choice % len(found)]
            self.make(Call(name, call(self.built.state, self.built.options, slot, read(slot))))

    def some(self, *states: str) -> bool:
        return any(slot.state in states for slot in self.model.slots)

    # Rules.

    @precondition(lambda self: len(self.built.tickets) < CLIENTS)
    @rule(choice=choices)
    def acquire(self, choice: int) -> None:
        self.numbers = max(self.numbers, self.built.state.version) + 1
        self.choose(list(arrivals(self.built, self.numbers)), choice)

    @precondition(lambda self: self.model.queue)
    @rule(choice=choices)
    def give_up(self, choice: int) -> None:
        built = self.built
        tickets = [ticket for ticket in built.tickets.values() if ticket.record.state == WAITING]
        if tickets:
            ticket = tickets[choice % len(tickets)]
            self.make(Call("withdraw", core.withdraw(built.state, built.options, ticket, built.now)))

    @precondition(lambda self: self.some("creating"))
    @rule(choice=choices, age=st.sampled_from((1.0, 5.0, UNBOUNDED)))
    def finish_build(self, choice: int, age: float) -> None:
        for slot in self.built.slots.values():
            if read(slot).state == "creating" and slot.expires == UNBOUNDED:
                slot.expires = self.built.now + age
        self.owned(("creating",), choice, ("build_ok",))

    @precondition(lambda self: self.some("creating"))
    @rule(choice=choices)
    def fail_build(self, choice: int) -> None:
        self.owned(("creating",), choice, ("build_failed", "build_abandoned"))

    @precondition(lambda self: self.some("checked_out"))
    @rule(choice=choices)
    def release(self, choice: int) -> None:
        self.check_fast_release(choice)
        self.owned(("checked_out",), choice, ("release", "abandon"))

    @precondition(lambda self: self.some("checked_out"))
    @rule(choice=choices)
    def end_lease(self, choice: int) -> None:
        self.owned(("checked_out",), choice)

    @precondition(lambda self: self.some("returning", "discarded"))
    @rule(choice=choices)
    def do_work(self, choice: int) -> None:
        self.owned(("returning", "discarded"), choice, ("reset_ok", "reset_failed", "destroyed"))

    @precondition(lambda self: self.some("returning", "discarded"))
    @rule(choice=choices)
    def leave_work(self, choice: int) -> None:
        self.owned(("returning", "discarded"), choice, ("orphan",))

    @rule()
    def adopt(self) -> None:
        self.make(Call("adopt", core.adopt(self.built.state, self.built.options, self.built.now)))

    @rule(choice=choices)
    def upkeep(self, choice: int) -> None:
        gated = ("close", "adopt", "renew")
        found = [call for call in pool_calls(self.built, ()) if call.name not in gated]
        self.choose(found, choice)

    @precondition(lambda self: self.some("free", "checked_out"))
    @rule(choice=choices)
    def look_at_a_slot(self, choice: int) -> None:
        found = list(calls(self.built, self.config, (), ()))
        self.choose([call for call in found if call.name in ("inspect", "remove")], choice)

    @precondition(lambda self: self.model.phase == "open" and len(self.rows) % 5 == 4)
    @rule(wanted=st.sampled_from((*LIMITS, "renew")))
    def change(self, wanted: int | Literal["renew"] | None) -> None:
        built = self.built
        if wanted == "renew":
            self.make(Call("renew", core.renew(built.state, built.options, built.now)))
        else:
            limit = UNBOUNDED if wanted is None else wanted
            self.make(Call("resize", core.resize(built.state, built.options, limit, built.now)))

    @rule(seconds=st.sampled_from((0.5, 1.0, 4.0, 64.0)))
    def pass_time(self, seconds: float) -> None:
        self.built.now += seconds

    # A closed pool has no depth.
    @precondition(lambda self: len(self.rows) >= self.life)
    @rule()
    def close(self) -> None:
        self.make(Call("close", core.close(self.built.state, self.built.options, self.built.now)))

    @precondition(lambda self: self.model.phase == "closed")
    @rule()
    def fork(self) -> None:
        self.built.state, self.built.slots, self.built.tickets = first_state(self.config), {}, {}
        self.model = poolmodel.initial(self.config)
        self.rows.append("FORK")

    # Checks.

    def check_fast_release(self, choice: int) -> None:
        """`release_quiet` agrees with `release` wherever it does not decline."""
        built = self.built
        held = [slot for slot, name in holdings(built).items() if name == "checked_out"]
        held = [slot for slot in held if read(slot).mark in (None, "fresh")]
        if not held:
            return
        slot = held[choice % len(held)]
        fast = core.release_quiet(built.state, built.options, slot, read(slot), built.now)
        if fast is not None:
            step = core.release(built.state, built.options, slot, read(slot), built.now, reset=False)
            assert step.moves == ((slot, Record._make(fast[1])),)
            assert step.state == State.of(fast[0])

    @invariant()
    def the_world_is_sound(self) -> None:
        assert [] == broken(self.built.world(), self.built.options)

    @invariant()
    def only_age_comes_by_itself(self) -> None:
        """Between steps nothing changes but that slots become unfit, for a reason.  [AGE]"""
        for slot in self.seen().slots:
            known = next(other for other in self.model.slots if other.number == slot.number)
            if slot.unfit and not known.unfit:
                cell = self.built.slots[slot.number]
                worn = read(cell).uses >= self.built.options.max_uses
                assert worn or cell.expires <= self.built.now
                event = poolmodel.Event("AGE", slot=slot.number)
                self.model = poolmodel.step(self.model, self.config, event).state
                self.rows.append("AGE")
        assert self.model == self.seen()

    def teardown(self) -> None:
        if hasattr(self, "rows"):
            note("rows: " + " ".join(self.rows))


@pytest.mark.stateful
@pytest.mark.clause("WAIT-FIFO", "WORK-CONSERVING", "CAPACITY", "CONSERVATION", "EXCLUSIVE", "ONE-OUTCOME")
def test_every_step_of_a_long_run_is_a_step_of_the_model() -> None:
    run_state_machine_as_test(CoreMachine, settings=settings(stateful_step_count=60))
