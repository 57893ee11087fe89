"""A pool that is right, and not ours: nothing is found in it, however finely it is interleaved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolproof.conformance.patched.checking import Checking
from poolproof.conformance.patched.watching import Grain


@pytest.fixture(scope="module")
def checking() -> Iterator[Checking]:
    made = Checking("conformance_patched.subjects", "Right", ("conformance_patched",))
    yield made
    made.dismiss()


@pytest.mark.clause("EXCLUSIVE", "CAPACITY", "WAIT-FIFO", "WAIT-ENDS")
@pytest.mark.parametrize(
    ("program", "grain"),
    [
        ("size=1: acquire release | acquire release", "lines"),
        ("size=1: acquire release | acquire(1) release", "lines"),
        ("size=1 fails=1: acquire release | acquire release", "lines"),
        ("size=1: acquire release | close", "lines"),
        ("size=1: acquire discard | acquire release", "lines"),
        ("size=1: acquire release again | acquire(1) release", "primitives"),
        ("size=2: acquire release | acquire release", "lines"),
        ("size=1: acquire release | acquire(1) release | close", "primitives"),
        ("size=2: acquire release | acquire release | acquire(1) release", "primitives"),
    ],
)
def test_every_schedule_with_two_preemptions_is_right(checking: Checking, program: str, grain: Grain) -> None:
    report = checking.check(program, grain)
    assert (report.verdict, report.complete) == ("ok", [0, 1, 2]), "\n".join(map(str, report.examples.values()))


@pytest.mark.parametrize("grain", ["lines", "opcodes"])
def test_random_schedules_are_right(checking: Checking, grain: Grain, seed: int) -> None:
    program = "size=1: acquire release acquire release | acquire(1) release | acquire discard acquire release"
    report = checking.check(program, grain, bounds=(0,), walks=300, seed=seed % 1_000_000)
    assert report.verdict == "ok", "\n".join(map(str, report.examples.values()))


def test_opcodes_see_what_lines_do_not(checking: Checking) -> None:
    """A read and a write on one line: only with points between instructions can another thread come in between."""
    subjects = checking.copies.private["conformance_patched.subjects"]
    factory, checking.make_pool = checking.make_pool, subjects.adapter(subjects.OneLine)
    try:
        program = "size=1: acquire release acquire | acquire"
        found = {grain: checking.check(program, grain, bounds=(0, 1)).verdict for grain in ("lines", "opcodes")}
    finally:
        checking.make_pool = factory
    assert found == {"lines": "ok", "opcodes": "broken"}


def test_limit_is_no_verdict(checking: Checking) -> None:
    report = checking.check("size=1: acquire release | acquire release", most=3)
    assert report.verdict == "limit"
    assert "more than 3 schedules" in report.extent


def test_what_a_pool_lacks_is_not_asked_of_it(checking: Checking) -> None:
    report = checking.check("size=1: acquire release | resize(2)")
    assert (report.verdict, report.lacks) == ("not applicable", "resize: the adapter has no resize")
