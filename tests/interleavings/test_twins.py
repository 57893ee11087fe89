"""Like threads may change their numbers: a search that uses it finds the same as one that does not, up to that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from poolproof.conformance import families, search
from poolproof.conformance.checking import quiet
from poolproof.conformance.points import Grain
from poolproof.conformance.programs import Program
from poolproof.conformance.scene import Scene
from poolproof.conformance.search import Search, explore
from poolproof.conformance.twins import inverse, renamed, twins_of

# Programs of two threads that do the same, from both families; and a few of three.
FAMILIES: tuple[tuple[Iterable[Program], Grain], ...] = (
    (families.combined(2), "all"), (families.rounds(2), "commits")
)  # fmt: skip
LIKE = [
    (str(each), grain)
    for programs, grain in FAMILIES
    for each in programs
    if len(set(each.threads)) < len(each.threads)
]
THREE: tuple[tuple[str, Grain], ...] = (
    ("size=1: acquire release | acquire release | acquire release", "commits"),
    ("size=1: try release | try release | try release", "commits"),
    ("size=1: acquire release | acquire release | close", "commits"),
    ("size=2 given=2: release | release | try", "reads"),
    ("size=1 faults=1: try | try | try", "commits"),
    ("size=1 given=1: acquire release again | end_of(0) | end_of(0)", "commits"),
)


def searched(program: str, grain: Grain, twins: bool, bound: int | None = None) -> Search:
    scene = Scene(Program.parse(program), grain)
    try:
        with quiet():
            found = explore(scene, bound, twins=twins, most=300_000)
    finally:
        scene.crew.dismiss()
    assert found.verdict == "ok", (program, found)
    return found


def every_numbering(program: str) -> list[tuple[int, ...]]:
    """All ways to change the numbers of like threads."""
    threads = Program.parse(program).threads
    groups = twins_of(threads)
    found = []
    for numbers in itertools.permutations(range(len(threads))):
        moved = {old for old, new in enumerate(numbers) if old != new}
        if all(any(old in group and numbers[old] in group for group in groups) for old in moved):
            found.append(numbers)
    return found


def up_to_numbers(program: str, found: Search) -> tuple[set[Any], set[Any]]:
    """The outcomes and pictures of a search, in every numbering."""
    outcomes, pictures = set(), set()
    for numbers in every_numbering(program):
        for results, (asleep, *rest) in found.outcomes:
            renumbered = tuple(results[old] for old in inverse(numbers))
            outcomes.add((renumbered, (tuple(sorted(numbers[each] for each in asleep)), *rest)))
        pictures |= {renamed(each, numbers) for each in found.pictures}
    return outcomes, pictures


def same(program: str, grain: Grain, bound: int | None = None) -> bool:
    with_twins, without = (searched(program, grain, twins, bound) for twins in (True, False))
    assert with_twins.runs <= without.runs
    return up_to_numbers(program, with_twins) == up_to_numbers(program, without)


@pytest.mark.parametrize(("program", "grain"), LIKE)
def test_two_like_threads_lead_to_the_same_in_either_numbering(program: str, grain: Grain) -> None:
    assert same(program, grain)


@pytest.mark.parametrize(("program", "grain"), THREE)
@pytest.mark.parametrize("bound", [None, 1])
def test_three_threads_lead_to_the_same_in_every_numbering(program: str, grain: Grain, bound: int | None) -> None:
    assert same(program, grain, bound)


def test_like_threads_are_worth_it() -> None:
    program = "size=1: try release | try release | try release"
    runs = [searched(program, "commits", twins).runs for twins in (True, False)]
    assert runs[0] * 4 < runs[1]


def test_a_search_counts_the_same_every_time() -> None:
    """What a thread holds is told anew in every run, which has objects of its own; not by those of an earlier one."""
    programs = ("size=1: acquire(1) discard | acquire detach | resize(1)", "size=1: acquire detach | close | close")
    found = [[searched(each, "commits", True) for each in programs] for _ in range(3)]
    counts = {tuple((each.runs, each.moments, each.steps) for each in row) for row in found}
    assert len(counts) == 1


def test_comparison_finds_a_search_that_takes_all_threads_for_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "twins_of", lambda threads: (tuple(range(len(threads))),))
    assert not same("size=1: acquire discard | acquire detach | close", "commits")
