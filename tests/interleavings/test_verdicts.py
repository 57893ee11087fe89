"""Verdicts are told apart, and what is not known is never called right."""

from __future__ import annotations

import pytest

from interleavings.bugs_beneath import NobodyWoken
from interleavings.mutants import Mutant
from poolproof import core
from poolproof.conformance.__main__ import main
from poolproof.conformance.checking import check
from poolproof.conformance.crew import Crew
from poolproof.conformance.points import Grain
from poolproof.conformance.programs import Program
from poolproof.conformance.scene import Scene
from poolproof.waiting import Waiter


def test_search_that_was_cut_short_is_a_limit() -> None:
    report = check("size=1: acquire release | acquire release", bounds=(None,), most=5)
    assert report.verdict == "limit"
    assert report.counterexample is None


def test_run_that_never_ends_is_a_livelock(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(self: Waiter) -> None:
        assert self.driver.is_open  # and look again, for ever

    monkeypatch.setattr(Waiter, "sleep", sleep)
    report = check("size=1 given=1 factory=0: acquire | acquire")
    assert report.verdict == "livelock"


def test_thread_that_comes_to_no_point_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def discard(*_: object, **__: object) -> None:
        while True:
            pass

    class Impatient(Scene):
        def __init__(self, program: Program, grain: Grain) -> None:
            crew = Crew(len(program.threads))
            crew.patience = 0.2
            super().__init__(program, grain, crew=crew)

    monkeypatch.setattr(core, "discard", discard)
    report = check("size=1 given=1: discard", scene=Impatient)
    assert report.verdict == "limit"


def test_thread_that_must_not_sleep_is_a_deadlock() -> None:
    deaf = Mutant("deaf", "size=1 given=1: discard | acquire", (), atom=NobodyWoken)
    assert check(deaf.program, scene=deaf.scene).verdict == "deadlock"


def test_waiting_for_what_nobody_gives_is_no_deadlock() -> None:
    assert check("size=1 given=1 factory=0: acquire | acquire").verdict == "ok"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "size=1 given=1: try | try"], 0, "ok: preemptions any"),
        (["check", "size=1 given=1: try | try", "--bound", "1"], 0, "ok: preemptions 1"),
        (["check", "size=1: acquire | acquire", "--most", "3"], 2, "limit"),
        (["replay", "size=1: acquire release | close @all 4:1"], 0, "BUILD-ABANDONED 1, CLOSED"),
        (["replay", "size=1: acquire release"], 2, ""),
        (["walk", "size=1: acquire release | close", "--runs", "20"], 0, "ok: 20 runs"),
    ],
)
def test_command(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    assert said in capsys.readouterr().out
