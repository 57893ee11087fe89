"""Pools with one mistake each, as tables: what the checks must find, and under which name.

Each mutant is a mistake that some pool in use has really made. A mutant replaces rows of the table and leaves the rest
of the model alone; the property that is expected to find it stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from poolmodel.machine import Rows
from poolmodel.rows import ROWS
from poolmodel.state import (
    Config,
    Domain,
    Event,
    Guard,
    Row,
    State,
    below_limit,
    count,
    discard,
    drop,
    enter_free,
    find,
    grant,
    is_new,
    unlist,
)

Apply = Callable[[State, Config, Event], State]


class Mutant(NamedTuple):
    """A table with one mistake, the scope that shows it, and the property that must name it."""

    name: str
    rows: Rows
    scope: str
    caught_by: str


def never(state: State, config: Config, event: Event) -> bool:
    return False


def always(state: State, config: Config, event: Event) -> bool:
    return True


def without(row: str, guard: str, rows: Rows = ROWS) -> Rows:
    """The table with one guard of one row dropped."""
    kept = {name: holds for name, holds in rows[row].guards.items() if name != guard}
    return {**rows, row: rows[row]._replace(guards=kept)}


def guarded(row: str, name: str, guard: Guard, rows: Rows = ROWS) -> Rows:
    """The table with one guard of one row replaced, or added."""
    return {**rows, row: rows[row]._replace(guards={**rows[row].guards, name: guard})}


def doing(row: str, apply: Apply, rows: Rows = ROWS) -> Rows:
    """The table with what one row does replaced."""
    return {**rows, row: rows[row]._replace(apply=apply)}


def with_barging() -> Rows:
    """A slot that becomes free stays free; whoever waited longest is woken and has to be quicker than newcomers."""
    woken = ROWS["HAND-OFF"]._replace(inside=False)
    return without("GRANT-FREE", "nobody-waits", {**ROWS, "HAND-OFF": woken})


def woken_but_respected() -> Rows:
    """As ``with_barging``, but newcomers let the woken one pass: a control, in which nobody starves."""
    return {**ROWS, "HAND-OFF": ROWS["HAND-OFF"]._replace(inside=False)}


def with_double_grant() -> Rows:
    """A newcomer may be given what somebody else holds."""

    def taken(state: State, config: Config, domain: Domain) -> list[Event]:
        held = [slot for slot in state.slots if slot.state == "checked_out"]
        tickets = [ticket for ticket in domain.tickets if is_new(state, ticket)]
        return [Event("GRANT-FREE", slot.number, ticket) for slot in held for ticket in tickets]

    rows = without("GRANT-FREE", "nobody-waits")
    return {**rows, "GRANT-FREE": rows["GRANT-FREE"]._replace(subjects=taken)}


def discard_and_forget(state: State, config: Config, event: Event) -> State:
    return drop(unlist(state, event.slot), event.slot)


def grant_and_keep_free(state: State, config: Config, event: Event) -> State:
    after = grant(state, event.slot, event.ticket)
    return after._replace(free=state.free)


def close_without_waking(state: State, config: Config, event: Event) -> State:
    return ROWS["CLOSE"].apply(state, config, event)._replace(queue=state.queue)


def release_but_keep_the_lease(state: State, config: Config, event: Event) -> State:
    """The slot is offered to others, and its lease has not ended."""
    return ROWS["RELEASE"].apply(state, config, event)._replace(slots=state.slots)


def to_the_tail(state: State, config: Config, event: Event) -> State:
    after = ROWS["CHECK-FAILED"].apply(state, config, event)
    return after._replace(queue=(*after.queue[1:], after.queue[0]))


def shrink_the_newest(state: State, config: Config, event: Event) -> State:
    newest = state.free[0] if config.order == "lifo" else state.free[-1]
    return ROWS["SHRINK"].apply(state, config, event._replace(slot=newest))


def failed_build_keeps_its_place(state: State, config: Config, event: Event) -> State:
    """The slot is gone and its ticket waits on, to try again for ever."""
    return drop(state, event.slot)


def refuse_but_keep_waiting(state: State, config: Config, event: Event) -> State:
    return state


def renew_the_free_only(state: State, config: Config, event: Event) -> State:
    after = ROWS["RENEW"].apply(state, config, event)
    unfit = {slot.number for slot in state.slots if slot.unfit}
    return after._replace(slots=tuple(slot._replace(unfit=slot.number in unfit) for slot in after.slots))


def adopt_and_discharge(state: State, config: Config, event: Event) -> State:
    """Whoever passes by takes unowned work off the list, and its slot with it."""
    return drop(state, event.slot)


def destroy_in_the_finalizer(state: State, config: Config, event: Event) -> State:
    return discard(state, event.slot, owned=True)


def lose_and_retry_at_once(state: State, config: Config, event: Event) -> State:
    return drop(state, event.slot)


def grant_and_keep_waiting(state: State, config: Config, event: Event) -> State:
    return grant(state, event.slot, event.ticket)._replace(queue=state.queue)


def free_but_held(state: State, config: Config, event: Event) -> State:
    return enter_free(state, config, find(state, event.slot)._replace(state="free"))


def withdraw_and_keep_the_build(state: State, config: Config, event: Event) -> State:
    return state._replace(queue=tuple(ticket for ticket in state.queue if ticket != event.ticket))


def no_row(name: str) -> Rows:
    nobody: Row = ROWS[name]._replace(subjects=lambda state, config, domain: ())
    return {**ROWS, name: nobody}


def newest_first(state: State, config: Config, event: Event) -> bool:
    return state.queue[-1] == event.ticket


def short_without_limit(state: State, config: Config, event: Event) -> bool:
    return count(state, "creating") < len(state.queue)


def short_without_demand(state: State, config: Config, event: Event) -> bool:
    return state.phase == "open" and below_limit(state)


NO_HAND_OFF = guarded("HAND-OFF", "lost", never)

# Name, table, scope, and the property that finds it.
MUTANTS = tuple(
    Mutant(*each)
    for each in (
        ("barging", without("GRANT-FREE", "nobody-waits", NO_HAND_OFF), "ordinary", "WORK-CONSERVING"),
        ("lost hand-off", NO_HAND_OFF, "ordinary", "WORK-CONSERVING"),
        ("newest first", guarded("HAND-OFF", "longest-waiting", newest_first), "ordinary", "WAIT-FIFO"),
        ("freed before destroy", doing("DISCARD", discard_and_forget), "ordinary", "CAPACITY-UNTIL-DESTROYED"),
        ("double grant", with_double_grant(), "ordinary", "EXCLUSIVE"),
        ("granted slot stays listed", doing("GRANT-FREE", grant_and_keep_free), "ordinary", "COUNTS-RECOUNT"),
        ("waiters forgotten at close", doing("CLOSE", close_without_waking), "ordinary", "CLOSE-FINAL"),
        ("overshoot build", guarded("BUILD-START", "short", short_without_limit), "ordinary", "CAPACITY"),
        ("unwanted build", guarded("BUILD-START", "short", short_without_demand), "ordinary", "CREATE-DEMAND"),
        ("unfit granted", guarded("GRANT-FREE", "fit", always), "ordinary", "NEVER-STALE"),
        ("unowned work forgotten", doing("ADOPT", adopt_and_discharge), "ordinary", "CAPACITY-UNTIL-DESTROYED"),
        ("work taken over twice", without("ADOPT", "unowned"), "ordinary", "DUTY-OWNED"),
        ("release ends no lease", doing("RELEASE", release_but_keep_the_lease), "ordinary", "LEASE-ONCE"),
        ("failed check loses the turn", doing("CHECK-FAILED", to_the_tail), "check", "CHECK-KEEPS-TURN"),
        ("shrink takes the newest", doing("SHRINK", shrink_the_newest), "given", "OLDEST-FIRST"),
        ("refused ticket waits on", doing("BUILD-FAILED", failed_build_keeps_its_place), "ordinary", "ONE-OUTCOME"),
        ("withdrawn ticket waits on", doing("WITHDRAW", refuse_but_keep_waiting), "ordinary", "ONE-OUTCOME"),
        ("renew spares what is in use", doing("RENEW", renew_the_free_only), "renew", "RENEW-ALL"),
        ("destroy in the finalizer", doing("ABANDON", destroy_in_the_finalizer), "reset", "LEASE-ABANDONED"),
        ("retry without delay", doing("BUILD-LOST", lose_and_retry_at_once), "min-size", "RETRY-BACKOFF"),
        ("granted ticket waits on", doing("HAND-OFF", grant_and_keep_waiting), "ordinary", "ONE-OUTCOME"),
        ("free slot names a lease", doing("RELEASE", free_but_held), "ordinary", "EXCLUSIVE"),
        ("withdrawn ticket keeps a build", doing("WITHDRAW", withdraw_and_keep_the_build), "ordinary", "DUTY-OWNED"),
        ("nobody adopts", no_row("ADOPT"), "ordinary", "WAIT-ENDS"),
    )
)
