"""A run as a report: the verdict on each clause, the findings in words, and what is known already."""

from __future__ import annotations

import platform
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poolproof import __version__
from poolproof.conformance.suite.actors import Line
from poolproof.conformance.suite.adapter import BEHAVIOUR, AdapterError, Subject
from poolproof.conformance.suite.running import Promise, Result, promises, scenarios

MOST_LINES = 30


@dataclass(frozen=True)
class Clause:
    """The verdict on one clause: of all its scenarios together."""

    promise: Promise
    results: tuple[Result, ...]

    @property
    def verdict(self) -> str:
        """The worst of its scenarios' verdicts; "not applicable" only if none of them applies."""
        found = {each.verdict for each in self.results}
        return next((each for each in ("broken", "not shown", "kept") if each in found), "not applicable")

    @property
    def told(self) -> str:
        """How far it was looked, or why not."""
        shown = [each for each in self.results if each.verdict == self.verdict]
        return "; ".join(dict.fromkeys(each.told.splitlines()[0] for each in shown))


@dataclass(frozen=True)
class Report:
    """Everything that one run has to say."""

    subject: Subject
    results: Sequence[Result]
    seed: int
    effort: int
    known: Mapping[str, str] = field(default_factory=dict)

    def clauses(self) -> list[Clause]:
        """The clauses that were looked at."""
        return [
            Clause(promise, tuple(found))
            for promise in promises().values()
            if (found := [each for each in self.results if each.scenario.clause == promise.id])
        ]

    def unseen(self) -> list[str]:
        """The clauses that have no scenario: no outside observer can see them, or nobody has thought of how."""
        seen = {each.clause for each in scenarios()}
        return [name for name in promises() if name not in seen]

    def of(self, verdict: str) -> list[Result]:
        return [each for each in self.results if each.verdict == verdict]

    def news(self) -> list[Result]:
        """What is broken and not known."""
        return [each for each in self.of("broken") if each.scenario.id not in self.known]

    def vanished(self) -> list[Result]:
        """What is known as a deviation, and was not seen."""
        return [each for each in self.results if each.scenario.id in self.known and each.verdict != "broken"]

    @property
    def exit_code(self) -> int:
        """0 conformant; 1 a promise is broken, or a known deviation is gone; 2 something could not be shown."""
        if self.vanished() or [each for each in self.news() if promises()[each.scenario.clause].level == "must"]:
            return 1
        return 2 if self.of("not shown") else 0

    def verdict(self) -> str:
        """The whole in one line."""
        counts = {name: len([each for each in self.clauses() if each.verdict == name]) for name in VERDICTS}
        told = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        head = {0: "conformant, as far as shown", 1: "not conformant", 2: "undecided"}[self.exit_code]
        if self.exit_code == 0 and self.known:
            head = "conformant but for the known deviations"
        return f"{head}: {told} (clauses); {len(self.unseen())} clauses have no scenario"

    def command(self, result: Result) -> str:
        """What repeats one scenario alone."""
        effort = " --exhaustive" if self.effort > 1 else ""
        only = f"--only {result.scenario.id} --seed {self.seed}{effort}"
        return f"python -m poolproof conform {shlex.quote(self.subject.name)} {only}"

    def data(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "subject": self.subject.name,
            "poolproof": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "seed": self.seed,
            "effort": self.effort,
            "verdict": self.verdict(),
            "exit_code": self.exit_code,
            "lacks": dict(self.subject.lacks),
            "clauses_without_scenario": self.unseen(),
            "results": [self.datum(each) for each in self.results],
        }

    def datum(self, result: Result) -> dict[str, Any]:
        found = {
            "id": result.scenario.id,
            "clause": result.scenario.clause,
            "level": promises()[result.scenario.clause].level,
            "verdict": result.verdict,
            "told": result.told,
            "seconds": round(result.seconds, 3),
        }
        if result.verdict == "broken":
            found["known"] = self.known.get(result.scenario.id)
            found["tried"] = result.scenario.told
            found["timeline"] = [list(each) for each in result.lines[-MOST_LINES:]]
            found["repeat"] = self.command(result)
        return found


VERDICTS = ("broken", "not shown", "kept", "not applicable")


def finding(report: Report, result: Result) -> Iterator[tuple[str, str]]:
    """A finding as pairs of a word and a text; the timeline is the one without a word."""
    promise = promises()[result.scenario.clause]
    yield "promised", promise.text
    yield "tried", result.scenario.told
    yield "happened", result.told
    if lanes := swim_lane(result.lines):
        yield "", "\n".join(lanes)
    yield "why it matters", promise.why
    yield "repeat", report.command(result)
    hints = [need for need in result.scenario.needs if need in BEHAVIOUR and need != "timeouts"]
    if hints:
        yield "not promised?", f'if so, tell the suite in the adapter: lacks = {{"{hints[0]}": "the reason"}}'


def swim_lane(lines: Sequence[Line]) -> list[str]:
    """The timeline, a column for each actor."""
    shown = list(lines[-MOST_LINES:])
    if not shown:
        return []
    names = list(dict.fromkeys(line.who for line in shown))
    widths = {name: max(len(name), *(len(line.what[:44]) for line in shown if line.who == name)) for name in names}
    rows = ["  ".join(name.ljust(widths[name]) for name in names).rstrip()]
    for line in shown:
        cells = [(line.what[:44] if line.who == name else "").ljust(widths[name]) for name in names]
        rows.append("  ".join(cells).rstrip())
    if len(lines) > len(shown):
        rows.insert(1, f"({len(lines) - len(shown)} earlier lines are left out)")
    return rows


def known_deviations(path: Path | None) -> dict[str, str]:
    """The deviations that a file lists: ids of scenarios, each with a reason.

    Raises:
        AdapterError: the file makes no sense.
    """
    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AdapterError(f"{path}: {error}") from error
    ids = {each.id for each in scenarios()}
    for name, table in tables.items():
        if name not in ids:
            raise AdapterError(f"{path}: no scenario is called {name!r}; --list names them all")
        if not (isinstance(table, dict) and isinstance(table.get("reason"), str) and table["reason"]):
            raise AdapterError(f'{path}: ["{name}"] needs a line: reason = "…"')
    return {name: table["reason"] for name, table in tables.items()}
