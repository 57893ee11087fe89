"""A model written from the specification in another language, by itself, is the model.

spin searches the Promela model; the explorer searches the one in Python. Scope by scope both must reach the same
number of states by the same number of edges, and the edges themselves must be the same, each with its row. spin counts
the first state as one transition more. The invariants are assertions of the Promela model.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from poolmodel.configurations import SCOPES
from poolmodel.explore import explore
from second_opinions import promela
from second_opinions.promela import PROMELA, Graph, Incomplete, normal, row_numbers, run
from specification import rows

# OLDEST-FIRST in fifo order, which none of the scopes reaches.
SHRINK_FIFO = replace(SCOPES["resize"], name="resize-fifo", config=replace(SCOPES["resize"].config, order="fifo"))
COMPARED = {**SCOPES, SHRINK_FIFO.name: SHRINK_FIFO}

LARGER = {
    "ordinary, 4 clients": replace(SCOPES["ordinary"], clients=4),
    "ordinary, 3 slots": replace(SCOPES["ordinary"], config=replace(SCOPES["ordinary"].config, limit=3)),
    "finite, 4 clients, 3 slots": replace(
        SCOPES["finite"], clients=4, config=replace(SCOPES["finite"].config, limit=3)
    ),
}

# Where the two things that the normal form forgets make states differ: marks of discarded slots, and backing off.
LITERAL = ("everything", "fork")


class Planted(NamedTuple):
    """A mistake: in this scope, in this file, this text is replaced. *said* is how spin prints what is violated,
    without blanks and parentheses."""

    scope: str
    file: str
    right: str
    wrong: str
    said: str = ""


MISTAKES = {
    "grant what is unfit": Planted("check", "ticket_rows", "!unfit[next_free - 1]", "true", "unfit[new]"),
    "build beyond the limit": Planted(
        "min-size", "pool", "creating < waiting + (n) && live < limit", "creating < waiting + (n)", "<limit"
    ),
    "refill beyond the limit": Planted("fork", "pool", "MIN_SIZE && live < limit)", "MIN_SIZE)", "<limit"),
    "leap to a limit": Planted("lifted", "pool", "phase == OPEN && climbs(n)", "phase == OPEN", ">=queue[0]>0"),
    "release without reset": Planted("reset", "pool", "some_plain (!RESET)", "some_plain true", "!1&&state[0]==3"),
    "free what nobody owns": Planted(
        "reset",
        "slot_rows",
        "ON(RESET_OK) && state[S] == RETURNING && owned[S]",
        "ON(RESET_OK) && state[S] == RETURNING",
        "state[0]!=4||owned[0]",
    ),
    "build after close": Planted(
        "ordinary", "slot_rows", "CREATING && may_be_free(S)", "CREATING && !unfit[S] && !surplus", "phase==0&&!"
    ),
    "grant and keep waiting": Planted(
        "ordinary",
        "pool",
        "grant(new, who); stop_waiting(who)",
        "grant(new, who)",
        "holder[0]==0||!queue[0]==holder[0]",
    ),
    "no hand-off": Planted(
        "ordinary", "pool", "    :: queue[0] > 0 && free_list[0] > 0 -> hand_off()\n", "", "queue[3]>0==0||state[0]==2"
    ),
    "close and forget the waiters": Planted(
        "ordinary",
        "pool",
        "    phase = CLOSING;\n    do\n    :: queue[0] > 0 ->",
        "    phase = CLOSING;\n    do\n    :: false ->",
        "phase==0||queue[0]>0",
    ),
    "never closed": Planted(
        "ordinary", "pool", "phase == CLOSING && live == 0 -> phase = CLOSED;", "false ->", "phase==2==phase!=0"
    ),
    "a smaller limit and nobody goes": Planted(
        "resize", "pool", ":: surplus && free_list[0] > 0 ->", ":: false ->", ">limit||state[0]==2"
    ),
}

# Wrong, and yet no invariant is broken: only the comparison can tell.
DIFFERENCES = {
    "the newest leaves first": Planted(
        "resize-fifo", "slot_rows", "free_list[0] == S + 1", "is_free > 0 && free_list[is_free - 1] == S + 1"
    ),
    "a failed check costs the turn": Planted("check", "slot_rows", "prepend(queue,", "append(queue,"),
    "a lost build is tried at once": Planted("min-size", "slot_rows", "backing_off = true", "backing_off = false"),
    "a free slot is fresh": Planted("check", "pool", "fresh[s] = (built == s + 1)", "fresh[s] = true"),
}


@cache
def graph(name: str) -> Graph:
    return promela.graph(COMPARED[name])


def planted(folder: Path, mistake: Planted) -> Path:
    """A copy of the Promela model with *mistake* in it."""
    copy = folder / "promela"
    shutil.copytree(PROMELA, copy)
    path = copy / f"{mistake.file}.pml"
    text = path.read_text(encoding="utf-8")
    assert text.count(mistake.right) == 1, f"{mistake.right!r} stands {text.count(mistake.right)} times in {path.name}"
    path.write_text(text.replace(mistake.right, mistake.wrong), encoding="utf-8")
    return copy


@pytest.mark.clause("CAPACITY", "EXCLUSIVE", "WORK-CONSERVING", "NEVER-STALE", "RESET-BEFORE-REUSE", "WAIT-FIFO")
@pytest.mark.clause("DUTY-OWNED", "CLOSE-FINAL", "CLOSE-REFUSES", "CLOSE-TERMINATES", "RESIZE-BOTH-WAYS")
@pytest.mark.clause("FREE-ORDER", "OLDEST-FIRST", "CHECK-KEEPS-TURN", "INVALID-UNCHANGED")
@pytest.mark.parametrize("name", COMPARED)
def test_both_models_have_the_same_states_and_edges(name: str, tmp_path: Path) -> None:
    found, own = run(COMPARED[name], tmp_path, edges=True), graph(name)
    assert "errors: 0" in found.output
    assert (own.states, own.edges.total() + 1) == (found.states, found.transitions)
    assert own.rows == found.rows
    assert own.edges == found.edges


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LARGER)
def test_both_models_count_the_same_in_larger_scopes(name: str, tmp_path: Path) -> None:
    found, own = run(LARGER[name], tmp_path), explore(LARGER[name], judge=False)
    assert "errors: 0" in found.output
    assert (own.states, own.edges + 1, own.fired) == (found.states, found.transitions, found.rows)


def test_what_is_compared_is_what_the_explorer_counts() -> None:
    own = explore(COMPARED["fork"], judge=False)
    assert (own.states, own.edges, own.fired) == (graph("fork").states, graph("fork").edges.total(), graph("fork").rows)


@pytest.mark.parametrize("name", LITERAL)
def test_the_normal_form_forgets_nothing_that_matters(name: str, tmp_path: Path) -> None:
    """Without the normal form there are more states, and each has the edges of the state that it is a form of."""
    found = run(COMPARED[name], tmp_path, edges=True, literal=True)
    assert found.errors == 0
    assert found.states > graph(name).states
    moves: dict[str, Counter[tuple[str, str]]] = {}
    for (row, before, after), times in found.edges.items():
        moves.setdefault(before, Counter())[row, normal(after)] += times
    expected: dict[str, Counter[tuple[str, str]]] = {}
    for (row, before, after), times in graph(name).edges.items():
        expected.setdefault(before, Counter())[row, after] += times
    assert [] == [state for state, each in moves.items() if each != expected[normal(state)]]


def test_the_page_counts_what_is_found() -> None:
    text = (PROMELA / "README.md").read_text(encoding="utf-8")
    cells = re.findall(r"\| ([a-z-]+)(?: \([^)]*\))? \| ([\d ]+) \| ([\d ]+) (?=\|)", text)
    said = {name: tuple(int(number.replace(" ", "")) for number in numbers) for name, *numbers in cells}
    assert {name: (graph(name).states, graph(name).edges.total() + 1) for name in COMPARED} == said


def test_every_row_of_the_table_fires_in_promela() -> None:
    assert {row.id for row in rows()} == set(row_numbers().values())
    assert {row.id for row in rows()} == {row for name in COMPARED for row in graph(name).rows}


@pytest.mark.parametrize("name", MISTAKES)
def test_spin_finds_a_planted_mistake(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    found = run(COMPARED[mistake.scope], tmp_path, source=planted(tmp_path, mistake))
    assert found.errors > 0
    violated = [line for line in found.output.splitlines() if "assertion violated" in line]
    assert len(violated) == 1
    assert mistake.said in re.sub("[ ()]", "", violated[0])


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_comparison_finds_a_difference(name: str, tmp_path: Path) -> None:
    mistake = DIFFERENCES[name]
    found = run(COMPARED[mistake.scope], tmp_path, edges=True, source=planted(tmp_path, mistake))
    assert found.errors == 0
    assert graph(mistake.scope).edges != found.edges


def test_a_search_that_was_cut_short_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promela, "DEPTH", 50)
    with pytest.raises(Incomplete, match="max search depth too small"):
        run(SCOPES["fork"], tmp_path)


@pytest.mark.parametrize("text", ["", "errors: 0\n", "pan: out of memory\n"])
def test_silence_is_no_result(text: str) -> None:
    with pytest.raises(Incomplete):
        promela.read(text)


def test_without_spin_the_check_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssertionError, match="apt-get install spin gcc"):
        run(SCOPES["fork"], tmp_path)
