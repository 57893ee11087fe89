"""Families of programs: every combination of words, and what it takes to run them all."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from poolproof.conformance.checking import Counterexample, quiet, repeat
from poolproof.conformance.crew import Crew
from poolproof.conformance.points import Grain
from poolproof.conformance.programs import Program
from poolproof.conformance.scene import Scene
from poolproof.conformance.schedules import Given
from poolproof.conformance.search import explore
from poolproof.conformance.words import ON_A_LEASE

# The public surface, one word for each operation and for each way of it that takes other steps. Words on a lease get
# theirs before the program starts. What takes two steps in one thread (overdue) is one word.
SURFACE = (
    "acquire", "acquire(1)", "try", "release", "discard", "detach", "add", "remove", "resize(2)", "resize(1)",
    "expire", "maintain", "overdue", "stats", "holders", "close", "force",
)  # fmt: skip


def combined(size: int, words: Iterable[str] = SURFACE, options: str = "") -> Iterator[Program]:
    """A program for every selection of *size* words, each the whole of one thread, on a pool that is just large
    enough for the leases that are held at the beginning."""
    for chosen in itertools.combinations_with_replacement(tuple(words), size):
        held = max(1, sum(word in ON_A_LEASE for word in chosen))
        lease = " lease=10" if "overdue" in chosen else ""
        yield Program.parse(f"size={held} given={held}{lease} {options}: " + " | ".join(chosen))


# Three threads with two operations each, an operation on a lease after its acquire.
ROUNDS = ("acquire release", "acquire(1) discard", "try release", "acquire detach", "close", "resize(1)")


def rounds(size: int, options: str = "size=1") -> Iterator[Program]:
    for chosen in itertools.combinations_with_replacement(ROUNDS, size):
        yield Program.parse(f"{options}: " + " | ".join(chosen))


# Four threads: what meets in practice.
CROWDS = (
    "size=1: acquire release | acquire release | acquire release | acquire release",
    "size=2 given=2: acquire release | acquire release | acquire release | acquire release",
    "size=1 given=1: acquire release | acquire(1) release | acquire discard | close",
    "size=1 given=1: acquire release | acquire(1) release | acquire detach | force",
    "size=2 given=1: acquire release | acquire(1) discard | add | resize(1)",
    "size=1 given=1 lease=10: acquire release | acquire release | overdue | close_wait",
    "size=2 given=2 reset=1: acquire release | acquire release | expire | maintain",
    "size=1 given=1 factory=0: acquire release | acquire(1) release | remove | add",
    "size=1 faults=1: acquire release | acquire release | acquire release | resize(2)",
)


@dataclass
class Tally:
    """What running a family has come to."""

    name: str
    grain: Grain
    bound: int | None
    programs: int = 0
    runs: int = 0
    steps: int = 0
    seconds: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    counterexamples: list[Counterexample] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        bound = "any number of" if self.bound is None else f"at most {self.bound}"
        verdicts = ", ".join(f"{count} {name}" for name, count in sorted(self.verdicts.items()))
        return (
            f"{self.name}: {self.programs} programs, points at {self.grain}, {bound} preemptions: "
            f"{self.runs} runs, {self.steps} steps, {verdicts}; {self.seconds:.1f} s, "
            f"{self.runs / max(self.seconds, 1e-9):.0f} runs/s"
        )


def run_family(
    name: str, programs: Iterable[Program], *, grain: Grain = "all", bound: int | None = None, most: int = 100_000
) -> Tally:
    """Search every program of a family. It is complete only if every verdict is ok."""
    tally = Tally(name, grain, bound)
    crews: dict[int, Crew] = {}
    began = time.perf_counter()
    with quiet():
        for program in programs:
            size = len(program.threads)
            if size not in crews:
                crews[size] = Crew(size)
            scene = Scene(program, grain, crew=crews[size])
            search = explore(scene, bound, most=most)
            tally.programs += 1
            tally.runs += search.runs
            tally.steps += search.steps
            tally.verdicts[search.verdict] += 1
            if search.failure is not None:
                tally.counterexamples.append(repeat(scene, Given(search.choices), search.choices))
            elif search.verdict != "ok":
                tally.limits.append(str(program))
    for crew in crews.values():
        crew.dismiss()
    tally.seconds = time.perf_counter() - began
    return tally
