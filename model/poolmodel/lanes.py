"""A counterexample as a reader wants it: who did what, line by line, and what the pool looked like then.

One column for each client, one for the callbacks and owners of work, one for the rest of the world; row ids in the
cells. The same row ids replay on anything that follows the table.
"""

from __future__ import annotations

from poolmodel.invariants import Edge
from poolmodel.state import Slot, State

WORK = frozenset(
    (
        "BUILD-START",
        "BUILD-OK",
        "BUILD-LATE",
        "BUILD-LOST",
        "BUILD-ABANDONED",
        "RESET-OK",
        "RESET-FAILED",
        "ADOPT",
        "ORPHAN",
        "DESTROYED",
    )
)


def described(slot: Slot) -> str:
    """``3:checked_out←7`` is slot 3, held by ticket 7; marks follow."""
    who = slot.holder if slot.holder is not None else slot.bound
    marks = "".join(
        mark
        for mark, set_ in (("!", slot.unfit), ("*", slot.fresh), ("?", slot.state in _UNOWNED and not slot.owned))
        if set_
    )
    return f"{slot.number}:{slot.state}{'' if who is None else f'←{who}'}{marks}"


_UNOWNED = ("returning", "discarded")


def summary(state: State) -> str:
    """A state in one line. ``!`` is unfit, ``*`` fresh, ``?`` work that nobody owns."""
    limit = "∞" if state.limit is None else state.limit
    parts = [f"{state.phase} {len(state.slots)}/{limit}", *(described(slot) for slot in state.slots)]
    if state.free:
        parts.append(f"next free {' '.join(map(str, state.free))}")
    if state.queue:
        parts.append(f"waiting {' '.join(map(str, state.queue))}")
    if state.backing_off:
        parts.append("backing off")
    return ", ".join(parts)


def lanes(path: tuple[Edge, ...], clients: int) -> str:
    """The steps of *path* as a table."""
    if not path:
        return "(at once, in the first state)"
    header = ["", *(f"client {number}" for number in range(1, clients + 1)), "work", "world", "afterwards"]
    lines = [header]
    for number, edge in enumerate(path, start=1):
        cells: list[list[str]] = [[] for _ in range(clients + 2)]
        for each in edge.fired:
            lane = clients if each.row in WORK else clients + 1
            if each.ticket is not None and each.row not in WORK:
                lane = each.ticket - 1
            cells[lane].append(each.row if each.slot is None else f"{each.row} {each.slot}")
        lines.append([str(number), *(", ".join(cell) for cell in cells), summary(edge.after)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
