"""Check a program: search its schedules, and if one goes wrong, say so in a way that can be read and repeated."""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from poolproof.conformance.crew import Policy
from poolproof.conformance.lanes import drawn
from poolproof.conformance.points import Grain
from poolproof.conformance.programs import Program
from poolproof.conformance.runs import Run, finalizer_raised, run
from poolproof.conformance.scene import Scene
from poolproof.conformance.schedules import Given, Walk, read_token, token
from poolproof.conformance.search import Search, explore

BOUNDS: tuple[int | None, ...] = (0, 1, 2, 3, None)
SceneMaker = Callable[[Program, Grain], Scene]


@contextmanager
def quiet() -> Iterator[None]:
    """Callbacks that fail and leases that are dropped are part of the programs: nobody needs to be told. And nothing
    is collected in the middle of a run."""
    log = logging.getLogger("poolproof")
    disabled, collecting, hook = log.disabled, gc.isenabled(), sys.unraisablehook
    log.disabled = True
    gc.disable()
    sys.unraisablehook = finalizer_raised
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled, sys.unraisablehook = disabled, hook
        if collecting:
            gc.enable()


@dataclass(frozen=True)
class Counterexample:
    """A run that went wrong. ``token`` repeats it; ``str`` tells it as a swim-lane."""

    program: Program
    grain: Grain
    choices: tuple[tuple[int, int], ...]
    run: Run
    tape: tuple[tuple[int, str, str], ...]

    @property
    def token(self) -> str:
        return token(self.program, self.grain, self.choices)

    def __str__(self) -> str:
        found = [f"  {each}" for each in self.run.findings]
        lines = drawn(list(self.tape), len(self.program.threads))
        return "\n".join([f"{self.run.verdict}: {self.program}", *found, "", lines, "", f"repeat: {self.token}"])


@dataclass(frozen=True)
class Report:
    """What came of checking a program: a search for each bound, and the first run that went wrong."""

    program: Program
    searches: tuple[Search, ...]
    counterexample: Counterexample | None

    @property
    def verdict(self) -> str:
        """ "ok" only if every schedule within the last bound was run; a limit that was met is "limit"."""
        return self.searches[-1].verdict

    @property
    def runs(self) -> int:
        return sum(each.runs for each in self.searches)


def check(
    program: Program | str,
    *,
    grain: Grain = "all",
    bounds: Sequence[int | None] = BOUNDS,
    most: int = 100_000,
    scene: SceneMaker = Scene,
) -> Report:
    """Run every schedule of *program* with at most so many preemptions, one bound after the other.

    Args:
        program: the program, or its text.
        grain: where the points are, see `points.GRAINS`.
        bounds: how many preemptions a run may have; None means any number. In this order, so that what is found
            first has as few as can be.
        most: how many runs at most for each bound. More than that is a limit, never "ok".
        scene: makes the scene; a test may bring another pool or other judges.
    Returns:
        The report. It ends with the first counterexample.
    Raises:
        ValueError: the text is no program.
    """
    parsed = Program.parse(program) if isinstance(program, str) else program
    searches = []
    with quiet():
        stage = scene(parsed, grain)
        try:
            for bound in bounds:
                search = explore(stage, bound, most=most)
                searches.append(search)
                if search.failure is not None:
                    example = repeat(stage, Given(search.choices), search.choices)
                    return Report(parsed, tuple(searches), example)
        finally:
            stage.crew.dismiss()
    return Report(parsed, tuple(searches), None)


def walk(
    program: Program | str, *, runs: int, seed: int, grain: Grain = "all", scene: SceneMaker = Scene
) -> Counterexample | int:
    """Run *program* under random schedules. Returns how many steps were made in all, or the first counterexample."""
    parsed = Program.parse(program) if isinstance(program, str) else program
    steps = 0
    with quiet():
        stage = scene(parsed, grain)
        try:
            for number in range(runs):
                policy = Walk(seed + number)
                done = run(stage, policy)
                steps += done.steps
                if done.verdict != "ok":
                    return repeat(stage, Given(policy.taken), tuple(policy.taken))
        finally:
            stage.crew.dismiss()
    return steps


def replay(text: str, *, scene: SceneMaker = Scene) -> Counterexample:
    """Repeat the run that a token tells, exactly. Its verdict may be "ok" by now.

    Raises:
        ValueError: *text* is no token.
        ScheduleMismatch: the pool no longer comes to the decisions that the schedule makes.
    """
    program, grain, choices = read_token(text)
    with quiet():
        stage = scene(program, grain)
        try:
            return repeat(stage, Given(choices), choices)
        finally:
            stage.crew.dismiss()


def repeat(stage: Scene, policy: Policy, choices: tuple[tuple[int, int], ...]) -> Counterexample:
    """Run once, and write down everything that happens."""
    stage.judging = True
    stage.judged.clear()
    tape: list[tuple[int, str, str]] = []
    stage.crew.tape = tape  # until the run is over; what cleans up behind it is not told
    try:
        done = run(stage, policy)
    finally:
        stage.crew.tape = None
    return Counterexample(stage.program, stage.grain, choices, done, tuple(tape))
