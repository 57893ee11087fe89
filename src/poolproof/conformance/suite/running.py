"""Run scenarios on a pool, and say of each what it found."""

from __future__ import annotations

import importlib
import json
import logging
import math
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from poolproof.conformance.suite.actors import Broken, Line, NotApplicable, NotShown
from poolproof.conformance.suite.adapter import Subject
from poolproof.conformance.suite.stage import ALL, Scenario, Stage
from poolproof.conformance.suite.strikes import ALONE

CHAPTERS = (
    "slots", "tickets", "leases", "time_and_deadlines", "user_code", "inputs_and_counts", "progress", "environment",
    "histories",
)  # fmt: skip
Verdict = Literal["kept", "broken", "not applicable", "not shown"]


@dataclass(frozen=True)
class Promise:
    """A clause of the specification, as the report quotes it."""

    id: str
    level: str
    chapter: str
    text: str
    why: str


@dataclass(frozen=True)
class Result:
    """What one scenario found. ``told`` says how far it looked, why it does not apply, or what happened."""

    scenario: Scenario
    verdict: Verdict
    told: str
    seconds: float = 0.0
    lines: tuple[Line, ...] = ()


@cache
def promises() -> dict[str, Promise]:
    """Every clause, in the order of the specification."""
    text = Path(__file__).with_name("promises.json").read_text(encoding="utf-8")
    return {each["id"]: Promise(**each) for each in json.loads(text)}


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Every scenario, in the order of the specification's chapters."""
    for chapter in CHAPTERS:
        importlib.import_module(f"poolproof.conformance.suite.scenarios.{chapter}")
    order = list(promises())
    return tuple(sorted(ALL, key=lambda each: order.index(each.clause)))


def chosen(only: Sequence[str] = ()) -> list[Scenario]:
    """The scenarios of these clauses, or with these ids; all of them if none is named.

    Raises:
        ValueError: nothing has this name.
    """
    found = list(scenarios())
    for name in only:
        if not any(name in (each.id, each.clause) for each in found):
            raise ValueError(f"no clause and no scenario is called {name!r}; --list names them all")
    return [each for each in found if not only or each.id in only or each.clause in only]


def run(scenario: Scenario, subject: Subject, *, seed: int = 0, effort: int = 1) -> Result:
    """The verdict on one scenario. What is broken must be broken twice, the second time with more patience."""
    reason = subject.why_not(scenario.needs)
    if reason is not None:
        return Result(scenario, "not applicable", reason)
    began = time.monotonic()
    with quiet():
        first = attempt(scenario, subject, seed, effort, 1.0)
        result = first
        if first.verdict == "broken":
            second = attempt(scenario, subject, seed, effort, 2.0)
            if second.verdict != "broken":
                certain = any(each in first.told for each in ("is lent to", "explains this history"))
                certain = certain or second.told == ALONE
                told = f"happened in one of two runs: {first.told}"
                result = Result(scenario, "broken" if certain else "not shown", told, lines=first.lines)
    return Result(scenario, result.verdict, result.told, time.monotonic() - began, result.lines)


def attempt(scenario: Scenario, subject: Subject, seed: int, effort: int, patience: float) -> Result:
    """One run of a scenario."""
    stage = Stage(subject, seed, patience, effort)
    try:
        told = scenario.play(stage)
        stage.end()
    except Broken as error:
        return Result(scenario, "broken", str(error), lines=tuple(stage.lines))
    except NotApplicable as error:
        return Result(scenario, "not applicable", str(error))
    except NotShown as error:
        return Result(scenario, "not shown", str(error), lines=tuple(stage.lines))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        return Result(scenario, "not shown", told, lines=tuple(stage.lines))
    finally:
        stage.clear()
    return Result(scenario, "kept", told)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing of what pools warn of and log in passing."""
    disabled, hook, thread_hook = logging.root.manager.disable, sys.unraisablehook, threading.excepthook
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda args: None
    threading.excepthook = lambda args: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        sys.unraisablehook, threading.excepthook = hook, thread_hook


def run_all(
    subject: Subject, only: Sequence[str] = (), *, seed: int = 0, effort: int = 1, budget: float | None = None,
    tell: Callable[[Result], object] = lambda result: None,
) -> list[Result]:  # fmt: skip
    """The results of all that were chosen; each is told as soon as it is there. Nothing is begun when the *budget*,
    in seconds, is used up."""
    results = []
    end = math.inf if budget is None else time.monotonic() + budget
    for scenario in chosen(only):
        if time.monotonic() > end:
            result = Result(scenario, "not shown", f"the {budget:g} seconds for the run were over; ask with --only")
        else:
            result = run(scenario, subject, seed=seed, effort=effort)
        tell(result)
        results.append(result)
    return results
