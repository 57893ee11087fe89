"""The threads of a scenario. Each has a name and does one thing after another; none can make the suite hang."""

from __future__ import annotations

import contextlib
import ctypes
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NamedTuple

from poolproof.conformance.suite.stillness import PAUSE, others, pause, still

SECONDS_OF_STILLNESS = 1.2
SECONDS_OF_MOTION = 4.0
LOOKS_FOR_BLOCKED = 4


class Line(NamedTuple):
    """One line of a timeline: who, and what happened."""

    who: str
    what: str


class Broken(Exception):
    """The pool broke a promise. The message says what happened."""


class NotShown(Exception):
    """The scenario could not be brought about, so nothing is known. The message says why."""


class NotApplicable(Exception):
    """The scenario turned out not to concern this pool. The message says why."""


class Call:
    """Something that an actor was asked to do, and what came of it."""

    def __init__(self, actor: Actor, what: str) -> None:
        self.actor = actor
        self.sleeps = 0.0  # seconds for which it may sleep by right
        self.works = 0.0  # seconds for which it may go on beyond the usual
        self.what = what
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    @property
    def over(self) -> bool:
        return self.done.is_set()


def raise_in(thread: threading.Thread, kind: type[BaseException]) -> None:
    """Have an exception raised in another thread, as soon as it runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind))


class Heard(BaseException):
    """Raised and caught here, to no other end."""


def unsignal() -> None:
    """Take back the signal that an exception waits for some thread. CPython 3.11 keeps it up until *a* thread has
    received one, and traces no function while it is up."""
    with contextlib.suppress(Heard):
        raise_in(threading.current_thread(), Heard)
        for _ in range(1000):
            pass


class Actor:
    """One thread with a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy = False
        self.jobs: queue.SimpleQueue[tuple[Call, Callable[[], Any]] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name=f"conformance {name}", daemon=True)
        self.thread.start()

    def start(self, what: str, function: Callable[[], Any]) -> Call:
        call = Call(self, what)
        self.jobs.put((call, function))
        return call

    def stop(self) -> None:
        """Have a thread that goes on and on end: the next Python code that it runs raises SystemExit. One that sleeps
        is left alone, it costs nothing."""
        if self.busy and still(self.thread, (), lambda: not self.busy, 3, 0.1) is False:
            raise_in(self.thread, SystemExit)
            self.thread.join(0.2)
            if self.thread.is_alive():
                unsignal()

    def _run(self) -> None:
        with contextlib.suppress(SystemExit):
            while (job := self.jobs.get()) is not None:
                call, function = job
                self.busy = True
                try:
                    call.value = function()
                except BaseException as error:  # whatever it is belongs to whoever asked
                    call.error = error
                self.busy = False
                call.done.set()
                del job, call, function  # so that nothing is kept alive by an idle thread


class Gate:
    """A place in a callback where its thread stands until the scenario lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self.open.wait()


class Troupe:
    """The actors of one scenario, and the timeline of what they do. *patience* stretches every wait."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.lines: list[Line] = []
        self.gates: list[Gate] = []
        self.made = 0  # resources, for their names
        self.before = set(threading.enumerate())
        self.actors: dict[str, Actor] = {}

    def note(self, who: str, what: str) -> None:
        self.lines.append(Line(who, what))

    def actor(self, name: str) -> Actor:
        if name not in self.actors:
            self.actors[name] = Actor(name)
        return self.actors[name]

    def gate(self) -> Gate:
        gate = Gate()
        self.gates.append(gate)
        return gate

    def threads(self) -> list[threading.Thread]:
        """The threads that have appeared since the scenario began: the actors' and the pool's own."""
        return [thread for thread in others(()) if thread not in self.before]

    def finished(self, call: Call) -> bool:
        """Wait for the end of a call; False if it hangs: nobody in the scenario moves any more, or it goes on and
        on."""
        if call.done.wait(0.05):
            return True
        mine = {each.thread for each in self.actors.values()}
        slow = 3.0 if any(each not in mine for each in self.threads()) else 1.0  # its threads may sleep for a while
        looks = int((SECONDS_OF_STILLNESS * slow * self.patience + call.sleeps) / PAUSE)
        most = SECONDS_OF_MOTION * slow * self.patience + call.sleeps + call.works
        still(call.actor.thread, self.threads(), lambda: call.over, looks, most)
        return call.over

    def blocked(self, call: Call) -> bool:
        """Wait until a call is over, or its thread sleeps; True if it sleeps."""
        answer = still(call.actor.thread, (), lambda: call.over, LOOKS_FOR_BLOCKED, 0.5 * self.patience)
        return answer is True

    def settled(self, calls: Iterable[Call]) -> None:
        """Wait until each of these is over or sleeps."""
        for call in calls:
            self.blocked(call)

    def reached(self, gate: Gate, call: Call) -> None:
        """Wait until somebody stands at the gate, or the call is over or stuck."""
        still(call.actor.thread, (), lambda: gate.reached.is_set() or call.over, 60, SECONDS_OF_MOTION)

    def waits(self, condition: Callable[[], bool], seconds: float = 2.0) -> bool:
        """Give the others some time to make something true."""
        for _ in range(int(seconds * self.patience / PAUSE)):
            if condition():
                return True
            pause()
        return condition()

    def whereabouts(self, call: Call) -> str:
        """Where in the code a thread that hangs stands."""
        frame: FrameType | None = sys._current_frames().get(call.actor.thread.ident or 0)
        seen: list[str] = []
        while frame is not None and len(seen) < 4:
            name = frame.f_code.co_filename
            if "conformance/suite" not in name:
                seen.append(f"{frame.f_code.co_qualname} ({name.rpartition('/')[2]}:{frame.f_lineno})")
            frame = frame.f_back
        return " in ".join(seen[:3])

    def leave(self) -> None:
        """Let everybody go who can."""
        for gate in self.gates:
            gate.open.set()
        actors, self.actors = list(self.actors.values()), {}
        for actor in actors:
            actor.jobs.put(None)
        for actor in actors:
            actor.thread.join(0.05)
            if actor.thread.is_alive():
                actor.stop()
