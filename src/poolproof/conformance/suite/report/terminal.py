"""The report in the terminal: a table in colour where rich is there, in plain text elsewhere."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator

from poolproof.conformance.suite.report.findings import Clause, Report, finding
from poolproof.conformance.suite.running import Result

MARKS = {"kept": "✓", "broken": "✗", "not applicable": "–", "not shown": "?"}
COLOURS = {"kept": "green", "broken": "red", "not applicable": "dim", "not shown": "yellow"}


def show(report: Report) -> None:
    """Print the whole report."""
    for line in findings(report):
        print(line)
    table(report)
    for line in endings(report):
        print(line)


def findings(report: Report) -> Iterator[str]:
    """What is broken, in words."""
    for result in report.of("broken"):
        yield from told(report, result)
        yield ""


def told(report: Report, result: Result) -> Iterator[str]:
    """One finding."""
    known = report.known.get(result.scenario.id)
    yield f"✗ {result.scenario.id}" + ("" if known is None else f"  (known: {known})")
    width = max(60, min(118, shutil.get_terminal_size((100, 24)).columns)) - 18
    for word, text in finding(report, result):
        if not word:
            yield from (f"      {line}" for line in text.splitlines())
            continue
        head, *more = text.splitlines() or [""]
        lines = [head] if word == "repeat" else textwrap.wrap(head, width)
        yield f"  {word:<15} {lines[0]}"
        yield from (f"{'':<18}{line}" for line in lines[1:])
        yield from (f"      {line}" for line in more)


def table(report: Report) -> None:
    """The clauses, each with its verdict."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ModuleNotFoundError:
        for line in plain_table(report):
            print(line)
        return
    console = Console()
    if not console.is_terminal:
        for line in plain_table(report):
            print(line)
        return
    shown = Table("clause", "", "how far, or why not", box=None, pad_edge=False)
    for clause in report.clauses():
        colour = COLOURS[clause.verdict]
        mark = f"{MARKS[clause.verdict]} {label(report, clause)}"
        shown.add_row(f"[{colour}]{clause.promise.id}[/]", f"[{colour}]{mark}[/]", clause.told)
    console.print(shown)


def plain_table(report: Report) -> Iterator[str]:
    for clause in report.clauses():
        mark = f"{MARKS[clause.verdict]} {label(report, clause)}"
        text = clause.told if len(clause.told) <= 150 else clause.told[:149] + "…"
        yield f"{clause.promise.id:<26} {mark:<18} {text}".rstrip()


def label(report: Report, clause: Clause) -> str:
    """The verdict, and the level where it is not "must"."""
    broken = [each.scenario.id for each in clause.results if each.verdict == "broken"]
    word = "known deviation" if broken and all(each in report.known for each in broken) else clause.verdict
    return word if clause.promise.level == "must" else f"{word} ({clause.promise.level})"


def endings(report: Report) -> Iterator[str]:
    """What comes below the table."""
    for result in report.vanished():
        yield f"{result.scenario.id} is listed as a known deviation, and is {result.verdict}: take it off the list"
    yield f"no scenario sees: {', '.join(report.unseen())}"
    yield f"{report.subject.name}, seed {report.seed}: {report.verdict()}"


def progress(done: int, total: int, result: Result) -> None:
    """One line that says what was just run, on a terminal."""
    if sys.stderr.isatty():
        end = "\r" if done < total else "\r\033[K"
        print(
            f"\033[K{done}/{total} {MARKS[result.verdict]} {result.scenario.id}", end=end, file=sys.stderr, flush=True
        )
