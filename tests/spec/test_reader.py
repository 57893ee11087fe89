"""The reader of the specification understands what is written and refuses what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from specification import Clause, Edge, Malformed, clauses, guards, rows, states

MACHINES = """\
## Pool

| state | meaning |
|---|---|
| open | Served. |
| closed | Not. |

## Slot

| state | meaning | counts as |
|---|---|---|
| absent | Not there. | – |
| free | Unused. | live |
| gone | Going. | live |
"""
HEADER = """\
## Rows

| id | machine | from | event | guard | to | effects | clauses |
|---|---|---|---|---|---|---|---|
"""
CLAUSE = """\
### WAIT-FIFO  (must)
The longest-waiting ticket goes first.

> Intent: a newcomer cannot overtake;
> not even a lucky one.
> Assumes: nothing.
> Rows: HAND-OFF, QUEUE.
"""


def _spec(folder: Path, table: str = HEADER, chapter: str = "") -> Path:
    (folder / "machines.md").write_text(MACHINES, encoding="utf-8")
    (folder / "transitions.md").write_text(table, encoding="utf-8")
    (folder / "safety.md").write_text(chapter, encoding="utf-8")
    return folder


def test_states_come_in_order(tmp_path: Path) -> None:
    assert states(_spec(tmp_path)) == {"pool": ("open", "closed"), "slot": ("absent", "free", "gone")}


def test_row_is_read_cell_by_cell(tmp_path: Path) -> None:
    line = (
        "| SHUT | pool | open | close | open (policy); idle (needed) | closed | Wake, Destroy | NO-MORE |\n"
    )
    (row,) = rows(_spec(tmp_path, HEADER + line))
    assert (row.id, row.machines, row.from_, row.event, row.to) == (
        "SHUT",
        ("pool",),
        "open",
        "close",
        "closed",
    )
    assert row.guards == (("open", "policy"), ("idle", "needed"))
    assert (row.effects, row.clauses, row.inner) == (("Wake", "Destroy"), ("NO-MORE",), False)


@pytest.mark.parametrize(
    ("machine", "source", "target", "edges"),
    [
        ("slot", "free or gone", "absent", [("slot", "free", "absent"), ("slot", "gone", "absent")]),
        ("slot", "free or gone", "=, unfit", [("slot", "free", "free"), ("slot", "gone", "gone")]),
        ("slot", "any but absent", "gone, unowned", [("slot", "free", "gone"), ("slot", "gone", "gone")]),
        ("pool", "any", "as it was first", [("pool", "open", "open"), ("pool", "closed", "open")]),
        (
            "slot + pool",
            "free + open",
            "gone + closed",
            [("slot", "free", "gone"), ("pool", "open", "closed")],
        ),
        (
            "pool",
            "open",
            "closed; free slots gone, unowned",
            [("pool", "open", "closed"), ("slot", "free", "gone")],
        ),
        ("pool", "open", "open; all other slots unfit", [("pool", "open", "open")]),
    ],
)
def test_from_and_to_mean_edges(
    machine: str, source: str, target: str, edges: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    (row,) = rows(_spec(tmp_path, f"{HEADER}| ROW | {machine} | {source} | e | – | {target} | – | – |\n"))
    assert row.edges == tuple(Edge("ROW", *edge) for edge in edges)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("| row | pool | open | e | – | open | – | – |", "no row id"),
        ("| ROW | pond | open | e | – | open | – | – |", "no such machine"),
        ("| ROW | pool | ajar | e | – | open | – | – |", "no such state"),
        ("| ROW | pool | open | e | – | ajar | – | – |", "no such state"),
        ("| ROW | pool | open | e | – | open; fre slots gone | – | – |", "no state of a slot"),
        ("| ROW | pool + slot | open | e | – | open | – | – |", "2 machines"),
        ("| ROW | pool | open | e | open | open | – | – |", "no guard"),
        ("| ROW | pool | open | e | open (wanted) | open | – | – |", "no guard"),
        ("| ROW | pool | open | e | – | open | Shout | – |", "no such effect"),
        ("| ROW | pool | open | e | – | open | – | wait-fifo |", "no clause id"),
        ("| ROW | pool | open | e | – | open | – |", "7 cells"),
        ("| ROW | pool | open | e |  | open | – | – |", "empty cell"),
        ("| ROW | pool | open | e | – | open | – | –", "ends with"),
    ],
)
def test_malformed_row_names_its_line(line: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=rf"^transitions\.md:5: .*{why}"):
        rows(_spec(tmp_path, HEADER + line + "\n"))


def test_second_row_of_the_same_id_is_refused(tmp_path: Path) -> None:
    line = "| ROW | pool | open | e | – | open | – | – |\n"
    with pytest.raises(Malformed, match=r"^transitions\.md:6: ROW stands already in line 5$"):
        rows(_spec(tmp_path, HEADER + line + line))


def test_guards_are_read(tmp_path: Path) -> None:
    table = "## Guards\n\n| guard | true when |\n|---|---|\n| open | it is |\n"
    assert guards(_spec(tmp_path, table)) == {"open": "it is"}


def test_clause_is_read_label_by_label(tmp_path: Path) -> None:
    assert clauses(_spec(tmp_path, chapter="# Safety\n\n" + CLAUSE + "\n## Next\nProse.\n")) == (
        Clause(
            id="WAIT-FIFO",
            level="must",
            text="The longest-waiting ticket goes first.",
            intent="a newcomer cannot overtake; not even a lucky one.",
            assumes=(),
            rows=("HAND-OFF", "QUEUE"),
            chapter="safety.md",
            line=3,
        ),
    )


def test_fences_and_plain_headings_are_not_clauses(tmp_path: Path) -> None:
    assert clauses(_spec(tmp_path, chapter=f"# The rules\n\n### Of slots\n\n```text\n{CLAUSE}```\n")) == ()


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("  (must)", " (must)", "is no clause"),
        ("  (must)", "  (shall)", "is no clause"),
        ("### WAIT-FIFO  (must)", "## WAIT-FIFO  (must)", "is no clause"),
        ("### WAIT-FIFO", "### wait-fifo", "is no clause"),
        ("> Assumes:", "> Presumes:", "begins with none of"),
        ("> Assumes:", "> Intent:", "a second Intent"),
        ("> Intent:", "> intent:", "begins with none of"),
        ("HAND-OFF, QUEUE.", "HAND-OFF and QUEUE.", "is no list of ids"),
        ("HAND-OFF, QUEUE.", "nothing.", "is no list of ids"),
        ("> Assumes: nothing.\n", "", "a clause is a text, then Intent, Assumes, Rows"),
        ("QUEUE.\n", "QUEUE.\n\nOne more thing.\n", "text after the quote"),
        ("The longest-waiting ticket goes first.\n", "", "a clause is a text, then"),
    ],
)
def test_malformed_clause_names_its_line(before: str, after: str, why: str, tmp_path: Path) -> None:
    assert before in CLAUSE
    with pytest.raises(Malformed, match=rf"^safety\.md:\d+: .*{why}"):
        clauses(_spec(tmp_path, chapter=CLAUSE.replace(before, after)))
