"""A schedule is a short text, and the text is the schedule: exact replay, drawn schedules, pictures."""

from __future__ import annotations

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from interleavings.mutants import MUTANTS
from poolproof.conformance.checking import Counterexample, check, quiet, replay, walk
from poolproof.conformance.programs import Program
from poolproof.conformance.runs import Run, run
from poolproof.conformance.scene import Scene
from poolproof.conformance.schedules import Given, ScheduleMismatch, Walk, read_token, token

PROGRAM = Program.parse("size=1: acquire release | acquire(1) discard | maintain")
NAMED = {mutant.name: mutant for mutant in MUTANTS}
# At which decision to leave the ordinary course, and by how much.
DRAWN = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 3)), max_size=6)


def test_random_schedules_repeat_exactly() -> None:
    scene = Scene(PROGRAM)
    try:
        with quiet():
            for seed in range(300):
                policy = Walk(seed)
                first = run(scene, policy)
                assert first == run(scene, Given(policy.taken)), seed
    finally:
        scene.crew.dismiss()


def test_token_says_the_same_twice() -> None:
    text = token(PROGRAM, "reads", ((3, 1), (9, 4)))
    assert text == "size=1: acquire release | acquire(1) discard | maintain @reads 3:1 9:4"
    assert read_token(text) == (PROGRAM, "reads", ((3, 1), (9, 4)))


@pytest.mark.parametrize(
    "text",
    ["", "size=1: acquire", "size=1: acquire @", "size=1: acquire @all 3", "size=1: nothing @all", "big=1: try @all"],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no @all|is no"):
        read_token(text)


def test_schedule_of_another_program_is_refused() -> None:
    with pytest.raises(ScheduleMismatch):
        replay(f"{PROGRAM} @all 0:7")


@given(DRAWN)
def test_drawn_schedules_are_right(schedule: list[tuple[int, int]]) -> None:
    scene = Scene(PROGRAM)
    try:
        with quiet():
            assert run(scene, Given(schedule, wrap=True)).verdict == "ok"
    finally:
        scene.crew.dismiss()


@pytest.mark.parametrize("name", ["edge-triggered notify", "notify before update", "check outside the lock"])
def test_drawn_schedule_shrinks_to_two_preemptions(name: str) -> None:
    mutant = NAMED[name]
    scene = mutant.scene(Program.parse(mutant.program), mutant.grain)

    def wrong(schedule: list[tuple[int, int]]) -> bool:
        return drawn(schedule).verdict != "ok"

    def drawn(schedule: list[tuple[int, int]]) -> Run:
        with quiet():
            return run(scene, Given(schedule, wrap=True))

    try:
        smallest = find(DRAWN, wrong, settings=settings(max_examples=2_000, derandomize=True, database=None))
    finally:
        scene.crew.dismiss()
    assert len(smallest) <= 2


def test_counterexample_shows_rows_states_and_its_own_token() -> None:
    mutant = NAMED["edge-triggered notify"]
    example = check(mutant.program, scene=mutant.scene).counterexample
    assert example is not None
    text = str(example)
    assert "sleeps" in text
    assert "RELEASE 1, HAND-OFF 1" in text
    assert "open 1/1, 1:checked_out←1" in text
    assert text.endswith(f"repeat: {example.token}")


def test_walk_finds_a_seeded_bug_and_its_schedule() -> None:
    mutant = NAMED["notify dropped"]
    found = walk(mutant.program, runs=500, seed=0, scene=mutant.scene)
    assert isinstance(found, Counterexample)
    assert replay(found.token, scene=mutant.scene).run == found.run
