"""A step reads the state first and registers later: what it reads may be of two moments, and then does not count."""

from __future__ import annotations

import pytest

from poolproof.conformance import families
from poolproof.conformance.families import run_family
from poolproof.core.values import PlainState, State, Step
from poolproof.driver import Driver, Propose


def trusting(self: Driver, propose: Propose) -> tuple[PlainState, Step] | None:
    """`Driver.proposal` without looking whether the state is still the same."""
    state = self.atom.value
    step = propose(State.of(state), self.monotonic())
    return None if step is None else (state, step)


def test_a_step_that_trusts_a_torn_reading_is_found_by_these_points_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Driver, "proposal", trusting)
    programs = list(families.combined(2, ("acquire(1)", "detach")))
    assert {"ok": 3} == run_family("trusting", programs, grain="all").verdicts
    tally = run_family("trusting", programs, grain="torn")
    assert {"ok": 2, "violation": 1} == tally.verdicts
    assert "detach raised StopIteration" in str(tally.counterexamples[0])
