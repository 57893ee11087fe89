"""Each rule on a history that keeps it and on one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from histories.pairs import GIVEN_BACK, HELD, ONE, PAIRS, WAITS, Pair
from histories.writing import written
from poolproof.conformance.history import CheckersDisagree, Judge, Rules, breadth, depth, judge, oracle
from source import ROOT

# No test in this file is marked with a clause: it shows that the judges can see the clause broken, not that the pool
# keeps it.
EACH = [pytest.param(pair, id=pair.name) for pair in PAIRS]


@pytest.mark.parametrize("pair", EACH)
def test_a_right_history_is_explained(pair: Pair) -> None:
    verdict = judge(pair.history(pair.good))
    assert verdict.holds, str(verdict)


@pytest.mark.parametrize("pair", EACH)
def test_a_wrong_history_is_not_and_the_verdict_says_why(pair: Pair) -> None:
    verdict = judge(pair.history(pair.bad))
    assert not verdict.holds, str(verdict)
    assert any(pair.why in reason for reason in verdict.reasons), str(verdict)


def test_who_was_not_seen_waiting_may_have_come_later() -> None:
    """Two acquires that overlap have no order, unless one of them was seen in the queue."""
    text = HELD + "B y=acquire\nC z=acquire\n" + GIVEN_BACK + "C -> lease r1\nC release z\nC -> done\nB -> lease r1"
    assert judge(written(text, ONE, (1,))).holds
    seen = text.replace("C z=acquire", "B waits\nC z=acquire")
    assert not judge(written(seen, ONE, (1,))).holds


def test_every_pair_is_about_a_clause() -> None:
    spec = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "spec").glob("*.md")))
    assert [] == [pair.name for pair in PAIRS if f"### {pair.clause} " not in spec]


def deadlocks() -> list[Pair]:
    """The pairs whose bad history only lacks a return."""
    return [pair for pair in PAIRS if "never returns" in pair.why or "although" in pair.why or "due" in pair.why]


def test_only_the_stuck_rule_finds_deadlocks() -> None:
    """Plain linearizability lets whoever is pending pend for ever: of these it finds not one."""
    cases = deadlocks()
    assert len(cases) >= 8
    plain = [judge(pair.history(pair.bad), Rules(stuck=False)).holds for pair in cases]
    ruled = [judge(pair.history(pair.bad)).holds for pair in cases]
    assert [True] * len(cases) == plain
    assert [False] * len(cases) == ruled


def test_only_the_strong_rule_finds_spurious_timeouts() -> None:
    """With the weak rule a timeout may happen to whoever waits, and to whoever will not wait at any time."""
    begun = next(pair for pair in PAIRS if pair.name == "a timeout beside a build that was never begun")
    at_once = next(pair for pair in PAIRS if pair.name.startswith("nothing to be had at once"))
    for pair in (begun, at_once):
        assert not judge(pair.history(pair.bad)).holds
        history = replace(pair.history(pair.bad), drained=False)
        assert judge(history, Rules(strong_timeouts=False)).holds


def test_a_run_that_goes_on_owes_nothing() -> None:
    """Pending operations count only when nothing more will happen."""
    text = WAITS + GIVEN_BACK
    assert judge(written(text, ONE, (1,), drained=False)).holds
    assert not judge(written(text, ONE, (1,))).holds


@pytest.mark.parametrize("module", [breadth, depth], ids=["forward", "depth first"])
def test_checkers_that_differ_give_no_verdict(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them broken, the other not: neither is believed."""
    monkeypatch.setattr(module, "complaints", lambda world, left: iter(()))
    with pytest.raises(CheckersDisagree, match="NOT linearizable"):
        judge(written(WAITS + GIVEN_BACK, ONE, (1,)))


def test_what_is_remembered_of_the_model_may_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "MOST_REMEMBERED", 5)
    judged = Judge()
    for _ in range(2):
        for pair in PAIRS:
            assert judged(pair.history(pair.good)).holds
            assert not judged(pair.history(pair.bad)).holds


def test_a_verdict_can_be_read() -> None:
    """What was recorded, what explains it, where that ends."""
    told = str(judge(written(HELD + "B acquire\nB -> lease r1", ONE, (1,))))
    assert told == EXPECTED, told


EXPECTED = """\
recorded, of a pool with limit 1, factory False:
     A             B
  1  1 acquire()
  2  1 → lease r1
  3                2 acquire()
  4                2 → lease r1

NOT linearizable. These steps of the model explain entries 1 to 3:
  1 acquire, arrive  GRANT-FREE r1 for 1  open 1/1, r1:checked_out←1
  1 acquire, claim   –                    open 1/1, r1:checked_out←1
  2 acquire, arrive  QUEUE for 2          open 1/1, r1:checked_out←1, waiting 2
but none explain how it goes on:
  entry 4: B: 2 acquire() → lease r1, but it waits"""
