"""Traces written by hand."""

from __future__ import annotations

from collections.abc import Sequence

from poolproof import PoolEvent
from poolproof.replay import Verdict, replay
from poolproof.reports import Fired, PoolSetup

SETUP = PoolSetup(
    name="by hand", given=1, built=0, factory=False, reset=False, check=False, ages=False, min_size=0,
    max_waiting=None, max_uses=None, order="lifo", when_empty="wait",
)  # fmt: skip

# Three tickets share one resource, each in its turn, until the pool closes.
TURNS = (
    "GRANT-FREE 1 1",
    "QUEUE - 2",
    "QUEUE - 3",
    "RELEASE 1 1, HAND-OFF 1 2",
    "RELEASE 1 2, HAND-OFF 1 3",
    "RELEASE 1 3",
    "CLOSE - -",
    "ADOPT 1 -",
    "DESTROYED 1 -, CLOSED - -",
)


def events(lines: Sequence[str], setup: PoolSetup = SETUP, limit: float = 1) -> list[PoolEvent]:
    """A trace from lines of rows, numbered from version 1; a refusal has the version of the line before."""
    trace, version = [PoolEvent(0, (), limit, setup)], 0
    for line in lines:
        version += not line.startswith("REFUSE")
        trace.append(PoolEvent(version, tuple(map(fired, filter(None, line.split(", ")))), limit))
    return trace


def fired(text: str) -> Fired:
    row, slot, ticket = text.split()
    return Fired(row, None if slot == "-" else int(slot), None if ticket == "-" else int(ticket))


def changed(changes: dict[int, str], lines: Sequence[str] = TURNS) -> list[str]:
    """*lines* with some of them replaced, counted from 1."""
    return [changes.get(number, line) for number, line in enumerate(lines, start=1)]


def judged(lines: Sequence[str], setup: PoolSetup = SETUP, limit: float = 1) -> Verdict:
    return replay(events(lines, setup, limit))


def found(verdict: Verdict) -> set[tuple[str, int]]:
    """The clauses that were found broken, and at which versions."""
    return {(finding.clause, finding.version) for finding in verdict.findings}
