"""A fixed set of programs for any pool: what is found in them, by clause, and how far each was explored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from poolproof.conformance.patched.checking import Checking, Example, Report
from poolproof.conformance.patched.programs import Program
from poolproof.conformance.patched.watching import Grain

PROGRAMS = (
    "size=1: acquire release | acquire release",
    "size=1: acquire release | acquire(1) release",
    "size=1: acquire release | acquire(1) release | acquire release",
    "size=2: acquire release | acquire release | acquire release",
    "size=1 fails=1: acquire release | acquire release",
    "size=1 bad=1: acquire release acquire release | acquire release",
    "size=1: acquire discard | acquire release",
    "size=1 breaks=1: acquire discard | acquire release",
    "size=1: acquire release again | acquire release",
    "size=1: acquire release | acquire release | close",
    "size=1: acquire release | acquire release | resize(2)",
)
FINEST: tuple[Grain, ...] = ("primitives", "lines")


@dataclass
class Survey:
    """What came of all programs."""

    pool: str
    reports: list[Report] = field(default_factory=list)

    @property
    def examples(self) -> dict[str, Example]:
        """By clause, the example with the fewest choices."""
        found: dict[str, Example] = {}
        for report in self.reports:
            for clause, example in report.examples.items():
                if clause not in found or len(example.choices) < len(found[clause].choices):
                    found[clause] = example
        return found

    def data(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "subject": self.pool,
            "findings": [
                {
                    "clause": clause,
                    "told": next(each.text for each in example.run.findings if each.clause == clause),
                    "token": example.token,
                    "repeat": f"python -m poolproof.conformance.patched replay {self.pool} '{example.token}'",
                    "picture": str(example),
                }
                for clause, example in sorted(self.examples.items())
            ],
            "programs": [
                {
                    "program": str(report.program), "grain": report.grain, "verdict": report.verdict,
                    "extent": report.lacks or report.extent, "runs": report.runs, "seconds": round(report.seconds, 2),
                }
                for report in self.reports
            ],
        }  # fmt: skip


def survey(
    checking: Checking,
    pool: str,
    *,
    seconds: float = 5.0,
    walks: int = 200,
    programs: Iterable[str] = PROGRAMS,
    tell: Callable[[Report], object] = lambda report: None,
) -> Survey:
    """Check every program at both grains, each for so many *seconds* at most."""
    found = Survey(pool)
    for program in map(Program.parse, programs):
        for grain in FINEST:
            report = checking.check(program, grain, walks=walks, first=False, seconds=seconds)
            found.reports.append(report)
            tell(report)
            if report.lacks:
                break
    return found
