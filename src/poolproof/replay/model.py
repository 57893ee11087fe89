"""The model on its way through a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import poolmodel
from poolmodel.machine import Fired as ModelFired
from poolmodel.machine import NotEnabled
from poolmodel.state import Config, Event, Slot, State, count, oldest_free
from poolproof.replay.findings import Finding
from poolproof.replay.recorder import bounded, is_refusal
from poolproof.reports import Fired, PoolEvent, PoolSetup, PoolStats

GRANTS = frozenset(("GRANT-FREE", "HAND-OFF"))
SEVERAL_AT_ONCE = frozenset(("EXPIRE", "SHRINK"))


class Disagreement(Exception):
    """The model does not do what the trace says."""


class Model:
    """The model on its way through a trace: every state that it may be in.

    Nearly always there is one. There are two while it is open whether a slot was too old when its lease was
    abandoned: whether it is to be reset or destroyed shows when the work is done.
    """

    def __init__(self, setup: PoolSetup, limit: float) -> None:
        free = range(1, setup.given + setup.built + 1)
        self.setup = setup
        self.version = 0
        self.uses: dict[int | None, int] = {}
        self.came_back: set[int | None] = set()
        self.states = [State("open", bounded(limit), tuple(Slot(each, "free") for each in free), tuple(free))]
        # Any lease may bring a reset of its own.
        self.config = Config(
            bounded(limit), setup.factory, setup.min_size, setup.reset, lease_reset=True, check=setup.check,
            max_waiting=setup.max_waiting, when_empty=setup.when_empty, order=setup.order,  # type: ignore[arg-type]
        )  # fmt: skip

    def follow(self, event: PoolEvent) -> Iterator[Finding]:
        """Take the step of *event*, or say why the model cannot."""
        if event.fired:
            reached, why = list[State](), ""
            for state in [each for before in self.states for each in self.beginnings(before, event.fired)]:
                try:
                    reached.append(self.after(state, event))
                except (Disagreement, NotEnabled) as error:
                    why = why or f"{reason(error)}\n{shown(state)}"
            if not reached:
                yield Finding("TRACE-REPLAYS", event.version, f"the pool fired {rows(event.fired)}; {why}")
                return
            self.states = self.worn(list(dict.fromkeys(reached)), event.fired)
        self.version = max(self.version, event.version)
        if self.states[0].limit != bounded(event.limit):
            what = f"the limit is {event.limit}, in the model {self.states[0].limit}"
            yield Finding("TRACE-REPLAYS", event.version, what)

    def beginnings(self, state: State, fired: tuple[Fired, ...]) -> list[State]:
        """*state*, and what it may have become by time before these rows fired.  [AGE]"""
        if not self.setup.ages:
            return [state]
        row = fired[0].row
        state = self.aged(state, [each.slot for each in fired if each.row == "EXPIRE"])
        if row in ("BUILD-LATE", "ABANDON"):
            return list(dict.fromkeys((state, self.aged(state, [fired[0].slot]))))
        if row in ("REFUSE-TIMEOUT", "REFUSE-BUSY"):
            return list(dict.fromkeys((state, self.aged(state, state.free))))
        return [state]

    def aged(self, state: State, slots: Iterable[int | None]) -> State:
        for slot in state.slots:
            if slot.number in slots and slot.state != "discarded" and not slot.unfit:
                state = poolmodel.step(state, self.config, Event("AGE", slot.number)).state
        return state

    def after(self, state: State, event: PoolEvent) -> State:
        """The state that the rows of *event* lead to from *state*, one row after the other."""
        fired = event.fired
        built = next((each.slot for each in fired if each.row == "BUILD-START"), None)
        ticket = -1 if is_refusal(event) else None
        while fired:
            row, slot, holder = fired[0]
            if row not in poolmodel.ROWS or row in ("AGE", "FORK"):
                raise Disagreement(f"{row!r} is no row that a pool's step begins with")
            if row == "SHRINK" and slot in self.came_back:
                state = unused_for_longest(state, self.config, slot)
            step = Event(row, slot, holder if ticket is None else ticket, bounded(event.limit), built)
            outcome = poolmodel.step(state, self.config, step)
            expected = outcome.fired if ticket is None else (ModelFired(row, None, None),)
            if tuple(map(tuple, fired[: len(expected)])) != tuple(map(tuple, expected)):
                raise Disagreement(f"the model fires {rows(expected)}")
            state, fired = outcome.state, fired[len(expected) :]
            if fired and not (fired[0].row == row and row in SEVERAL_AT_ONCE):
                raise Disagreement(f"the model fires {rows(expected)}, and nothing more")
        return state

    def worn(self, states: list[State], fired: tuple[Fired, ...]) -> list[State]:
        """Count grants: a slot is unfit once its last allowed use has begun.  [AGE]"""
        for row, slot, _ in fired:
            if row == "RESET-OK":
                self.came_back.add(slot)
            elif row in GRANTS:
                self.uses[slot] = self.uses.get(slot, 0) + 1
                if self.uses[slot] == self.setup.max_uses:
                    states = [self.aged(state, [slot]) for state in states]
        return states

    def compare(self, stats: PoolStats) -> Iterator[Finding]:
        """The counts of the pool are those of the model."""
        told = {name: getattr(stats, name) for name in counts(self.states[0])}
        fitting = [state for state in self.states if counts(state) == told]
        if not fitting:
            counted = counts(self.states[0]).items()
            wrong = [f"{name} {told[name]}, not {it}" for name, it in counted if told[name] != it]
            what = f"stats say {', '.join(wrong)}\n{shown(self.states[0])}"
            yield Finding("COUNTS-RECOUNT", stats.version, what)
        self.states = fitting or self.states


def counts(state: State) -> dict[str, object]:
    """What `PoolStats` tells of a state."""
    names = ("creating", "free", "checked_out", "returning", "discarded")
    return {
        "phase": state.phase,
        "limit": state.limit,
        "live": len(state.slots),
        "waiting": len(state.queue),
        "backlog": sum(slot.state in ("returning", "discarded") and not slot.owned for slot in state.slots),
        **{name: count(state, name) for name in names},  # type: ignore[arg-type]
    }


def unused_for_longest(state: State, config: Config, slot: int | None) -> State:
    """*state* with this free slot where the one stands that leaves first."""
    if slot not in state.free or slot == oldest_free(state, config):
        return state
    others = tuple(other for other in state.free if other != slot)
    return state._replace(free=(*others, slot) if config.order == "lifo" else (slot, *others))


def reason(error: Disagreement | NotEnabled) -> str:
    """Why the model does not go along."""
    if isinstance(error, Disagreement):
        return str(error)
    needs = f"it needs {', '.join(error.false)}" if error.false else "it does not start from this state"
    return f"the model does not allow {error.event.row}: {needs}"


def rows(fired: Iterable[tuple[str, int | None, int | None]]) -> str:
    """Rows as one reads them: ``QUEUE ticket 4, HAND-OFF slot 1 ticket 3``."""
    parts = []
    for row, slot, ticket in fired:
        numbers = [f"slot {slot}"] * (slot is not None) + [f"ticket {ticket}"] * (ticket is not None)
        parts.append(" ".join([row, *numbers]))
    return ", ".join(parts)


def shown(state: State) -> str:
    """A state of the model, a line for each slot."""
    queue = " ".join(map(str, state.queue)) or "nobody"
    lines = [f"    {state.phase}, limit {state.limit}, waiting: {queue}{', backing off' * state.backing_off}"]
    for slot in state.slots:
        place = f", place {state.free.index(slot.number) + 1}" if slot.number in state.free else ""
        who = f" by ticket {slot.holder}" if slot.holder else f" for ticket {slot.bound}" if slot.bound else ""
        marks = "".join(f", {mark}" for mark in ("unfit", "fresh", "owned") if getattr(slot, mark))
        lines.append(f"    slot {slot.number}: {slot.state}{who}{place}{marks}")
    return "\n".join(lines)
