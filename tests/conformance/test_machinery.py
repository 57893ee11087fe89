"""What verdicts rest on: who sleeps, where something may strike, when once is not enough, and the limits of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from conformance.plain import Plain
from poolproof.conformance.suite import running
from poolproof.conformance.suite.actors import Actor, Broken, Troupe, raise_in, unsignal
from poolproof.conformance.suite.adapter import subject
from poolproof.conformance.suite.running import Result, chosen, run, run_all
from poolproof.conformance.suite.stage import Scenario, Stage
from poolproof.conformance.suite.stillness import still
from poolproof.conformance.suite.strikes import Interrupt, Strike

LOOKS = 10


def sleeps(end: threading.Event) -> None:
    end.wait()


def polls(end: threading.Event) -> None:
    while not end.wait(0.002):
        pass


def spins(end: threading.Event) -> None:
    while not end.is_set():
        pass


@pytest.mark.parametrize(("does", "expected"), [(sleeps, True), (polls, False), (spins, False)])
def test_only_who_sleeps_is_still(does: Callable[[threading.Event], None], expected: bool) -> None:
    end = threading.Event()
    thread = threading.Thread(target=does, args=(end,), daemon=True)
    thread.start()
    try:
        assert expected is still(thread, (), lambda: False, LOOKS, 10.0 if expected else 1.0)
    finally:
        end.set()
        thread.join(10)


def test_sleeper_beside_one_that_moves_is_still_in_the_end() -> None:
    end = threading.Event()
    first, other = (threading.Thread(target=does, args=(end,), daemon=True) for does in (sleeps, polls))
    first.start()
    other.start()
    try:
        assert still(first, [first, other], lambda: False, LOOKS, 10.0)
    finally:
        end.set()


def test_what_is_over_does_not_hang() -> None:
    assert still(threading.current_thread(), (), lambda: True, LOOKS, 1.0) is None


def test_actor_that_goes_on_and_on_is_stopped() -> None:
    never = threading.Event()
    troupe = Troupe(1.0)
    call = troupe.actor("A").start("spin", lambda: spins(never))
    troupe.leave()
    assert call.done.wait(10)
    assert isinstance(call.error, SystemExit)


def test_exception_that_waits_for_a_sleeper_does_not_stop_tracing() -> None:
    end = threading.Event()
    actor = Actor("A")
    call = actor.start("sleep", lambda: sleeps(end))
    assert still(actor.thread, (), lambda: call.over, LOOKS, 10.0)
    raise_in(actor.thread, Interrupt)
    unsignal()
    strike = Strike(lambda: None, None, frozenset())
    other = Actor("B").start("traced", lambda: strike.run(lambda: take(threading.Lock())))
    assert other.done.wait(10), "CPython 3.11 traces nothing while the exception is announced"
    end.set()
    assert call.done.wait(10)


def take(lock: threading.Lock) -> int:
    """Something with a lock held: after its last call the interpreter may strike, but not on the way out."""
    with lock:
        found = list(range(3))
        found.pop()
        return len(found)


def test_strike_never_leaves_a_lock_taken_where_the_interpreter_would_not() -> None:
    lock = threading.Lock()

    def strikes() -> None:
        raise Interrupt

    points = Strike(strikes, None, frozenset())
    points.run(lambda: take(lock))
    assert points.points > 2
    for nth in range(points.points):
        strike = Strike(strikes, nth, frozenset())
        with pytest.raises(Interrupt):
            strike.run(lambda: take(lock))
        assert strike.struck is not None
        assert not lock.locked(), f"point {nth}: {strike.struck}"


def scripted(*outcomes: str | None) -> Scenario:
    """A scenario that is broken when it says something."""
    left = list(outcomes)

    def play(stage: Stage) -> str:
        if told := left.pop(0):
            raise Broken(told)
        return "1 run"

    (model,) = chosen(["EXCLUSIVE:all-different"])
    return Scenario(model.clause, model.name, model.chapter, model.told, (), play)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ((None,), "kept"),
        (("A: acquire() never returns", "A: acquire() never returns"), "broken"),
        (("A: acquire() never returns", None), "not shown"),
        (("r1 is lent to B while A holds it", None), "broken"),
    ],
)
def test_what_chance_or_load_may_explain_must_happen_twice(outcomes: tuple[str | None, ...], verdict: str) -> None:
    assert verdict == run(scripted(*outcomes), subject(Plain)).verdict


def test_error_of_the_suite_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(stage: Stage) -> str:
        raise ZeroDivisionError("of the suite")

    (model,) = chosen(["EXCLUSIVE:all-different"])
    scenario = Scenario(model.clause, model.name, model.chapter, model.told, (), play)
    result = run(scenario, subject(Plain))
    assert ("not shown", True) == (result.verdict, "ZeroDivisionError" in result.told)


def test_what_the_budget_leaves_out_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "run", lambda scenario, *_, **__: Result(scenario, "kept", "at once"))
    results = run_all(subject(Plain), ["EXCLUSIVE"], budget=-1.0)
    assert {"not shown"} == {each.verdict for each in results}
