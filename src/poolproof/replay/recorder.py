"""The recorder, and the form of a trace in a file."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from poolproof.reports import Fired, PoolEvent, PoolSetup, PoolStats

FORMAT = 1


class TraceError(ValueError):
    """A file is not a trace; the message says where and why."""


class Recorder:
    """An observer that keeps everything it is told, in memory. Give each pool its own.

    A forked process begins a trace of its own, as its pool begins anew.

    Any thread, finalizer or signal handler may call it at any time. Read it when the pool is at rest: a commit is
    told a moment after it was made.
    """

    __slots__ = ("_events", "_snapshots")

    def __init__(self) -> None:
        # By process: the child after a fork finds the parent's here, too.
        self._events: dict[int, list[PoolEvent]] = {}
        self._snapshots: dict[int, list[PoolStats]] = {}

    def __call__(self, event: PoolEvent) -> None:
        # Each is one step of the interpreter, so nothing can come in between.
        self._events.setdefault(os.getpid(), []).append(event)

    def __len__(self) -> int:
        return len(self._events.get(os.getpid(), ()))

    def note(self, stats: PoolStats) -> None:
        """Keep the counts of one moment, for `replay` to compare with the model's."""
        self._snapshots.setdefault(os.getpid(), []).append(stats)

    def events(self) -> list[PoolEvent]:
        """The trace so far: in the order of the versions, and refusals after the commit whose state they read."""
        return sorted(self._events.get(os.getpid(), []).copy(), key=lambda event: (event.version, is_refusal(event)))

    def snapshots(self) -> list[PoolStats]:
        return sorted(self._snapshots.get(os.getpid(), []).copy(), key=lambda stats: stats.version)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the trace as JSON lines: the setup first, then an event or a snapshot in each line."""
        with Path(path).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(as_json(event)) + "\n" for event in self.events())
            file.writelines(json.dumps({"stats": asdict(stats)}) + "\n" for stats in self.snapshots())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Recorder:
        """A recorder that holds what `write` wrote.

        Raises:
            TraceError: the file is something else.
            OSError: it cannot be read.
        """
        recorder = cls()
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    recorder._take(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise TraceError(f"{path}, line {number} is not a line of a trace: {error!r}") from None
        return recorder

    def _take(self, line: dict[str, Any]) -> None:
        if "stats" in line:
            self.note(PoolStats(**line["stats"]))
            return
        setup = None
        if "setup" in line:
            if line["trace"] != FORMAT:
                raise ValueError(f"this is format {line['trace']}, not {FORMAT}")
            setup = PoolSetup(**line["setup"])
        fired = tuple(Fired(str(row), number(slot), number(ticket)) for row, slot, ticket in line["fired"])
        limit = math.inf if line["limit"] is None else line["limit"]
        self(PoolEvent(int(line["version"]), fired, limit, setup))


def number(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    raise TypeError(f"{value!r} is no number of a slot or ticket")


def as_json(event: PoolEvent) -> dict[str, Any]:
    line: dict[str, Any] = {
        "version": event.version,
        "fired": [list(each) for each in event.fired],
        "limit": bounded(event.limit),
    }
    return line if event.setup is None else {"trace": FORMAT, "setup": event.setup._asdict(), **line}


def is_refusal(event: PoolEvent) -> bool:
    return bool(event.fired) and event.fired[0].row.startswith("REFUSE-")


def bounded(limit: float) -> int | None:
    return None if limit == math.inf else int(limit)
