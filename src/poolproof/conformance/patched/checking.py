"""Programs, checked: every schedule with few preemptions, then random ones; what is found is drawn and repeats."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from poolproof.conformance.patched.bench import Bench, Run
from poolproof.conformance.patched.lanes import drawn
from poolproof.conformance.patched.modules import Copies
from poolproof.conformance.patched.programs import Program
from poolproof.conformance.patched.search import Choices, Explorer, Given, Walk, read, written
from poolproof.conformance.patched.watching import GRAINS, Grain

BOUNDS = (0, 1, 2)


@dataclass
class Example:
    """One schedule under which a clause was broken."""

    program: Program
    grain: Grain
    choices: Choices
    run: Run

    @property
    def token(self) -> str:
        """Program and schedule as one line, for `replay`."""
        return f"{self.program} @{self.grain} {written(self.choices)}".rstrip()

    def __str__(self) -> str:
        head = "\n".join(map(str, self.run.findings)) or f"{self.run.verdict} {self.run.reason}"
        return f"{head}\n{drawn(self.run.tape, self.run.names)}\nrepeat: {self.token}"


@dataclass
class Report:
    """What was run and what was found. ``complete`` names the bounds whose every schedule was run, none a limit."""

    program: Program
    grain: Grain
    runs: int = 0
    walks: int = 0
    seconds: float = 0.0
    complete: list[int] = field(default_factory=list)
    examples: dict[str, Example] = field(default_factory=dict)  # by clause, the first schedule that broke it
    lacks: str = ""  # what the pool has not, and the program needs
    limits: Counter[str] = field(default_factory=Counter)
    outcomes: set[tuple[tuple[str, ...], ...]] = field(default_factory=set)

    @property
    def verdict(self) -> str:
        if self.lacks:
            return "not applicable"
        if self.examples:
            return "broken"
        return "limit" if self.limits or not self.runs else "ok"

    @property
    def extent(self) -> str:
        """How far it was explored, in words."""
        bound = "no bound complete"
        if self.complete:
            bound = f"every schedule with at most {max(self.complete)} preemptions and early timeouts"
        told = f"{bound}; {self.runs} schedules in all" + (f", {self.walks} of them at random" if self.walks else "")
        return told + "".join(f"; {count} met a limit: {reason}" for reason, count in self.limits.items())


class Checking:
    """A pool's factory, loaded on a stage of its own."""

    def __init__(self, module: str, name: str = "make_pool", packages: tuple[str, ...] = ()) -> None:
        self.copies = Copies()
        loaded = self.copies.load(module, packages)
        self.make_pool: Callable[[Any], Any] = getattr(loaded, name)

    def bench(self, program: Program | str, grain: Grain) -> Bench:
        program = Program.parse(program) if isinstance(program, str) else program
        return Bench(self.copies, self.make_pool, program, grain)

    def check(
        self, program: Program | str, grain: Grain = "primitives", *, bounds: tuple[int, ...] = BOUNDS,
        most: int = 20_000, walks: int = 0, seed: int = 0, first: bool = True, seconds: float = 1e9,
    ) -> Report:  # fmt: skip
        """Run *program* under every schedule with at most so many preemptions, then under *walks* random ones.

        Args:
            most: schedules at most, for each bound. More are a limit, and no verdict.
            first: stop at the first schedule that breaks anything; otherwise one example for each clause is kept.
            seconds: stop after so long on the real clock, which is a limit, too.
        """
        bench = self.bench(program, grain)
        report = Report(bench.program, grain)
        began = time.perf_counter()
        until = began + seconds
        for bound in bounds:
            explorer = Explorer(bound)
            if self._all(bench, explorer, report, most, first, until):
                report.complete.append(bound)
            if report.lacks or report.limits or (first and report.examples) or time.perf_counter() > until:
                break
        for number in range(walks):
            if time.perf_counter() > until or report.lacks or (first and report.examples):
                break
            walk = Walk(seed + number)
            report.walks += 1
            self._note(report, bench.run(walk), walk.choices())
        for example in report.examples.values():
            example.run = bench.run(Given(example.choices), draw=True)
        report.seconds = time.perf_counter() - began
        return report

    def _all(
        self, bench: Bench, explorer: Explorer, report: Report, most: int, first: bool, until: float
    ) -> bool:  # fmt: skip
        """Every schedule of the bound; false if it stopped before."""
        for _ in range(most):
            explorer.begin()
            done = bench.run(explorer)
            self._note(report, done, explorer.choices())
            if report.lacks or done.hopeless or (first and report.examples):
                return False
            if not explorer.advance():
                return not report.limits
            if time.perf_counter() > until:
                report.limits["time"] += 1
                return False
        report.limits[f"more than {most} schedules with at most {explorer.bound} preemptions"] += 1
        return False

    def _note(self, report: Report, done: Run, choices: Choices) -> None:
        report.runs += 1
        report.outcomes.add(done.results)
        if done.verdict == "lacks":
            report.lacks = done.reason
        if done.verdict == "limit":
            report.limits[done.reason] += 1
        for finding in done.findings if done.verdict == "broken" else ():
            if finding.clause not in report.examples:
                report.examples[finding.clause] = Example(report.program, report.grain, choices, done)

    def replay(self, token: str) -> Example:
        """Repeat the run that *token* names, and draw it.

        Raises:
            ValueError: it is no token; the message says why.
        """
        program, grain, choices = read_token(token)
        done = self.bench(program, grain).run(Given(choices), draw=True)
        return Example(program, grain, choices, done)

    def dismiss(self) -> None:
        """Let the threads of the stage end."""
        self.copies.stage.dismiss()


def read_token(token: str) -> tuple[Program, Grain, Choices]:
    """The program, the grain and the schedule of a token.

    Raises:
        ValueError: it is none; the message says why.
    """
    program, at, schedule = token.strip().partition("@")
    words = schedule.split()
    grain = next((each for each in GRAINS if words[:1] == [each]), None)
    if not at or grain is None:
        raise ValueError(f"no @primitives, @lines or @opcodes between program and schedule in {token!r}")
    return Program.parse(program), grain, read(" ".join(words[1:]))
