"""One run of a program on a foreign pool, from its construction to its rest, with what was found wrong."""

from __future__ import annotations

import gc
import random
import string
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, Literal, NamedTuple

from poolproof.conformance.history.recorder import Recorder
from poolproof.conformance.patched.clients import Client, Terms, resource_of
from poolproof.conformance.patched.histories import NEEDED, Histories
from poolproof.conformance.patched.modules import Copies
from poolproof.conformance.patched.programs import Program, Wanted
from poolproof.conformance.patched.search import RunOn
from poolproof.conformance.patched.things import Finding, Things
from poolproof.conformance.patched.turns import Actor, Endless, Policy
from poolproof.conformance.patched.watching import Grain, Watching, at
from poolproof.conformance.suite.adapter import PoolSpec

Verdict = Literal["ok", "broken", "limit", "lacks"]
DRAIN_SECONDS = 5.0
RUNS_BETWEEN_COLLECTIONS = 500


class Run(NamedTuple):
    """What came of one run. ``reason`` says which limit was met."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    results: tuple[tuple[str, ...], ...]
    points: int
    reason: str = ""
    tape: tuple[tuple[int, str], ...] = ()
    names: tuple[str, ...] = ()
    hopeless: bool = False  # another schedule will meet this limit, too, and take as long


class Bench:
    """A program, the factory of a pool that was loaded on a stage, and how finely its threads are interleaved."""

    def __init__(
        self, copies: Copies, make_pool: Callable[[Any], Any], program: Program, grain: Grain = "primitives"
    ) -> None:
        self.copies = copies
        self.stage = copies.stage
        self.make_pool = make_pool
        self.program = program
        self.watching = Watching(self.stage, copies.files, grain)
        self.histories = Histories()
        self.runs = 0

    def run(self, policy: Policy, draw: bool = False) -> Run:
        """Build a pool, run the program as *policy* says, and judge it."""
        collecting, chance = gc.isenabled(), random.getstate()
        gc.disable()
        random.seed(0)
        try:
            with self.copies.in_force():
                self.watching.begin()
                return self._run(policy, draw)
        finally:
            self.watching.end()
            random.setstate(chance)
            self.runs += 1
            if self.runs % RUNS_BETWEEN_COLLECTIONS == 0:
                gc.collect()
            if collecting:
                gc.enable()

    def _run(self, policy: Policy, draw: bool) -> Run:
        stage, wanted = self.stage, self.program.wanted
        stage.begin()
        stage.around = self.watching.around
        things = Things(stage, wanted)
        made: list[Any] = []
        spec = self._spec(things)
        helper = stage.actor(lambda: made.append(self.make_pool(spec)), "setup", player=True)
        self._known(helper)
        stage.perform(RunOn())
        if not made:
            return self._unbuilt(helper, things)
        terms = Terms(made[0], spec)
        if reason := next((f"{each}: {terms.lacks[each]}" for each in self.program.needs if each in terms.lacks), ""):
            self._clear(things)
            return Run("lacks", (), (), 0, reason)
        things.bounded, things.destroys = terms.has("max_size"), terms.has("destroy")
        clients = self._clients(things, made[0], terms)
        recorder = self._recorder(clients, things) if self._judged(terms, things) else None
        stage.held_up = partial(self._held_up, clients, things)
        things.arm(wanted)
        stage.tape = [] if draw else None
        stage.perform(policy)
        self._judge(clients, things)
        if recorder is not None and not (things.findings or stage.busy or stage.exceeded):
            complaint = self.histories.complaint(recorder, wanted.size)
            if complaint:
                things.report("WAIT-FIFO" if "→ lease" in complaint else "ONE-OUTCOME", complaint)
        if not stage.unended() and not things.findings and not things.excused and not stage.busy:
            things.arm(Wanted(size=wanted.size))
            stage.again(helper, lambda: self._drain(made[0], terms, things))
            stage.perform(RunOn())
            if stage.unended() and not things.closed:
                things.report("CONSERVATION", f"afterwards a single thread waits for ever{self._where(helper)}")
        return self._over(clients, things, policy)

    def _spec(self, things: Things) -> PoolSpec:
        """What make_pool is asked for."""
        more: dict[str, Any] = {"check": things.check} if self.program.wanted.bad else {}
        size = self.program.wanted.size
        return PoolSpec(create=things.create, destroy=things.destroy, max_size=size, **more)

    def _clients(self, things: Things, pool: Any, terms: Terms) -> list[Client]:
        clients = [
            Client(string.ascii_uppercase[number], words, self.stage, things)
            for number, words in enumerate(self.program.threads)
        ]
        for client in clients:
            client.pool, client.terms = pool, terms
            client.others = [other for other in clients if other is not client]
            self._known(self.stage.actor(client.run, client.name, player=True))
        return clients

    def _judged(self, terms: Terms, things: Things) -> bool:
        """Whether the model can be asked about this pool and this program."""
        wanted, words = self.program.wanted, self.program.words
        plain = wanted.size == 1 and not wanted.bad and not wanted.breaks and "resize" not in words
        return plain and not things.all and all(terms.has(each) for each in NEEDED)

    def _recorder(self, clients: list[Client], things: Things) -> Recorder:
        """From here on everything is recorded."""
        recorder = Recorder()
        recorder.watch(None)
        for client in clients:
            client.recorder = recorder
        things.recorder = recorder
        self.stage.waiting = lambda actor: recorder.waits(actor.thread.name) if actor.player else None
        return recorder

    def _held_up(self, clients: list[Client], things: Things, actor: Actor, holder: Actor) -> None:
        """*actor* waits for a lock of somebody who runs a callback. That is right only if it has to wait anyway."""
        client = next((each for each in clients if each.name == actor.name and actor.player), None)
        if client is not None and actor is not holder:
            if client.acquiring and things.live() >= things.size:
                return
            what = f"{client.doing} of {client.name} waits for a lock that is held while {holder.calling} runs"
            things.report("NO-CALLS-UNDER-LOCK", what)

    def _known(self, actor: Actor) -> None:
        """`threading` knows this thread, as if it had been started there."""
        threading: Any = self.copies.threading
        thread = threading.Thread(name=actor.name, daemon=True)
        thread._started._flag = True
        thread._ident = actor.ident
        thread.is_alive = lambda: True
        threading._active[actor.ident] = thread

    # Judging

    def _judge(self, clients: list[Client], things: Things) -> None:
        """Nobody can go on any more: every player must have come to its end."""
        for actor in self.stage.unended():
            client = next(each for each in clients if each.name == actor.name)
            held = sum(len(each.leases) for each in clients)
            if client.doing.startswith("acquire") and held >= things.size and not things.closed:
                continue  # whoever holds it does not end
            clause = "CLOSE-REFUSES" if things.closed and client.acquiring else "WAIT-ENDS"
            if client.doing.startswith("close"):
                clause = "CLOSE-REPORTS"
            things.report(clause, f"{client.doing} of {client.name} never returns{self._where(actor)}")
        if self.stage.busy:
            self._busy(clients, things)
        for error in self.copies.threads.crashes:
            things.report("ERRORS-TELL", f"a thread of the pool ended with {type(error).__name__}: {error}"[:150])
        for client in clients:
            actor = self.stage.actors[1 + clients.index(client)]
            if actor.error is not None and not isinstance(actor.error, Endless):
                things.report("ERRORS-TELL", f"{client.name} crashed: {actor.error!r}"[:150])

    def _busy(self, clients: list[Client], things: Things) -> None:
        """Everybody had a turn again and again, and it did not end."""
        for client in clients:
            if client.doing:
                clause = "CLOSE-REPORTS" if client.doing == "close" else "WAIT-ENDS"
                things.report(clause, f"{client.doing} of {client.name} is busy for ever")

    def _drain(self, pool: Any, terms: Terms, things: Things) -> None:
        """A single thread: everything that the pool can lend is there, or, after close, nothing."""
        if things.closed:
            self._closed_stays_closed(pool, terms, things)
            return
        seconds = DRAIN_SECONDS if terms.has("timeouts") else None
        leases: list[Any] = []
        size = things.size - sum(each.holder is not None for each in things.all)
        for number in range(size):
            try:
                lease = pool.acquire(seconds)
            except Exception as error:
                what = f"only {number} of {size} can be acquired afterwards: {type(error).__name__}: {error}"
                things.report("CONSERVATION", what[:150])
                break
            leases.append(lease)
            things.take(resource_of(pool, lease), "the drain")
        for lease in leases:
            things.leave(resource_of(pool, lease), "the drain")
            pool.release(lease)

    def _closed_stays_closed(self, pool: Any, terms: Terms, things: Things) -> None:
        try:
            lease = pool.acquire(1.0 if terms.has("timeouts") else None)
        except Exception:
            left = [each for each in things.all if not each.destroyed and each.holder is None]
            if left and terms.has("destroy"):
                things.report("CLOSE-TERMINATES", f"after close and every release {left} are not destroyed")
            return
        things.report("CLOSE-FINAL", f"after close acquire gave {resource_of(pool, lease)!r}")

    def _where(self, actor: Actor) -> str:
        """Where a thread that never gets on stands in the pool's own modules."""
        frame: FrameType | None = sys._current_frames().get(actor.thread.ident or 0)
        while frame is not None:
            if frame.f_code.co_filename in self.copies.files:
                return f" ({at(frame)})"
            frame = frame.f_back
        return ""

    # Ends

    def _unbuilt(self, helper: Actor, things: Things) -> Run:
        """The pool could not be made: that is no verdict on it."""
        what = f"{type(helper.error).__name__}: {helper.error}" if helper.error else f"it waits{self._where(helper)}"
        self._clear(things)
        return Run("limit", (), (), 0, f"no pool was made: {what}", hopeless=True)

    def _over(self, clients: list[Client], things: Things, policy: Policy) -> Run:
        stage = self.stage
        reason = getattr(policy, "differs", "")
        if stage.exceeded:
            reason = reason or "too many threads"
        if stage.overworked:
            reason = reason or "a thread came to no point for very long"
        if things.excused:
            things.findings.clear()
        verdict: Verdict = "limit" if reason else "broken" if things.findings else "ok"
        names = tuple(each.name or f"thread {each.number}" for each in stage.actors[: stage.cast])
        tape = tuple(stage.tape or ())
        results = tuple(tuple(each.results) for each in clients)
        points = stage.points
        self._clear(things)
        return Run(verdict, tuple(things.findings), results, points, reason, tape, names, stage.overworked)

    def _clear(self, things: Things) -> None:
        """Whoever is left on the stage is thrown out, and forgotten."""
        self.stage.waiting = self.stage.held_up = None
        self.stage.drop()
        self.copies.forget_threads()
        for each in things.all:
            each.holder = None
