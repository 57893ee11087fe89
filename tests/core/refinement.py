"""What it means that the core agrees with the model in one state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import poolmodel
import specification
from core.calls import ARRIVAL, Call, calls, has_fit_free
from core.worlds import NOW, Built, after, alpha
from poolmodel import machine
from poolproof import core
from poolproof.core.values import Fired, Slot, Step, Ticket
from poolproof.core.world import World, broken

Outcomes = Mapping[poolmodel.Event, poolmodel.Outcome]
EFFECTS = {row.id: row.effects for row in specification.rows()}

# Rows that no function of the core proposes: AGE is no step, and FORK begins anew.
NOT_PROPOSED = ("AGE", "FORK")


def outcomes(state: poolmodel.State, config: poolmodel.Config, domain: poolmodel.Domain) -> Outcomes:
    """Everything that the model allows in *state*."""
    return {event: machine.perform(state, config, event) for event in machine.enabled(state, config, domain)}


def disagreements(
    state: poolmodel.State,
    config: poolmodel.Config,
    built: Built,
    allowed: Outcomes,
    domain: poolmodel.Domain,
) -> Iterator[str | poolmodel.Event]:
    """Every event that the core proposes in *built*, and, as text, every way in which it is not the model's."""
    world = built.world()
    for complaint in broken(world, built.options):
        yield f"gamma breaks {complaint}"
    if (seen := alpha(world, built.options, built.now)) != state:
        yield f"alpha of gamma is {seen}"
    cells: list[Slot | Ticket] = [*built.slots.values(), *built.tickets.values()]
    registers = [(cell, cell.record) for cell in cells]
    for call in calls(built, config, domain.tickets, domain.limits):
        if call.step is not None:
            yield from call.events()
            yield from (f"{call.name}: {why}" for why in wrong(state, config, built, call, allowed))
    if any(cell.record is not record for cell, record in registers):
        yield "the core wrote to a register"


def wrong(
    state: poolmodel.State, config: poolmodel.Config, built: Built, call: Call, allowed: Outcomes
) -> Iterator[str]:
    """In which ways the step of *call* is not what the model does."""
    step = call.step
    assert step is not None
    fired: tuple[machine.Fired, ...] = ()
    expected = state
    # An explorer may use the number of an absent slot again; the core never does.
    new_slot = next((each.slot for each in step.fired if each.row == "BUILD-START"), None)
    for place, event in enumerate(call.events()):
        try:
            if place == 0 and event in allowed and new_slot is None:
                outcome = allowed[event]
            else:
                outcome = poolmodel.step(expected, config, event._replace(new_slot=new_slot))
        except poolmodel.NotEnabled as error:
            yield f"{event.row} is not enabled in the model: {error}"
            return
        expected, fired = outcome.state, (*fired, *outcome.fired)
    if tuple(map(tuple, step.fired)) != tuple(map(tuple, fired)):
        yield f"fires {step.fired}, the model {fired}"
    world = after(built.world(), step)
    expected = aged(expected, config, step, built, world)
    if (reached := alpha(world, built.options, built.now)) != expected:
        yield f"leads to {reached}, in the model to {expected}"
    for clause in broken(world, built.options):
        yield f"breaks {clause}"
    yield from wrong_outputs(state, expected, built, step)


def aged(state: poolmodel.State, config: poolmodel.Config, step: Step, built: Built, world: World) -> poolmodel.State:
    """*state*, and AGE for what was granted for the last time: the use that has begun was its last."""
    granted = {fired.slot for fired in step.fired if fired.row in ("GRANT-FREE", "HAND-OFF")}
    for slot, record in world.slots:
        if slot.number in granted and record.uses == built.options.max_uses:
            state = poolmodel.step(state, config, poolmodel.Event("AGE", slot=slot.number)).state
    return state


def wrong_outputs(before: poolmodel.State, reached: poolmodel.State, built: Built, step: Step) -> Iterator[str]:
    """In which ways effects and wakes are not those of the table for the rows that fired."""
    returning = {slot.number for slot in reached.slots if slot.state == "returning"}
    effects: list[tuple[str, int | None]] = []
    due = told(before, reached)
    for fired in step.fired:
        effects += due_effects(fired, returning)
        if "Wake" in EFFECTS[fired.row]:
            due |= woken(fired.row, fired.ticket, before)
    mine = [(type(effect).__name__, effect.slot.number) for effect in step.effects]
    if sorted(mine) != sorted(effects, key=str):
        yield f"asks for {mine}, the table for {effects}"
    # Of unowned work whoever is first may be told once more than it must, and one who does not build is told too.
    wakes = {ticket.number for ticket in step.wakes}
    building = {slot.bound for slot in reached.slots if slot.state == "creating"}
    idle = [ticket for ticket in reached.queue if ticket not in building]
    spare = {*reached.queue[:1], *idle[:1]} if unowned(reached) else set()
    if not due <= wakes <= due | spare:
        yield f"wakes {wakes}, the table {due}"
    if len(step.moves) > 3:
        yield f"moves {len(step.moves)} registers"
    moves = dict(step.moves)
    for effect in step.effects:
        if moves.get(effect.slot, effect.slot.record) is not effect.record:
            yield f"{effect} is held by a record that stands nowhere"


def due_effects(fired: Fired, returning: set[int]) -> Iterator[tuple[str, int | None]]:
    """The effects that the table names for a row, other than waking."""
    for effect in EFFECTS[fired.row]:
        if effect == "Reset or Destroy":
            yield ("Reset" if fired.slot in returning else "Destroy", fired.slot)
        elif effect in ("Reset", "Destroy") or (effect != "Wake" and fired.ticket is None):
            # What a ticket was granted it checks itself, and the build that is bound to it is its own too.
            yield (effect, fired.slot)


def woken(row: str, ticket: int | None, before: poolmodel.State) -> set[int]:
    """Whom a row wakes: the ticket that it moves, or all of a queue that closes."""
    if row == "CLOSE":
        return set(before.queue)
    # Whoever waits for the end of closing is no ticket of the model; who takes over work is `told`.
    return set() if ticket is None or row in ("CLOSED", "ABANDON", "ORPHAN") else {ticket}


def told(before: poolmodel.State, reached: poolmodel.State) -> set[int]:
    """Who must be told of unowned work: the first who waits, if there is more of it, or if another was first."""
    more = unowned(reached) - unowned(before)
    changed = reached.queue[:1] != before.queue[:1] and before.queue
    return set(reached.queue[:1]) if more or (unowned(reached) and changed) else set()


def unowned(state: poolmodel.State) -> set[int]:
    return {slot.number for slot in state.slots if slot.state in ("returning", "discarded") and not slot.owned}


def must_be_proposed(allowed: Iterable[poolmodel.Event], state: poolmodel.State) -> set[poolmodel.Event]:
    """The events of *allowed* that some call must propose: all, but for choices that the surface has settled.

    Of the rows of an acquire the first allowed one is taken, REFUSE-TIMEOUT only with a timeout of zero. A limit
    that is there already is no change. Which object is offered (ADD) is the driver's to look at.
    """
    arriving: dict[int | None, list[poolmodel.Event]] = {}
    due = set()
    for event in allowed:
        if event.row in ARRIVAL:
            arriving.setdefault(event.ticket, []).append(event)
        elif event.row not in NOT_PROPOSED and not (event.row == "RESIZE" and event.limit == state.limit):
            due.add(event._replace(resource=None))
    for events in arriving.values():
        events.sort(key=lambda event: ARRIVAL.index(event.row))
        due.add(events[0])
        due.update([event for event in events if event.row != "REFUSE-TIMEOUT"][:1])
    return due


def wrong_ageing(built: Built, allowed: Outcomes) -> Iterator[str]:
    """AGE: time passes, and the same world stands for the state in which the slot is unfit."""
    for event, outcome in allowed.items():
        if event.row == "AGE" and event.slot is not None:
            slot = built.slots[event.slot]
            slot.expires, expires = NOW, slot.expires
            if (seen := alpha(built.world(), built.options, built.now)) != outcome.state:
                yield f"{event} leads to {seen}, in the model to {outcome.state}"
            slot.expires = expires


def wrong_arrival_behind_unfit(built: Built) -> Iterator[str]:
    """An unfit slot may stand before a fit one. Then EXPIRE comes first, and the acquire is granted at once."""
    if core.grant_free(built.state, built.options, built.now, "client") is None and has_fit_free(
        built.state, built.options, built.now
    ):
        step = core.expire(built.state, built.options, built.now)
        if step is None or core.grant_free(step.state, built.options, built.now, "client") is None:
            yield "a fit free slot is not granted after EXPIRE"
