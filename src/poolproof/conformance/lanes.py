"""One run as a reader wants it: a column for each thread, a line for each thing that happened, the pool beside."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from poolmodel.lanes import summary
from poolmodel.state import Slot as ModelSlot
from poolmodel.state import State as ModelState
from poolproof.core.lists import queue_items
from poolproof.core.values import CHECKED_OUT, UNBOUNDED, WAITING, PlainState, Retired, Step, Ticket
from poolproof.core.world import backlog_of, slot_states

if TYPE_CHECKING:
    from poolproof.conformance.scene import Scene

FRAMES = 8  # so far up stands the step that is being committed


def rows(old: PlainState, new: PlainState) -> list[str]:
    """The rows that this commit fires. The step tells them, which is a variable of whoever commits it; the two short
    ways, which have none, fire one row that can be told from the free list."""
    frame: Any = sys._getframe(1)
    for _ in range(FRAMES):
        if frame is None:
            break
        for value in frame.f_locals.values():
            if isinstance(value, Step) and value.state is new:
                return [f"{each.row} {each.slot}" if each.slot is not None else each.row for each in value.fired]
        frame = frame.f_back
    before, after = queue_items(old[1], old[2]), queue_items(new[1], new[2])
    granted = [slot for slot in before if slot not in after]
    return [f"GRANT-FREE {slot.number}" for slot in granted] or [
        f"RELEASE {slot.number}" for slot in after if slot not in before
    ]


def shown(scene: Scene) -> str:
    """The pool in one line, in the words of the model; threads in the place of tickets."""
    world = scene.world()
    ledger = world.state.ledger
    unowned = set(backlog_of(world.state))
    slots = []
    states = slot_states(world)
    for slot, record in world.slots:
        state: Any = states[slot]
        who: Any = record.who
        slots.append(ModelSlot(
            slot.number, state,
            bound=owner(who) if isinstance(who, Ticket) else None,
            holder=who[0] if state == CHECKED_OUT else None,
            unfit=isinstance(record.mark, Retired), owned=slot not in unowned,
        ))  # fmt: skip
    free = [slot.number for slot in queue_items(world.state.free, world.state.back)]
    waiting = [owner(ticket) for ticket, record in world.tickets if record.state == WAITING]
    limit = None if ledger.limit == UNBOUNDED else int(ledger.limit)
    return summary(ModelState(
        ledger.phase, limit, tuple(slots), tuple(free), tuple(waiting), ledger.backing_off,
    ))  # fmt: skip


def owner(ticket: Ticket) -> int:
    """The number of the thread whose ticket it is."""
    who: Any = ticket.who
    number: int = who[0]
    return number


def drawn(tape: list[tuple[int, str, str]], threads: int) -> str:
    """The lines of a run, with a column for each thread and the pool behind each commit."""
    lines = [["", *(f"thread {number}" for number in range(threads)), "afterwards"]]
    for number, (thread, what, state) in enumerate(tape, start=1):
        cells = [what if thread == each else "" for each in range(threads)]
        lines.append([str(number), *cells, state if thread in range(threads) else f"({what}) {state}"])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
