"""An executor whose workers are threads of the crew: those that say ``serve``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from poolproof.conformance.crew import Crew
from poolproof.conformance.points import ScheduledParker


class CrewExecutor(Executor):
    """Takes jobs from anybody, and has them done by whoever serves, in the order in which they came."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.jobs: list[Callable[[], object]] = []
        self.idle: list[ScheduledParker] = []
        self.over = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        if self.over or self.crew.running is None:
            raise RuntimeError("nobody serves: the run is over, or has not begun")
        self.crew.point()
        self.crew.stamp += 1
        self.jobs.append(partial(function, *args, **options) if args or options else function)
        if self.idle:
            self.idle.pop(0).unpark()
        return Future()

    def serve(self) -> None:
        """Do what comes until the run is over."""
        while not self.over:
            while self.jobs:
                self.crew.stamp += 1
                self.jobs.pop(0)()
            parker = ScheduledParker(self.crew)
            self.idle.append(parker)
            self.crew.stamp += 1
            parker.park(None)

    def end(self) -> None:
        """Take no more jobs, and let those go who wait for one."""
        self.over = True
        while self.idle:
            self.idle.pop().unpark()

    def picture(self) -> tuple[Any, ...]:
        """What is to be done, and how many wait for more."""
        duties: list[Any] = [getattr(job, "__self__", None) for job in self.jobs]
        told = [(type(each.effect).__name__, each.slot.number) for each in duties if each is not None]
        return (len(self.jobs), *told, len(self.idle))
