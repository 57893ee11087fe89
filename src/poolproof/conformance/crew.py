"""A crew of operating system threads that take turns: one of them runs, and says itself who runs next.

Every thread sleeps on a lock of its own, its *baton*. Whoever comes to a scheduling point asks the *policy* who is
to go on, gives that one its baton and waits for its own: no thread in between, no condition, no timeout. So one
switch costs what the operating system charges for it, and nothing happens but what the policy has chosen.

Nothing here knows what a pool is. Time is virtual: the clock moves only when the policy lets a timeout pass.
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


class Policy(Protocol):
    """Who decides. Asked only where there is something to decide."""

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        """Choose one of *enabled*: a worker's number to let it run, or that plus the size of the crew to let its
        timeout pass. *worker* is who stands at the point; it is among *enabled* unless it sleeps or has ended."""
        ...

    def outcome(self, worker: Worker, count: int) -> int:
        """Choose one of *count* outcomes of a callback; 0 is the ordinary one."""
        ...

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        """*after* goes on where *before* was; called before it does."""
        ...


class Worker:
    """One thread of the crew."""

    def __init__(self, crew: Crew, number: int) -> None:
        self.crew = crew
        self.number = number
        self.baton = _thread.allocate_lock()
        self.baton.acquire()
        self.status = DONE
        self.task: Callable[[], object] | None = None
        self.deadline: float | None = None
        self.woken = False
        self.dropped = False
        self.fresh = False  # the next point follows another one at once, with nothing of interest in between
        self.op = 0  # the number of its client operation, and how many points it has passed in it
        self.points = 0
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._serve, name=f"worker {number}", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            self.baton.acquire()
            if self.task is None:
                return
            try:
                self.task()
            except BaseException as error:
                self.error = error
            self.crew.ended(self)


class Crew:
    """The threads, whose turn it is, and the virtual clock.

    ``running`` is None while nobody of the crew runs; then points pass without a decision.
    """

    def __init__(self, size: int, limit: int = 2_000) -> None:
        self.home = _thread.allocate_lock()
        self.home.acquire()
        self.size = size
        self.limit = limit  # points in one run
        self.patience = 10.0  # seconds between two looks at one who has come to no point
        self.last_steps = -1
        self.running: Worker | None = None
        self.enabled: list[int] = []
        self.now = 0.0
        self.stamp = 0  # counts whatever changes what others can see
        self.steps = 0
        self.free_running = False
        self.overworked = False
        self.tape: list[tuple[int, str, str]] | None = None
        self.policy: Policy
        self.workers = [Worker(self, number) for number in range(size)]

    def dismiss(self) -> None:
        """Let the threads end. They must be done."""
        for worker in self.workers:
            worker.task = None
            worker.baton.release()

    # From outside.

    def start(self, tasks: list[Callable[[], object]], policy: Policy) -> None:
        """Run the tasks, one in each thread, until all of them sleep or have ended."""
        self.policy = policy
        self.now, self.stamp, self.steps, self.last_steps = 0.0, 0, 0, -1
        self.free_running = self.overworked = False
        for worker, task in zip(self.workers, tasks, strict=True):
            worker.task, worker.status, worker.woken, worker.dropped = task, READY, False, False
            worker.op = worker.points = 0
            worker.fresh = False
            worker.error = worker.deadline = None
        self.enabled = list(range(self.size))
        self.resume()

    def resume(self) -> None:
        """Let those run who can, until nobody can."""
        worker = self._next(None)
        if worker is not None:
            worker.baton.release()
            while not self.home.acquire(timeout=self.patience):
                self._interrupt()

    def note(self, what: str, state: str = "") -> None:
        """Write down what happens, if anybody wants to know."""
        if self.tape is not None:
            self.tape.append((-1 if self.running is None else self.running.number, what, state))

    def _interrupt(self) -> None:
        """Whoever runs has not come to a point for very long: it is stopped, which is a limit and no verdict."""
        worker = self.running
        if worker is not None and self.last_steps == self.steps:
            self.overworked = True
            number = ctypes.c_ulong(worker.thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Overwork))
        self.last_steps = self.steps

    def abandon(self) -> None:
        """Wake everybody who sleeps with an error, until nobody is left."""
        for worker in self.workers:
            while worker.status != DONE:
                worker.dropped = True
                self.enabled, self.policy = [worker.number], Fair(self.size)
                self.running = None
                self.resume()

    # From inside.

    def point(self) -> None:
        """A scheduling point: whoever runs may have to wait here while others run."""
        worker = self.running
        if worker is None:
            return
        worker.points += 1
        self.steps += 1
        if worker.fresh:
            worker.fresh = False
            return
        if self.steps > self.limit:
            self._exceeded()
        if len(self.enabled) > 1:
            code = self.policy.pick(worker, self.enabled)
            if code != worker.number:
                self._go(worker, code)

    def sleep(self, worker: Worker, timeout: float | None) -> bool:
        """*worker*, who runs, sleeps until it is woken or its timeout passes; whether it was woken."""
        worker.fresh = False
        worker.status = ASLEEP if timeout is None else TIMED
        worker.deadline = None if timeout is None else self.now + timeout
        self._update()
        after = self._next(worker)
        if after is None:
            self.home.release()
            worker.baton.acquire()
        elif after is not worker:
            after.baton.release()
            worker.baton.acquire()
        woken, worker.woken = worker.woken, False
        if worker.dropped:
            worker.status = READY
            raise Dropped
        return woken

    def wake(self, worker: Worker) -> None:
        """*worker*, who sleeps, can go on."""
        worker.woken = True
        worker.status = READY
        self.stamp += 1
        self._update()

    def ended(self, worker: Worker) -> None:
        """*worker* has come to the end of its task."""
        worker.status = DONE
        worker.task = _nothing
        self._update()
        after = self._next(worker)
        (self.home if after is None else after.baton).release()

    def choose(self, count: int) -> int:
        """One of *count* outcomes, as the policy says; the ordinary one where nothing is to be decided."""
        worker = self.running
        return 0 if worker is None or count < 2 else self.policy.outcome(worker, count)

    # Turns.

    def _update(self) -> None:
        """Who can be chosen, in the order of the numbers; timeouts behind."""
        workers, size = self.workers, self.size
        self.enabled = [worker.number for worker in workers if worker.status is READY]
        self.enabled += [worker.number + size for worker in workers if worker.status is TIMED]

    def _go(self, worker: Worker, code: int) -> None:
        """Have whoever *code* means run, and wait until it is *worker*'s turn again."""
        self._turn(worker, code).baton.release()
        worker.baton.acquire()

    def _next(self, before: Worker | None) -> Worker | None:
        """Who runs next, now that *before* cannot; None if nobody can."""
        enabled = self.enabled
        if not enabled:
            self.running = None
            return None
        code = enabled[0] if len(enabled) == 1 else self.policy.pick(before, enabled)
        return self._turn(before, code)

    def _turn(self, before: Worker | None, code: int) -> Worker:
        size = self.size
        if code >= size:
            worker = self.workers[code - size]
            if worker.deadline is not None and worker.deadline > self.now:
                self.now = worker.deadline
            worker.status = READY
            self.stamp += 1
            self._update()
        else:
            worker = self.workers[code]
        if worker is not before:
            self.policy.switched(before, worker, code)
        self.running = worker
        return worker

    def _exceeded(self) -> None:
        """Too many points: from here on everybody in turn, and if that does not end it either, it never ends."""
        self.policy = Fair(self.size)
        self.free_running = True
        if self.steps > 3 * self.limit:
            raise Endless


def _nothing() -> None:
    return None


class Endless(BaseException):
    """A run did not end although everybody had a turn again and again."""


class Overwork(BaseException):
    """A thread worked for very long without coming to a point."""


class Dropped(BaseException):
    """The run is over, and this thread was still asleep in it."""


class Fair:
    """Everybody in turn."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.last = 0

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        later = [code for code in enabled if code > self.last]
        self.last = (later or enabled)[0]
        return self.last

    def outcome(self, worker: Worker, count: int) -> int:
        return 0

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        return None
