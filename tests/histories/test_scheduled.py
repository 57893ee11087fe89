"""The histories of all schedules of small programs, up to a number of preemptions, before both checkers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from histories.scheduled import histories
from poolproof import core
from poolproof.conformance.history import Judge
from poolproof.core.draft import Draft
from poolproof.core.values import ABSENT, read
from poolproof.lease import Lease

MOST = 10_000  # schedules of one program
# Each with the greatest number of preemptions; in every one of them all leases are ended.
PROGRAMS = [
    ("size=1: acquire release | acquire release", 3),
    ("size=1: acquire release | acquire(1) release", 3),
    ("size=1: acquire discard | acquire release", 3),
    ("size=1: acquire detach | acquire release | stats", 1),
    ("size=1 faults=1: acquire release | acquire release", 2),
    ("size=1: acquire release | acquire(1) release | acquire release", 1),
    ("size=1: acquire release | acquire(1) release | close_wait", 2),
    ("size=1: acquire release | try release | expire", 1),
    ("size=1: acquire discard | acquire discard | resize(2)", 2),
    ("size=2: acquire release | try release | resize(1)", 1),
    ("size=1 reset=1 faults=1: acquire release | acquire release", 1),
    ("size=1 check=1 faults=1: acquire release | acquire release", 1),
    ("size=2 given=2 factory=0: acquire release | acquire(1) release | remove(0)", 1),
    ("size=1 waiting=0: acquire release | try release | add", 1),
]


@pytest.fixture(autouse=True)
def _quietly(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Callbacks that fail are part of the programs."""
    with caplog.at_level(logging.ERROR, logger="poolproof"):
        yield


@pytest.mark.clause("WAIT-FIFO", "EXCLUSIVE", "WAIT-DEADLINE", "WAIT-ENDS", "CLOSE-REFUSES", "FAILURE-PROGRESS")
@pytest.mark.parametrize(("program", "bound"), PROGRAMS)
def test_every_schedule_is_explained(program: str, bound: int) -> None:
    judge, different = Judge(), set()
    for history in histories(program, bound, MOST):
        if history.entries not in different:
            different.add(history.entries)
            verdict = judge(history)
            assert verdict.holds, str(verdict)
    assert len(different) >= 20, "too few orders to mean anything"


# The same, shown to bite.


def wake_up_lost(patch: pytest.MonkeyPatch) -> None:
    genuine = Draft.grant

    def grant(self: Draft, *rest: Any) -> None:
        genuine(self, *rest)
        self.wakes.clear()

    patch.setattr(Draft, "grant", grant)


def failed_build_keeps_its_slot(patch: pytest.MonkeyPatch) -> None:
    def leave_creating(draft: Draft, slot: Any, record: Any) -> None:
        draft.creating -= 1
        draft.move_slot(slot, ABSENT, record)

    patch.setattr("poolproof.core.build.leave_creating", leave_creating)


def never_builds_at_once(patch: pytest.MonkeyPatch) -> None:
    genuine = core.refusal

    def refusal(state: Any, options: Any, patient: bool, now: float) -> str | None:
        return genuine(state, options, patient, now) or (None if patient else "REFUSE-TIMEOUT")

    patch.setattr(core, "refusal", refusal)


def stale_release_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("poolproof.driver.current_record", lambda slot, hold: read(slot))
    patch.setattr(Lease, "release", Lease._release_slowly)


BUGS: list[tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = [
    (wake_up_lost, "size=1: acquire release | acquire release", "never returns, although it was granted"),
    (failed_build_keeps_its_slot, "size=1 faults=1: acquire release | acquire release", "a build is due, and nobody"),
    (never_builds_at_once, "size=1: try release | stats", "try_acquire(timeout 0) → nothing"),
    (stale_release_accepted, "size=1: acquire release again | acquire release", "release(lease "),
]


@pytest.mark.filterwarnings("ignore::poolproof.PoolWarning")
@pytest.mark.parametrize(("plant", "program", "why"), BUGS, ids=[bug[0].__name__ for bug in BUGS])
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], program: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge()
    assert all(judge(history).holds for history in histories(program, 1, MOST))
    plant(monkeypatch)
    for history in histories(program, 1, MOST):
        verdict = judge(history)
        if not verdict.holds:
            assert any(why in reason for reason in verdict.reasons), str(verdict)
            return
    pytest.fail("every history was explained")
