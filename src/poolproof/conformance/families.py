"""Families of programs: every combination of words, what it takes to run them all, and what came of it."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

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


MANY = 1_000  # runs, after which it is worth while to clean up


@dataclass(frozen=True)
class Family:
    """A family with its bounds. What a run of it shows, it shows of these programs, up to there."""

    title: str
    programs: tuple[Program, ...]
    grain: Grain = "all"
    bound: int | None = None
    most: int = 100_000

    @property
    def fingerprint(self) -> str:
        """Changes with any program, and with the bounds."""
        text = "\n".join([self.grain, str(self.bound), *map(str, self.programs)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def run(self) -> Tally:
        return run_family(self.title, self.programs, grain=self.grain, bound=self.bound, most=self.most)


def timed(program: Program) -> int:
    """How many of its threads wait for a time: two or three of them take three quarters of all runs."""
    return sum("acquire(1)" in map(str, each) for each in program.threads)


STRUCK_PAIRS = tuple(combined(2, options="strikes=1"))
PAIRS, TRIPLES, ROUNDS_OF_TWO, ROUNDS_OF_THREE = map(tuple, (combined(2), combined(3), rounds(2), rounds(3)))
FAMILIES = {
    "pairs": Family("every pair of operations", PAIRS),
    "torn-pairs": Family("every pair of operations, torn readings", PAIRS, "torn"),
    "strikes": Family("every pair of operations, one interruption", STRUCK_PAIRS, "commits"),
    "strikes-at-readings": Family("every pair of operations, one interruption", STRUCK_PAIRS),
    "triples": Family("every triple of operations", TRIPLES, "commits", 1),
    "all-triples": Family("every triple of operations", TRIPLES, "commits", None, 200_000),
    "rounds": Family("two threads, two operations each, of 6", ROUNDS_OF_TWO),
    "some-three-rounds": Family("three threads, two operations each, of 6; at most one time limit",
                                tuple(each for each in ROUNDS_OF_THREE if timed(each) < 2), "commits", None, 200_000),
    "three-rounds": Family("three threads, two operations each, of 6", ROUNDS_OF_THREE, "commits", None, 200_000),
    "untimed-three-rounds": Family("three threads, two operations each, of 5; no time limit",
                                   tuple(each for each in ROUNDS_OF_THREE if not timed(each)), "reads", None, 400_000),
    "crowds": Family("four threads", tuple(map(Program.parse, CROWDS)), "commits", 2),
}  # fmt: skip


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
    worked: float = 0.0  # seconds of the processor
    verdicts: Counter[str] = field(default_factory=Counter)
    counterexamples: list[Counterexample] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        bound = "any number of" if self.bound is None else f"at most {self.bound}"
        verdicts = ", ".join(f"{count} {name}" for name, count in sorted(self.verdicts.items()))
        return (
            f"{self.name}: {self.programs} programs, points at {self.grain}, {bound} preemptions: "
            f"{self.runs} runs, {self.steps} steps, {verdicts}; {self.seconds:.1f} s "
            f"({self.worked:.1f} s of the processor)"
        )


def run_family(
    name: str, programs: Iterable[Program], *, grain: Grain = "all", bound: int | None = None, most: int = 100_000
) -> Tally:
    """Search every program of a family. It is complete only if every verdict is ok."""
    tally = Tally(name, grain, bound)
    crews: dict[int, Crew] = {}
    began, worked = time.perf_counter(), time.process_time()
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
            if search.runs > MANY:
                gc.collect()  # which it does not by itself while runs go on
            if search.failure is not None:
                tally.counterexamples.append(repeat(scene, Given(search.choices), search.choices))
            elif search.verdict != "ok":
                tally.limits.append(str(program))
    for crew in crews.values():
        crew.dismiss()
    tally.seconds = time.perf_counter() - began
    tally.worked = time.process_time() - worked
    return tally


def record(name: str, tally: Tally, path: Path) -> None:
    """Write into the file at *path*, in JSON, what running this family has come to, in the place of what it said."""
    family = FAMILIES[name]
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[name] = {
        "title": family.title, "fingerprint": family.fingerprint, "programs": tally.programs, "points": tally.grain,
        "preemptions": "any" if tally.bound is None else tally.bound, "runs": tally.runs, "steps": tally.steps,
        "verdicts": dict(sorted(tally.verdicts.items())), "seconds": round(tally.seconds, 1),
        "processor_seconds": round(tally.worked, 1),
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
        "limits": tally.limits,
    }  # fmt: skip
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
