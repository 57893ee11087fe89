"""What a checker found, told to somebody who did not write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from poolmodel.lanes import summary
from poolmodel.machine import Fired
from poolmodel.state import State
from poolproof.conformance.history.events import History
from poolproof.conformance.history.points import Plan
from poolproof.conformance.history.worlds import CALLED, World

POOL = "(the pool)"


class Taken(NamedTuple):
    """One step of a witness: whose point it was (POOL: nobody's), what fired, and the world after it."""

    whose: str
    fired: tuple[Fired, ...]
    world: World


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a history can be explained, by steps of the model in an order that its operations allow.

    ``steps`` is such an order: of the whole history, or of its longest beginning that has one. ``explained`` is the
    number of entries of that beginning; ``reasons`` say why it does not go on.
    """

    plan: Plan
    checker: str
    holds: bool
    steps: tuple[Taken, ...]
    explained: int
    reasons: tuple[str, ...]
    looked_at: int

    @property
    def history(self) -> History:
        return self.plan.history

    def rows(self) -> list[str]:
        """The rows of the witness, in their order."""
        return [each.row for step in self.steps for each in step.fired]

    def __str__(self) -> str:
        entries, config = len(self.history.entries), self.history.config
        options = [
            f"{each.name} {getattr(config, each.name)!r}"
            for each in fields(config)
            if getattr(config, each.name) != each.default or each.name == "limit"
        ]
        head = [f"recorded, of a pool with {', '.join(options)}:", indented(str(self.history)), ""]
        if self.holds:
            return "\n".join([*head, "these steps of the model explain it:", *self.witness()])
        if self.explained == entries:
            what = "NOT linearizable. These steps of the model explain every entry, but the run may not end so:"
            tail = [f"  {reason}" for reason in self.reasons]
        else:
            what = f"NOT linearizable. These steps of the model explain entries 1 to {self.explained}:"
            tail = [f"  {reason}{self.whereabouts()}" for reason in self.reasons]
            tail.insert(0, "but none explain how it goes on:")
        return "\n".join([*head, what, *self.witness(), *tail])

    def whereabouts(self) -> str:
        """What became, in these steps, of the acquire whose outcome they do not explain."""
        op = self.history.entries[self.explained].op
        ticket = self.plan.tickets.get(op)
        if ticket is None or not self.steps:
            return ""
        world = self.steps[-1].world
        if (slot := world.held(ticket)) is not None:
            return f", but it holds r{slot.number}"
        if (fate := world.fate(ticket)) is not None:
            return f", but it met with {fate}"
        return ", but it waits" if ticket in world.state.queue else ", but its request cannot lead to that"

    def witness(self) -> list[str]:
        """The steps, one in each line: whose it is, the rows that fired, and the pool afterwards."""
        ops = {ticket: op for op, ticket in self.plan.tickets.items()}
        builds = {build: op for op, build in self.plan.builds.items()}
        lines = [
            (
                step.whose,
                ", ".join(told(each, ops, builds) for each in step.fired) or "–",
                legible(summary(with_ops(step.world.state, ops)), builds),
            )
            for step in self.steps
        ]
        if not lines:
            return ["  (none)"]
        wide = [max(len(line[column]) for line in lines) for column in (0, 1)]
        return [f"  {a.ljust(wide[0])}  {b.ljust(wide[1])}  {c}".rstrip() for a, b, c in lines]


def told(fired: Fired, ops: Mapping[int, int], builds: Mapping[int, int]) -> str:
    """``HAND-OFF r3 for 7``: slots are named by their resources, tickets by the acquire, builds by the create."""
    parts = [fired.row]
    if fired.slot is not None:
        parts.append(slot_name(fired.slot, builds))
    if fired.ticket is not None:
        parts.append(f"for {ops[fired.ticket]}")
    return " ".join(parts)


def slot_name(number: int, builds: Mapping[int, int]) -> str:
    if number > 0:
        return f"r{number}"
    return "new" if number > CALLED else f"create {builds[CALLED - number]}"


def with_ops(state: State, ops: Mapping[int, int]) -> State:
    """*state* with the numbers of operations for those of tickets."""

    def named(ticket: int | None) -> int | None:
        return None if ticket is None else ops[ticket]

    slots = tuple(slot._replace(bound=named(slot.bound), holder=named(slot.holder)) for slot in state.slots)
    return state._replace(slots=slots, queue=tuple(ops[ticket] for ticket in state.queue))


def legible(text: str, builds: Mapping[int, int]) -> str:
    """A summary of the model's, with names for the numbers of slots."""
    return re.sub(r"(?<![\w/])-?\d+(?=:)", lambda found: slot_name(int(found[0]), builds), text)


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
