"""Schedules other than all of them: one that is given, one that is drawn, one at random. And how one is written.

A schedule says only where it leaves the ordinary course, in which whoever runs goes on as long as it can: at the
12th decision thread 2 runs, at the 15th callback outcome 1 is taken, and so on. So it is short, it can be typed, and
what Hypothesis draws shrinks towards the ordinary course.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

from poolproof.conformance.crew import Worker
from poolproof.conformance.points import GRAINS, Grain
from poolproof.conformance.programs import Program

Choices = tuple[tuple[int, int], ...]


class Given:
    """The policy that follows a schedule: exactly, or with *wrap* as near as the decision allows."""

    def __init__(self, choices: Iterable[tuple[int, int]], wrap: bool = False) -> None:
        self.choices = dict(choices)
        self.wrap = wrap
        self.depth = 0
        self.preemptions = 0

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        """The choice of the schedule; else whoever runs goes on."""
        first = worker.number if worker is not None and worker.number in enabled else enabled[0]
        asked = self.choices.get(self.depth)
        self.depth += 1
        if asked is None:
            return first
        if self.wrap:
            chosen = enabled[(enabled.index(first) + asked) % len(enabled)]
        elif asked in enabled:
            chosen = asked
        else:
            raise ScheduleMismatch(f"decision {self.depth - 1} chooses {asked}, and there are {enabled}")
        self.preemptions += worker is not None and first == worker.number != chosen
        return chosen

    def outcome(self, worker: Worker, count: int) -> int:
        asked = self.choices.get(self.depth, 0)
        self.depth += 1
        if asked >= count and not self.wrap:
            raise ScheduleMismatch(f"decision {self.depth - 1} chooses outcome {asked} of {count}")
        return asked % count

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        return None


class ScheduleMismatch(BaseException):
    """The schedule is not of this program, or the pool has changed since."""


class Walk:
    """The policy that chooses at random, each alternative equally likely, and can say what it chose."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.taken: list[tuple[int, int]] = []

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        first = worker.number if worker is not None and worker.number in enabled else enabled[0]
        chosen = enabled[int(self.random.random() * len(enabled))]
        if chosen != first:
            self.taken.append((self.depth, chosen))
        self.depth += 1
        return chosen

    def outcome(self, worker: Worker, count: int) -> int:
        chosen = int(self.random.random() * count)
        if chosen:
            self.taken.append((self.depth, chosen))
        self.depth += 1
        return chosen

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        return None


def token(program: Program, grain: Grain, choices: Sequence[tuple[int, int]]) -> str:
    """Program and schedule as one line, for `read_token`."""
    return " ".join([f"{program} @{grain}", *(f"{depth}:{code}" for depth, code in choices)])


def read_token(text: str) -> tuple[Program, Grain, Choices]:
    """The program, the grain and the schedule that *text* holds.

    Raises:
        ValueError: it is no token; the message says why.
    """
    program, at, schedule = text.strip().partition("@")
    words = schedule.split()
    grain = next((each for each in GRAINS if words[:1] == [each]), None)
    if not at or grain is None:
        raise ValueError(f"no @all, @reads or @commits between program and schedule in {text!r}")
    choices = []
    for word in words[1:]:
        match = re.fullmatch(r"(\d+):(\d+)", word)
        if match is None:
            raise ValueError(f"{word!r} is no choice; a choice is decision:alternative, as in 12:1")
        choices.append((int(match[1]), int(match[2])))
    return Program.parse(program), grain, tuple(choices)
