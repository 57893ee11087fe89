"""One run as a reader wants it: a column for each thread, a line for each thing that happened."""

from __future__ import annotations

from collections.abc import Sequence

WIDEST = 60


def drawn(tape: Sequence[tuple[int, str]], names: Sequence[str]) -> str:
    """The lines of a run. Threads that do nothing in it have no column."""
    seen = [number for number in range(len(names)) if any(thread == number for thread, _ in tape)]
    lines = [["", *(names[number] for number in seen)]]
    for count, (thread, what) in enumerate(tape, start=1):
        lines.append([str(count), *(what[:WIDEST] if thread == number else "" for number in seen)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
