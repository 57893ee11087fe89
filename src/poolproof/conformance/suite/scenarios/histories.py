"""Random histories of real threads, and random sequences: judged by two checkers, and by a model of a few lines."""

from __future__ import annotations

import random
import threading
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import integers

from poolmodel.state import Config
from poolproof.conformance.history import Judge, Recorder
from poolproof.conformance.suite.actors import Broken, NotShown
from poolproof.conformance.suite.stage import Outcome, Stage, Watched, scenario

RUNS = 40


@scenario("EXCLUSIVE")
def nobody_shares_under_load(stage: Stage) -> str:
    """Four threads acquire and release as fast as they can, with threads that switch all the time."""
    turns = 150 * stage.effort
    pool = stage.pool(max_size=2)
    stage.churn(pool, 4, turns, 5.0 if stage.has("timeouts") else None)
    return f"4 threads, {turns} turns each"


@scenario("ONE-OUTCOME", needs=("max_size", "create"))
def histories_are_linearizable(stage: Stage) -> str:
    """Three threads acquire, with and without deadlines, and release; two checkers look for an order that the
    specification allows. They see lost wake-ups, timeouts beside a free resource, overtaking and double use."""
    runs = RUNS * stage.effort
    judge = Judge()
    size = 2 if stage.has("order") else 1
    for number in range(runs):
        run = Recorded(stage, random.Random(f"{stage.seed} {number}"), size)
        verdict = judge(run.history())
        if not verdict.holds:
            raise Broken(f"no order of its steps explains this history (run {number}, seed {stage.seed}):\n{verdict}")
        stage.done_with(run.pool)
        del stage.lines[:]
    return f"{runs} histories of 3 threads at a limit of {size}, seed {stage.seed}"


class Recorded:
    """One pool, filled; three threads with random work; and a recorder of what the callers see."""

    def __init__(self, stage: Stage, random: random.Random, size: int) -> None:
        self.stage, self.random, self.size = stage, random, size
        self.recorder = Recorder()
        wanted: dict[str, Any] = {"order": "fifo"} if size > 1 else {}
        self.pool = stage.pool(max_size=size, **wanted)
        held = [stage.lease(self.pool, f"F{number}") for number in range(size)]
        for number, lease in enumerate(held):
            stage.does(self.pool, f"F{number}", "release", lease)
        self.recorder.watch(self.pool, tuple(lease.resource for lease in held))

    def history(self) -> Any:
        start = threading.Barrier(3)
        kinds = [None, 0.0, 0.001, 0.003] if self.stage.has("timeouts") else [None]
        works = [[(self.random.choice(kinds), self.random.random() < 0.3) for _ in range(2)] for _ in range(3)]
        calls = []
        for name, work in zip("ABC", works, strict=True):
            calls.append(self.stage.actor(name).start("acquire and release", lambda work=work: self.work(start, work)))  # type: ignore[misc]
        ends = [self.stage.finished(call) for call in calls]
        for call in calls:
            if call.error is not None:
                raise call.error
        if not all(ends):
            raise Broken("an acquire never returns, and nobody moves any more")
        self.pool.healthy()
        return self.recorder.history(Config(limit=self.size, factory=False, order="fifo"))

    def work(self, start: threading.Barrier, jobs: list[tuple[float | None, bool]]) -> None:
        start.wait(20)
        for timeout, lingers in jobs:
            token = self.recorder.call("acquire", timeout=timeout)
            held = self.pool.acquire_here(timeout)
            if held.kind == "timeout":
                self.recorder.returned(token, "AcquireTimeout")
                continue
            if held.kind != "lease":
                raise Broken(f"acquire({timeout}) ended with {held}")
            self.recorder.returned(token, "lease", held.resource)
            if lingers:
                threading.Event().wait(0.002)
            with self.recorder.operation("release", lease=token) as done:
                self.pool.end_here("release", held)
                done("done", None)


class Machine(RuleBasedStateMachine):
    """One caller after the other, against a model of a few lines: who holds what, and how many may."""

    stage: Stage
    found: Broken | None = None
    lines: tuple[Any, ...] = ()
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        if Machine.found is not None and "never returns" in str(Machine.found):
            raise Machine.found  # one hang is enough
        del self.stage.lines[:]
        self.pool: Watched = self.stage.pool(max_size=3)
        self.held: list[Outcome] = []
        self.ended: list[Outcome] = []

    def ask(self, name: str, *arguments: object) -> Outcome:
        try:
            return self.pool.ask("A", name, *arguments)
        except Broken as error:
            Machine.found, Machine.lines = error, tuple(self.stage.lines)
            raise

    @precondition(lambda self: len(self.held) < 3 or self.stage.has("timeouts", "max_size"))
    @rule()
    def acquire(self) -> None:
        full = len(self.held) == 3
        outcome = self.ask("acquire", 0.0 if full else None)
        self.expect(
            outcome.kind == ("timeout" if full else "lease"), f"acquire with {len(self.held)} of 3 lent: {outcome}"
        )
        if outcome.kind == "lease":
            self.held.append(outcome)

    @precondition(lambda self: self.held)
    @rule(which=integers(0, 2))
    def release(self, which: int) -> None:
        lease = self.held.pop(which % len(self.held))
        self.expect(self.ask("release", lease).kind == "done", "a release raised")
        self.ended.append(lease)

    @precondition(lambda self: self.held and self.stage.has("discard", "create"))
    @rule(which=integers(0, 2))
    def discard(self, which: int) -> None:
        lease = self.held.pop(which % len(self.held))
        self.expect(self.ask("discard", lease).kind == "done", "a discard raised")
        self.ended.append(lease)

    @precondition(lambda self: self.ended and self.stage.has("lease-identity", "misuse"))
    @rule(which=integers(0, 5))
    def release_again(self, which: int) -> None:
        lease = self.ended[which % len(self.ended)]
        self.expect(self.ask("release again", lease).kind == "misuse", "a second release was accepted")

    @precondition(lambda self: self.stage.has("create"))
    @rule()
    def fail(self) -> None:
        if not self.pool.create.then:
            self.pool.create.raises(OSError("no connection"))
            if len(self.held) == len(self.pool.alive) and len(self.held) < 3 and self.pool.counts_live:
                outcome = self.ask("acquire", None)
                self.expect(outcome.kind in ("raised", "lease"), f"create failed, and acquire ended with {outcome}")
                self.held += [outcome] if outcome.kind == "lease" else []
            self.pool.create.then.clear()

    def expect(self, holds: bool, what: str) -> None:
        Machine.steps += 1
        if not holds:
            Machine.found, Machine.lines = Broken(what), tuple(self.stage.lines)
            raise Machine.found

    def teardown(self) -> None:
        if hasattr(self, "pool"):
            for lease in self.held:
                self.pool.start("A", "release", lease).done.wait(1.0)
            self.stage.pools.remove(self.pool)
            self.stage.close(self.pool)


@scenario("LEASE-IDENTITY", needs=("max_size",))
def random_sequences_follow_the_model(stage: Stage) -> str:
    """One caller acquires, releases, discards and makes mistakes, in random order; a model of a few lines says what
    must come of it. The shortest sequence that goes wrong is shown."""
    Machine.stage, Machine.found, Machine.lines, Machine.steps = stage, None, (), 0
    examples = 25 * stage.effort
    profile = settings(
        max_examples=examples, stateful_step_count=25, database=None, deadline=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    found = None
    try:
        run_state_machine_as_test(seeded(stage.seed)(Machine), settings=profile)
    except (Broken, HypothesisException) as error:
        found, stage.lines[:] = Machine.found, Machine.lines
        if found is None:
            raise NotShown(f"{type(error).__name__}: {error}") from error
    finally:
        Machine.found = None
    if found is not None:
        raise found
    return f"{examples} sequences, {Machine.steps} steps, seed {stage.seed}"
