"""Operating system threads that take turns: one runs at a time, and a policy says at every point who goes on.

Unlike the crew that drives poolproof's own pool, this stage does not know beforehand how many threads there will be:
the pool under test may start its own. Threads that a program brings are *players*; those that the pool starts are
*extras*, and a run is over when the players are, whatever the extras do.

Time is virtual. It moves only when somebody's timeout is allowed to pass, and the earliest deadline always passes
first: a later one cannot, however slow the threads are.
"""

from __future__ import annotations

import _thread
import ctypes
import threading
from collections.abc import Callable
from typing import Final, Protocol

READY: Final = "ready"
ASLEEP: Final = "asleep"
TIMED: Final = "timed"  # asleep, until a deadline at most
DONE: Final = "done"

LONG = 4_000  # points in one run after which everybody has a turn again and again
MOST_POINTS = 12_000  # points in one run after which it is given up: somebody is busy for ever
FOR_EVER = 1e5  # seconds; a deadline farther off is none
MOST_THREADS = 60  # in one run
ABOUT = 1e-3  # deadlines that are so near to each other may pass in any order
IDLE_ROUNDS = 40  # timeouts in a row after which nobody has got anywhere: the players wait for ever
PATIENCE = 5.0  # seconds of the real clock between two looks at a thread that comes to no point


class Policy(Protocol):
    """Who decides. Asked only where there is something to decide."""

    def pick(self, me: int | None, enabled: list[int]) -> int:
        """One of *enabled*: the number of a thread that can run, or -1 - number to let its timeout pass. *me* is who
        stands at the point and could go on; None if it cannot."""
        ...


class Dropped(BaseException):
    """The run is over, and this thread had not ended."""


class Endless(BaseException):
    """Too many points in one run, or too many threads."""


class Outside(RuntimeError):
    """A patched primitive would have to wait in a thread that is not on the stage."""


class Actor:
    """One thread on the stage. Its operating system thread serves one run after another."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.number = number
        self.ident = 1_000 + number
        self.baton = _thread.allocate_lock()
        self.baton.acquire()
        self.status = DONE
        self.task: Callable[[], object] | None = None
        self.name = ""
        self.player = False
        self.deadline = 0.0
        self.woken = False
        self.blocker: object = None
        self.error: BaseException | None = None
        self.on_end: list[Callable[[], object]] = []
        self.calling = ""  # the callback that it runs
        self.own: dict[object, dict[str, object]] = {}  # what thread-local objects keep for it
        self.thread = threading.Thread(target=self._serve, name=f"stage {number}", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            self.baton.acquire()
            if self.task is None:
                return
            try:
                if not self.stage.dropping:
                    self.stage.around(self.task)
            except BaseException as error:
                self.error = error
            self.stage.ended(self)


class Stage:
    """The threads, whose turn it is, and the virtual clock. ``running`` is None while nobody on it runs."""

    def __init__(self) -> None:
        self.home = _thread.allocate_lock()
        self.home.acquire()
        self.actors: list[Actor] = []
        self.running: Actor | None = None
        self.policy: Policy
        self.around: Callable[[Callable[[], object]], object] = lambda task: task()
        self.tape: list[tuple[int, str]] | None = None
        self.waiting: Callable[[Actor], object] | None = None  # told of everybody who begins to wait for a notify
        self.held_up: Callable[[Actor, Actor], object] | None = None  # told who waits for a lock, and who holds it
        self.begin()

    def begin(self) -> None:
        """A new run. Nobody of an earlier one may be left."""
        self.cast = 0
        self.now = 0.0
        self.points = 0
        self.idle = 0
        self.stuck = self.overworked = self.exceeded = self.busy = self.dropping = False
        self.names: dict[int, str] = {}
        self.last_points = -1

    # From outside.

    def actor(self, task: Callable[[], object], name: str, player: bool) -> Actor:
        """One more thread, which can run from now on."""
        if self.cast >= MOST_THREADS:
            self.exceeded = True
            raise Endless
        if self.cast == len(self.actors):
            self.actors.append(Actor(self, self.cast))
        actor = self.actors[self.cast]
        self.cast += 1
        actor.name, actor.player, actor.error, actor.woken = name, player, None, False
        actor.on_end, actor.own, actor.calling = [], {}, ""
        actor.task, actor.status = task, READY
        return actor

    def again(self, actor: Actor, task: Callable[[], object]) -> None:
        """*actor*, who has ended, does something else."""
        actor.task, actor.status, actor.error, actor.woken = task, READY, None, False

    def perform(self, policy: Policy) -> None:
        """Let those run who can, until every player has ended or nobody can go on."""
        self.policy = policy
        self.stuck, self.idle = False, 0
        after = self._next(None)
        if after is not None:
            after.baton.release()
            while not self.home.acquire(timeout=PATIENCE):
                self._interrupt()
        self.running = None

    def unended(self) -> list[Actor]:
        """The players that have not ended."""
        return [each for each in self.actors[: self.cast] if each.player and each.status is not DONE]

    def drop(self) -> None:
        """Throw everybody who has not ended out of wherever it is."""
        self.dropping = True
        self.tape = None
        for actor in self.actors[: self.cast]:
            if actor.status is not DONE:
                self.running = actor
                actor.baton.release()
                while not self.home.acquire(timeout=PATIENCE):
                    self._throw(actor)
        self.running = None

    def dismiss(self) -> None:
        """Let the operating system threads end. Nobody may be on the stage."""
        for actor in self.actors:
            actor.task = None
            actor.baton.release()
            actor.thread.join()
        self.actors = []

    def _interrupt(self) -> None:
        """Whoever runs has not come to a point for very long: it is stopped, which is a limit and no verdict."""
        if self.running is not None and self.last_points == self.points:
            self.overworked = True
            self._throw(self.running)
        self.last_points = self.points

    def _throw(self, actor: Actor) -> None:
        ident = ctypes.c_ulong(actor.thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Endless))

    # From inside.

    def point(self, what: str = "") -> None:
        """A scheduling point: whoever runs may have to wait here while others run."""
        actor = self.running
        if actor is None or self.dropping:
            return
        self.points += 1
        if self.points > LONG:
            self._too_long()
        enabled = self._enabled()
        if len(enabled) > 1:
            code = self.policy.pick(actor.number, enabled)
            if code != actor.number:
                self._turn(code).baton.release()
                actor.baton.acquire()
                if self.dropping:
                    raise Dropped
        if what:
            self.note(what)

    def give_way(self, what: str) -> None:
        """A point at which the others come first, as in a loop that waits without sleeping."""
        actor = self.running
        if actor is None or self.dropping:
            return
        others = [code for code in self._enabled() if code != actor.number]
        if not others:
            self.point(what)
            return
        self.note(what)
        code = self.policy.pick(None, [*others, actor.number])
        if code != actor.number:
            self._turn(code).baton.release()
            actor.baton.acquire()
            if self.dropping:
                raise Dropped

    def block(self, deadline: float | None, what: object = None) -> bool:
        """Whoever runs sleeps until it is woken or the deadline passes; returns whether it was woken."""
        actor = self.running
        if actor is None:
            raise Outside(f"{what or 'a sleep'} would wait in a thread that nothing can wake")
        if self.dropping:
            raise Dropped
        never = deadline is None or deadline - self.now > FOR_EVER
        actor.status = ASLEEP if never else TIMED
        actor.deadline = 0.0 if deadline is None else deadline
        actor.blocker = what
        after = self._next(None)
        if after is None:
            self.home.release()
            actor.baton.acquire()
        elif after is not actor:
            after.baton.release()
            actor.baton.acquire()
        if self.dropping:
            raise Dropped
        woken, actor.woken = actor.woken, False
        return woken

    def unblock(self, actor: Actor) -> None:
        """*actor*, who sleeps, can go on."""
        if actor.status is ASLEEP or actor.status is TIMED:
            actor.status, actor.woken = READY, True

    def progress(self) -> None:
        """A player got somewhere: waiting for timeouts begins to count anew."""
        self.idle = 0

    def ended(self, actor: Actor) -> None:
        """*actor* has come to the end of its task."""
        actor.status = DONE
        actor.task = _nothing
        for each in actor.on_end:
            each()
        actor.on_end = []
        after = None
        if self.dropping or (actor.player and not self.unended()):
            self.running = None
        else:
            after = self._next(None)
        (self.home if after is None else after.baton).release()

    def note(self, what: str) -> None:
        """Write down what happens, if anybody wants to know."""
        if self.tape is not None:
            self.tape.append((-1 if self.running is None else self.running.number, what))

    def name_of(self, thing: object, kind: str) -> str:
        """What the drawing calls *thing*: its kind, and a number in the order of first use."""
        return self.names.setdefault(id(thing), f"{kind} {len(self.names) + 1}")

    # Turns.

    def _enabled(self) -> list[int]:
        """Who can be chosen, in the order of the numbers; behind them the timeouts that pass first."""
        actors = self.actors[: self.cast]
        enabled = [each.number for each in actors if each.status is READY]
        timed = [each for each in actors if each.status is TIMED]
        if timed:
            first = min([each.deadline for each in timed]) + ABOUT
            enabled += [-1 - each.number for each in timed if each.deadline <= first]
        return enabled

    def _next(self, before: Actor | None) -> Actor | None:
        """Who runs next, now that nobody does; None if nobody can, or nobody has got anywhere for long."""
        enabled = self._enabled()
        if enabled and enabled[0] < 0:
            self.idle += 1
            self.stuck = self.idle > IDLE_ROUNDS
        if not enabled or self.stuck:
            self.running = None
            return None
        code = enabled[0] if len(enabled) == 1 else self.policy.pick(None, enabled)
        return self._turn(code)

    def _too_long(self) -> None:
        """From here on everybody in turn; if that does not end it either, somebody is busy for ever."""
        if self.points == LONG + 1:
            self.policy = InTurn()
        if self.points > MOST_POINTS:
            self.busy = True
            raise Endless

    def _turn(self, code: int) -> Actor:
        actor = self.actors[code if code >= 0 else -1 - code]
        if code < 0:
            self.now = max(self.now, actor.deadline)
            actor.status = READY
            actor.woken = False
        self.running = actor
        if code < 0:
            self.note(f"its time is up, at {self.now:g} s")
        return actor


class InTurn:
    """The policy by which everybody who can run has a turn again and again."""

    def __init__(self) -> None:
        self.last = 0

    def pick(self, me: int | None, enabled: list[int]) -> int:
        ready = [code for code in enabled if code >= 0] or enabled
        self.last = next((code for code in ready if code > self.last), ready[0])
        return self.last


def _nothing() -> None:
    return None
