"""The search leaves out nothing: what is merged is compared with what every single schedule leads to, in the results
of the clients, in the ends of the pool, and in every picture of the world on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from poolproof.conformance.checking import quiet
from poolproof.conformance.points import Grain
from poolproof.conformance.programs import Program
from poolproof.conformance.runs import run
from poolproof.conformance.scene import Scene
from poolproof.conformance.schedules import Walk
from poolproof.conformance.search import Explorer, Search, explore
from poolproof.conformance.standing import Look

# Small enough to run every schedule one by one.
SMALL: tuple[tuple[str, Grain], ...] = (
    ("size=1 given=1: try | try", "all"),
    ("size=1 given=1: try release | try", "all"),
    ("size=1 given=1: release | try", "all"),
    ("size=1 given=1 factory=0: release | acquire(1)", "commits"),
    ("size=1 given=1 factory=0: acquire(1) | acquire(1)", "commits"),
    ("size=1 given=1: discard | try", "commits"),
    ("size=2 given=1 factory=0: add | try | try", "commits"),
    ("size=1 given=1: stats | close", "all"),
    ("size=2 given=2: resize(1) | release", "reads"),
    ("size=1 given=1: expire | try", "commits"),
)

# Too large for that; walked through at random, which must lead to nothing that the search did not find.
LARGER: tuple[tuple[str, Grain], ...] = (
    ("size=1: acquire release | acquire(1) release", "all"),
    ("size=1 given=1: acquire discard | acquire(1) detach | try", "commits"),
    ("size=1 given=1: acquire release | acquire(1) release | close", "commits"),
    ("size=1 given=1 lease=10: acquire release | overdue | acquire(1)", "commits"),
    ("size=1 faults=1: acquire release | acquire release", "reads"),
    ("size=1 given=1 reset=1 faults=1: release | acquire(1)", "all"),
    ("size=1 given=1 check=1 faults=1: acquire release | acquire", "commits"),
    ("size=1 given=1 reset=1: drop | acquire release | expire", "commits"),
    ("size=2 given=1 min=1: discard | add | maintain", "commits"),
)


def searched(program: str, grain: Grain, bound: int | None = None, merge: bool = True) -> Search:
    scene = Scene(Program.parse(program), grain)
    try:
        with quiet():
            # Without renaming like threads: what that does is compared in test_twins.py.
            return explore(scene, bound, merge=merge, twins=False, most=300_000)
    finally:
        scene.crew.dismiss()


@pytest.mark.parametrize(("program", "grain"), SMALL)
def test_merging_loses_no_outcome(program: str, grain: Grain) -> None:
    every, merged = searched(program, grain, merge=False), searched(program, grain)
    assert every.complete
    assert merged.complete
    assert every.outcomes == merged.outcomes
    assert every.pictures == merged.pictures
    assert every.runs >= merged.runs


@pytest.mark.parametrize(("program", "grain"), LARGER)
def test_random_walks_find_no_other_outcome(program: str, grain: Grain, seed: int) -> None:
    merged = searched(program, grain)
    assert merged.complete
    outcomes, pictures = walked(program, grain, 1_200, seed)
    assert outcomes <= merged.outcomes, f"seed {seed}"
    assert pictures <= merged.pictures, f"seed {seed}"


def walked(program: str, grain: Grain, runs: int, seed: int) -> tuple[set[Any], set[object]]:
    """The outcomes of so many random walks, and all pictures of the world on their ways."""
    scene, found = Scene(Program.parse(program), grain), set()
    try:
        with quiet():
            for number in range(runs):
                done = run(scene, Walk(seed + number))
                assert done.verdict == "ok", done
                found.add((done.results, done.rest))
    finally:
        scene.crew.dismiss()
    return found, set(scene.pictures)


@pytest.mark.parametrize("program", ["size=1 given=1: try release | acquire(1)", "size=1: acquire release | close"])
def test_coarser_points_lead_to_the_same_outcomes(program: str) -> None:
    outcomes = [searched(program, grain).outcomes for grain in ("all", "reads", "commits")]
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_more_preemptions_never_lose_an_outcome() -> None:
    program = "size=1 given=1: acquire discard | acquire(1) release | close"
    found = [searched(program, "commits", bound) for bound in (0, 1, 2, None)]
    for fewer, more in pairwise(found):
        assert fewer.outcomes <= more.outcomes
    assert all(each.verdict == "ok" for each in found)


def never_told(self: Explorer) -> None:
    """Take every step for one that changed nothing."""
    self.chosen = (self.chosen[0], self.crew.stamp)
    whole_step(self)


whole_step = Explorer._stepped


@pytest.mark.parametrize(
    ("owner", "name", "wrong"),
    [
        pytest.param(Look, "frame", lambda self, frame, history: 0, id="where a thread stands is ignored"),
        pytest.param(Look, "state", lambda self, value: "state", id="which state a thread has read is ignored"),
        pytest.param(Explorer, "_stepped", never_told, id="all steps commute"),
    ],
)
def test_comparison_finds_a_search_that_merges_too_much(
    owner: type, name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    program = "size=1: acquire release | acquire(1) release"
    monkeypatch.setattr(owner, name, wrong)
    merged = searched(program, "all")
    outcomes, pictures = walked(program, "all", 1_200, seed)
    assert not (outcomes <= merged.outcomes and pictures <= merged.pictures)
