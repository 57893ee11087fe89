"""Progress and verdict as plain lines, for pipes and logs; and what every display has to offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

from poolproof import PoolStats


class Picture(NamedTuple):
    """The run at one moment; of what happened, all so far."""

    clock: float
    seconds: float
    stats: PoolStats
    tally: Counter[str]
    events: int
    logged: int
    happened: Sequence[tuple[float, str]]


class Check(NamedTuple):
    """One line of the verdict: what is claimed, by which clauses, the numbers, and whether it holds."""

    claim: str
    clauses: str
    numbers: str
    holds: bool
    breaches: tuple[str, ...] = ()


class Display(AbstractContextManager["Display"], Protocol):
    """Where the demo shows itself."""

    def say(self, text: str) -> None: ...

    def show(self, picture: Picture) -> None: ...

    def busy(self, text: str) -> AbstractContextManager[None]: ...

    def verdict(self, checks: Sequence[Check]) -> None: ...


class PlainDisplay(Display):
    """Lines: what happens when it happens, and how things stand once a second."""

    def __init__(self) -> None:
        self.told = 0
        self.next_status = 1.0

    def __exit__(self, *_: object) -> None:
        return

    def say(self, text: str) -> None:
        print(text, flush=True)

    def show(self, picture: Picture) -> None:
        happened = list(picture.happened)
        for at, text in happened[self.told :]:
            self.say(f"{at:5.1f} s  {text}")
        self.told = len(happened)
        if picture.clock >= self.next_status:
            self.next_status += 1.0
            stats = picture.stats
            self.say(
                f"{picture.clock:5.1f} s    {stats.phase}, live {stats.live}/{stats.limit}: free {stats.free}, "
                f"checked_out {stats.checked_out}, returning {stats.returning}, creating {stats.creating}, "
                f"discarded {stats.discarded}; waiting {stats.waiting}; {picture.tally['committed']} transfers"
            )

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        self.say(text)
        yield

    def verdict(self, checks: Sequence[Check]) -> None:
        for check in checks:
            self.say(f"{'holds ' if check.holds else 'BROKEN'}  {check.claim}: {check.numbers}  [{check.clauses}]")
            for breach in check.breaches:
                self.say(f"          {breach}")
        self.say(summary(checks))


def summary(checks: Sequence[Check]) -> str:
    broken = sum(not check.holds for check in checks)
    return f"verdict: all {len(checks)} hold" if not broken else f"verdict: {broken} of {len(checks)} BROKEN"
