"""Search through all choices of the loop: depth first, each run from the beginning, none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from poolproof.conformance.aio.stage import Setting, Stage

Program = Callable[[Stage], Coroutine[Any, Any, None]]
MOST_STEPS = 400


@dataclass(frozen=True)
class Exploration:
    """What was run, and the first choices that led to something wrong. ``complete`` says that all were run within the
    bounds; a limit that was reached is never a pass."""

    runs: int
    steps: int
    traces: int
    complete: bool
    token: tuple[int, ...] | None = None
    findings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.complete and not self.findings


class Choices:
    """The choices of one run: those given, then the ordinary ones; and what else could have been chosen.

    ``strays`` is how many choices may differ from those of an ordinary loop.
    """

    def __init__(self, given: Sequence[int], strays: int) -> None:
        self.given = given
        self.left = strays
        self.taken: list[int] = []
        self.widths: list[int] = []

    def choose(self, width: int) -> int:
        place = len(self.taken)
        chosen = self.given[place] if place < len(self.given) else 0
        self.taken.append(chosen)
        self.widths.append(width if self.left else 1)
        self.left -= chosen > 0
        return chosen

    def next_one(self) -> list[int] | None:
        """The choices to begin with in the next run; None if this was the last."""
        for place in range(len(self.taken) - 1, -1, -1):
            if self.taken[place] + 1 < self.widths[place]:
                return [*self.taken[:place], self.taken[place] + 1]
        return None


def run(programs: Sequence[Program], setting: Setting, choices: Choices, cancels: int) -> Stage:
    """One run to its end, and its verdict."""
    stage = Stage(setting)
    with stage.watched():
        play(stage, programs, choices, cancels)
    return stage


def play(stage: Stage, programs: Sequence[Program], choices: Choices, cancels: int) -> None:
    """Let the tasks run until nothing can."""
    loop = stage.loop
    for number, program in enumerate(programs, start=1):
        stage.begin(program, f"{program.__name__} {number}")
    while True:
        ready = loop.alive()
        if not ready and not loop.timers:
            break
        victims: list[asyncio.Task[Any]] = [] if not cancels else [each for each in stage.tasks if not each.done()]
        chosen = choices.choose(len(ready) + bool(loop.timers) + len(victims))
        if chosen < len(ready):
            loop.step(chosen)
        elif chosen < len(ready) + bool(loop.timers):
            loop.ring()
        else:
            cancels -= 1
            stage.cancel(victims[chosen - len(ready) - bool(loop.timers)])
        if loop.steps > MOST_STEPS:
            stage.findings.append(f"not at rest after {MOST_STEPS} steps")
            break


def explore(
    programs: Sequence[Program], setting: Setting, *, strays: int = 10**9, cancels: int = 0, most: int = 100_000
) -> Exploration:
    """Run these programs, each as a task of its own, in every order.

    Args:
        strays: how many choices may differ from those of a loop that serves its ready queue in order.
        cancels: how many times a task may be cancelled, at any moment.
        most: give up after so many runs; then the exploration is not complete.
    """
    given: list[int] | None = []
    runs = steps = 0
    traces = set()
    while given is not None and runs < most:
        choices = Choices(given, strays)
        stage = run(programs, setting, choices, cancels)
        runs, steps = runs + 1, steps + stage.loop.steps
        traces.add(tuple(event.fired for event in stage.events))
        if stage.findings:
            return Exploration(runs, steps, len(traces), False, tuple(choices.taken), tuple(stage.findings))
        given = choices.next_one()
    return Exploration(runs, steps, len(traces), given is None)


def replayed(programs: Sequence[Program], setting: Setting, token: Sequence[int], *, cancels: int = 0) -> Stage:
    """The run that a token of an exploration names, once more."""
    return run(programs, setting, Choices(token, 10**9), cancels)
