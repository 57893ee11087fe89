"""What a crowd did to a pool: how much, who, who waited for how long, and how quickly it was handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rounds import Spread, percentile, spread


@dataclass
class Member:
    """What one thread, task or green thread did. Times in seconds."""

    done: int = 0
    longest: float = 0.0
    handed: list[float] = field(default_factory=list)  # from the release to its waiter's return

    def got(self, begun: float, now: float, freed: float) -> None:
        """Its acquire began and returned at these times, with a resource that was given back at *freed*."""
        self.longest = max(self.longest, now - begun)
        if freed > begun:
            self.handed.append(now - freed)


@dataclass(frozen=True)
class Bout:
    """One run of a crowd."""

    rate: float  # cycles per second
    cpu: float  # microseconds of cpu time per cycle
    share: float  # of the least served, relative to the best served
    longest: float  # seconds that an acquire took at most
    p50: float | None  # seconds of a hand-off
    p99: float | None

    @staticmethod
    def of(members: list[Member], seconds: float, cpu: float) -> Bout:
        done = [member.done for member in members]
        handed = [taken for member in members for taken in member.handed]
        return Bout(
            sum(done) / seconds, cpu / max(1, sum(done)) * 1e6, min(done) / max(1, *done),
            max(member.longest for member in members), percentile(handed, 50), percentile(handed, 99),
        )  # fmt: skip


def summary(bouts: list[Bout]) -> dict[str, Any]:
    """Quartiles over the rounds."""
    fields = ("rate", "cpu", "share", "longest", "p50", "p99")
    return {name: _quartiles(getattr(bout, name) for bout in bouts) for name in fields}


def _quartiles(values: Iterable[float | None]) -> Spread | None:
    found = [value for value in values if value is not None]
    return spread(found) if found else None
