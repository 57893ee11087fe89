"""Pools that are wrong, each in a way that is named beforehand, and each found for that reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from poolproof.conformance.patched.checking import Checking
from poolproof.conformance.patched.watching import Grain

MODULE = "conformance_patched.subjects"
TWO = "size=1: acquire release | acquire release"
THREE = "size=1: acquire release | acquire release | acquire release"
UNFAIR = ("fifo",)
UNJUDGED = ("errors-unchanged",)  # the model is asked only about pools that promise all that it does


class Wrong(NamedTuple):
    name: str
    program: str
    clause: str
    how: str  # words of the finding
    grain: Grain = "primitives"
    lacks: tuple[str, ...] = ()


CATALOGUE = (
    Wrong("LostNotify", TWO, "WAIT-ENDS", "acquire of B never returns"),
    Wrong("NotifyBeforeUpdate", TWO, "WAIT-ENDS", "acquire of B never returns"),
    Wrong("IfForWhile", THREE, "ONE-OUTCOME", "pop from empty list", lacks=UNFAIR),
    Wrong("CheckOutsideLock", TWO, "CAPACITY", "2 resources exist at once", grain="lines"),
    Wrong("NoLock", "size=1: acquire release acquire | acquire", "ONE-OUTCOME", "not in list", grain="lines"),
    Wrong("TwiceAccepted", "size=1: acquire release again | acquire release", "STALE-UNCHANGED", "nobody objected"),
    Wrong("TimeoutTakesOne", "size=1: acquire release | acquire(1) release", "CONSERVATION", "only 0 of 1"),
    Wrong("TrustsWait", "size=1: acquire release | acquire(1) release | acquire release", "WAIT-ENDS", "never returns",
          lacks=UNFAIR),
    Wrong("FailedCreateLeaks", f"size=1 fails=1: {TWO[8:]}", "WAIT-ENDS", "acquire of B never returns"),
    Wrong("FailedCreateIsSilent", f"size=1 fails=1: {TWO[8:]}", "WAIT-ENDS", "acquire of B never returns"),
    Wrong("CloseForgetsWaiters", "size=1: acquire | acquire release | close", "CLOSE-REFUSES", "acquire of B never"),
    Wrong("CloseForgetsBuilds", "size=1: acquire release | close", "CLOSE-TERMINATES", "are not destroyed"),
    Wrong("GrantAfterClose", f"{TWO} | close", "CLOSE-FINAL", "after close acquire gave"),
    Wrong("DestroyUnderLock", "size=2: acquire discard | acquire release", "NO-CALLS-UNDER-LOCK", "while destroy runs"),
    Wrong("CapacityBeforeDestroy", "size=1: acquire discard | acquire", "CAPACITY", "2 resources exist at once"),
    Wrong("CloseDestroysHeld", "size=1: acquire release | close", "DESTROY-ONCE", "r1 was destroyed"),
    Wrong("DiscardKeeps", "size=1: acquire discard | acquire release", "NEVER-STALE", "had been destroyed"),
    Wrong("Barging", THREE, "WAIT-FIFO", "no order of the model's steps explains"),
    Wrong("Barging", THREE, "WAIT-FIFO", "was served before it", lacks=UNJUDGED),
    Wrong("WaitsFirst", "size=1: acquire release acquire(1) release", "WAIT-DEADLINE", "acquire(1) timed out"),
    Wrong("CloseSpins", "size=1: acquire | close", "CLOSE-REPORTS", "close of B is busy for ever"),
    Wrong("LockOrder", "size=1: acquire release | close", "WAIT-ENDS", "release of A never returns"),
)  # fmt: skip


@pytest.fixture(scope="module")
def checking() -> Iterator[Checking]:
    made = Checking(MODULE, "Right", ("conformance_patched",))
    yield made
    made.dismiss()


@pytest.mark.parametrize("wrong", CATALOGUE, ids=lambda wrong: wrong.name)
def test_wrong_pool_is_found_for_the_reason_named(checking: Checking, wrong: Wrong) -> None:
    subjects = checking.copies.private[MODULE]
    lacks = dict.fromkeys(wrong.lacks, "for this test")
    checking.make_pool = subjects.adapter(getattr(subjects, wrong.name), lacks=lacks)
    report = checking.check(wrong.program, wrong.grain)
    assert report.verdict == "broken", report.extent
    example = next(iter(report.examples.values()))
    told = [each for each in example.run.findings if each.clause == wrong.clause]
    assert told, str(example)
    assert wrong.how in told[0].text


@pytest.mark.parametrize(("program", "grain"), sorted({(wrong.program, wrong.grain) for wrong in CATALOGUE}))
def test_right_pool_passes_the_same_programs(checking: Checking, program: str, grain: Grain) -> None:
    checking.make_pool = checking.copies.private[MODULE].Right
    report = checking.check(program, grain)
    assert (report.verdict, report.complete) == ("ok", [0, 1, 2]), "\n".join(map(str, report.examples.values()))


@pytest.mark.parametrize("name", ["TimeoutTakesOne", "NoLock", "LockOrder"])
def test_counterexample_repeats_from_its_token(checking: Checking, name: str) -> None:
    wrong = next(each for each in CATALOGUE if each.name == name)
    subjects = checking.copies.private[MODULE]
    checking.make_pool = subjects.adapter(getattr(subjects, name))
    example = next(iter(checking.check(wrong.program, wrong.grain).examples.values()))
    pictures = {str(checking.replay(example.token)) for _ in range(20)}
    assert pictures == {str(example)}
    checking.make_pool = subjects.Right
    assert not checking.replay(example.token).run.findings
