"""The report as one self-contained page."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from poolproof import __version__
from poolproof.conformance.suite.actors import Line
from poolproof.conformance.suite.report.findings import MOST_LINES, Report, finding
from poolproof.conformance.suite.report.terminal import MARKS, label
from poolproof.conformance.suite.running import Result

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; --dim: #777; --box: #8881; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #81c784; --dim: #999; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 0 0 .5rem; }
code, .lanes, .id { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
tbody tr { border-top: 1px solid var(--line); }
.broken { color: var(--bad); font-weight: 600; } .kept { color: var(--good); } .none { color: var(--dim); }
.finding { border-left: 4px solid var(--bad); background: var(--box); padding: .8rem 1rem; margin: 1rem 0; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .2rem .8rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; white-space: pre-wrap; }
.scroll { overflow-x: auto; margin: .7rem 0; } .lanes { border: 1px solid var(--line); }
.lanes td, .lanes th { border-left: 1px solid var(--line); padding: .1rem .6rem; min-width: 7rem; }
.lanes tbody tr { border: 0; }
.lanes td:first-child, .lanes th:first-child { min-width: 0; color: var(--dim); border: 0; }
.lanes .last { color: var(--bad); font-weight: 600; }
"""


def page(report: Report) -> str:
    """The page's text."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    put(head, "title", f"Conformance of {report.subject.name}")
    put(head, "style", "")
    body = SubElement(html, "body")
    put(body, "h1", f"Conformance of {report.subject.name}")
    put(body, "p", report.verdict(), "broken" if report.exit_code else "kept").set("id", "verdict")
    about = f"poolproof {__version__}, Python {platform.python_version()}, {platform.platform()}, seed {report.seed}"
    put(body, "p", about, "none")
    for result in report.vanished():
        put(body, "p", f"{result.scenario.id} is a known deviation that no longer occurs ({result.verdict}).", "broken")
    if broken := report.of("broken"):
        put(body, "h2", f"Findings ({len(broken)})")
        for result in broken:
            add_finding(body, report, result)
    add_clauses(body, report)
    add_lacks(body, report)
    text = tostring(html, encoding="unicode", method="html")
    return "<!DOCTYPE html>\n" + text.replace("<style></style>", f"<style>{STYLE}</style>")


def put(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    """A new element with this text."""
    new = SubElement(parent, tag)
    new.text = text
    if kind:
        new.set("class", kind)
    return new


def add_finding(body: Element, report: Report, result: Result) -> None:
    box = SubElement(body, "section", {"class": "finding", "id": result.scenario.id})
    put(box, "h3", result.scenario.id, "id")
    if known := report.known.get(result.scenario.id):
        put(box, "p", f"Known: {known}", "none")
    words = SubElement(box, "dl")
    for word, text in finding(report, result):
        if word:
            put(words, "dt", word)
            inner = SubElement(words, "dd")
            put(inner, "code" if word == "repeat" else "span", text)
    if result.lines:
        add_lanes(box, result.lines)


def add_lanes(box: Element, lines: Sequence[Line]) -> None:
    """The timeline: a column for each actor, a row for each thing that happened."""
    shown = list(lines[-MOST_LINES:])
    names = list(dict.fromkeys(line.who for line in shown))
    table = SubElement(SubElement(box, "div", {"class": "scroll"}), "table", {"class": "lanes"})
    row = SubElement(SubElement(table, "thead"), "tr")
    for name in ("", *names):
        put(row, "th", name)
    inside = SubElement(table, "tbody")
    for number, line in enumerate(shown, start=len(lines) - len(shown) + 1):
        row = SubElement(inside, "tr")
        put(row, "td", str(number))
        for name in names:
            put(row, "td", line.what if line.who == name else "", "last" if line is shown[-1] else "")


def add_clauses(body: Element, report: Report) -> None:
    put(body, "h2", "Clauses")
    table = SubElement(body, "table", {"id": "clauses"})
    row = SubElement(SubElement(table, "thead"), "tr")
    for name in ("clause", "verdict", "how far, or why not"):
        put(row, "th", name)
    inside = SubElement(table, "tbody")
    for clause in report.clauses():
        row = SubElement(inside, "tr", title=clause.promise.text)
        put(row, "td", clause.promise.id, "id")
        kind = clause.verdict if clause.verdict in ("broken", "kept") else "none"
        put(row, "td", f"{MARKS[clause.verdict]} {label(report, clause)}", kind)
        put(row, "td", clause.told)
    put(body, "p", f"No scenario sees: {', '.join(report.unseen())}.", "none")


def add_lacks(body: Element, report: Report) -> None:
    put(body, "h2", "What the pool is said to lack")
    table = SubElement(body, "table")
    for name, reason in report.subject.lacks.items():
        row = SubElement(table, "tr")
        put(row, "td", name, "id")
        put(row, "td", reason)
