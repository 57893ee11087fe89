"""The scoreboard's page is what its results say, and its adapters are short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import scoreboard
from source import ROOT

PEERS = ROOT / "docs" / "scoreboard" / "peers"
FOUND = {
    "version": "1.0",
    "l0": {
        "lacks": {"fifo": "no order", "create": "the adapter does not read spec.create"},
        "results": [
            {"clause": "EXCLUSIVE", "verdict": "kept", "told": "", "repeat": ""},
            {"clause": "CAPACITY", "verdict": "kept", "told": "", "repeat": ""},
            {"clause": "CAPACITY", "verdict": "broken", "told": "two <things>", "repeat": "run this"},
            {"clause": "WAIT-FIFO", "verdict": "not applicable", "told": "", "repeat": ""},
            {"clause": "GC-SAFE", "verdict": "not shown", "told": "", "repeat": ""},
        ],
    },
    "l1": {
        "findings": [{"clause": "EXCLUSIVE", "told": "r1 was given to B", "repeat": "run that"}],
        "programs": [{"verdict": "limit", "runs": 7, "extent": "1 met a limit: time"}],
    },
}


def test_page_is_generated_from_the_results() -> None:
    assert scoreboard.PAGE.read_text(encoding="utf-8") == scoreboard.page(scoreboard.results()), (
        "run python docs/tools/scoreboard.py --render"
    )


def test_worst_verdict_counts() -> None:
    expected = {"EXCLUSIVE": "✗", "CAPACITY": "✗", "WAIT-FIFO": "–", "GC-SAFE": "?"}
    assert expected == scoreboard.cells(FOUND)


def test_every_deviation_has_its_command() -> None:
    about = {"date": "2000-01-01", "python": "CPython 3", "machine": "a machine"}
    page = scoreboard.page({"about": about, "peers": {"lifo_queue": FOUND}})
    assert "- **CAPACITY** (L0): two &lt;things>\n\n  ```sh\n  run this\n  ```" in page
    assert "- **EXCLUSIVE** (L1): r1 was given to B\n\n  ```sh\n  run that\n  ```" in page
    assert "L1: 1 explorations, 7 schedules; 1 of them stopped at a limit." in page
    assert "Not promised, as the adapter says: fifo (no order)." in page


@pytest.mark.parametrize("peer", scoreboard.PEERS, ids=lambda peer: peer.module)
def test_adapter_is_short(peer: scoreboard.Peer) -> None:
    """At most twenty lines of code: without docstrings, imports, blank lines, and what the adapter says is lacking."""
    path = PEERS / f"{peer.module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert len(code_lines(tree, path)) <= 20


def code_lines(tree: ast.Module, path: Path) -> set[int]:
    """The lines that have code on them."""
    left_out: set[int] = set()
    for node in ast.walk(tree):
        lacks = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "lacks"
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and (lacks or text or isinstance(node, ast.Import | ast.ImportFrom)):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, start=1) if line.strip()} - left_out
