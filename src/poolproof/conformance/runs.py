"""One run of a program under a schedule, from a new pool to its end, with a verdict."""

from __future__ import annotations

import gc
from typing import Any, Final, Literal, NamedTuple

from poolproof.conformance.crew import DONE, Endless, Overwork, Policy, Worker
from poolproof.conformance.judge import drain, judge_rest, judge_trace
from poolproof.conformance.picture import picture
from poolproof.conformance.scene import Finding, Scene

Verdict = Literal["ok", "violation", "deadlock", "livelock", "limit"]

# Clauses by which a rest is judged: to break one is a deadlock.
STUCK: Final = frozenset(("PROMPT-GRANT", "WAIT-ENDS", "CLOSE-TERMINATES"))


class Run(NamedTuple):
    """What came of one run: the verdict, what was found wrong, each client's results, and where the pool ended."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    results: tuple[tuple[str, ...], ...]
    rest: tuple[Any, ...]
    steps: int


class RunOn:
    """Whoever runs goes on as long as it can; then the first who can. Callbacks return."""

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        return worker.number if worker is not None and worker.number in enabled else enabled[0]

    def outcome(self, worker: Worker, count: int) -> int:
        return 0

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        return None


RUN_ON = RunOn()


_unraisable: list[str] = []


def finalizer_raised(args: Any) -> None:
    """For `sys.unraisablehook`: it counts against the run."""
    _unraisable.append(f"{args.exc_type.__name__}: {args.exc_value}")


def run(scene: Scene, policy: Policy, rests: set[object] | None = None) -> Run:
    """Run the program of *scene*, as *policy* says, and judge it.

    *rests* holds the ends that earlier runs have come to: one that is among them, with nothing left to clean up, is
    not judged again.
    """
    crew = scene.crew
    _unraisable.clear()
    scene.prepare()
    crew.start([client.run for client in scene.clients], policy)
    exceeded = crew.free_running
    crew.policy = RUN_ON
    scene.executor.end()
    crew.resume()
    asleep = tuple(worker.number for worker in crew.workers if worker.status != DONE)
    results = tuple(tuple(client.results) for client in scene.clients)
    state = scene.atom.now
    ledger = state[3]
    rest = (asleep, ledger.phase, ledger.limit, ledger.live, ledger.waiting, ledger.detached, ledger.generation)
    crashes = scene.crashes()
    clean = not asleep and not scene.unended()
    for what in _unraisable:
        scene.report("GC-SAFE", f"a finalizer raised {what}")
    if crashes or scene.findings or exceeded:
        return _broken_off(scene, results, rest, exceeded)
    known = rests is not None and not scene.judging  # an earlier run went on in the same way
    if scene.options.observed:
        judge_trace(scene)
    if not clean or rests is None or (not known and (key := (results, picture(scene))) not in rests):
        judge_rest(scene)
        if not scene.findings:
            crew.tape = None
            drain(scene)
        if rests is not None and clean and not scene.findings:
            rests.add(key)
    if scene.findings or scene.crashes():
        return _broken_off(scene, results, rest, exceeded)
    steps = crew.steps
    scene.again()
    return Run("ok", (), results, rest, steps)


def _broken_off(scene: Scene, results: Any, rest: Any, exceeded: bool) -> Run:
    """The run went wrong: say how, and leave this pool for good."""
    scene.crew.tape = None
    findings = list(scene.findings)
    crashes = [error for error in scene.crashes() if not isinstance(error, Endless | Overwork)]
    findings += [Finding("ERRORS", f"a client crashed: {error!r}") for error in crashes]
    verdict: Verdict = "violation"
    if scene.endless():
        verdict = "livelock"
    elif scene.crew.overworked or (exceeded and not findings):
        verdict = "limit"
    elif findings and all(each.clause in STUCK for each in findings):
        verdict = "deadlock"
    steps = scene.crew.steps
    abandon(scene)
    return Run(verdict, tuple(findings), results, rest, steps)


def abandon(scene: Scene) -> None:
    """Whoever still sleeps is let go, with an error; the pool is left as it is, and there is a new one."""
    scene.crew.abandon()
    scene.retire()
    gc.collect()
    scene.renew()
