"""The history of a run, judged by the model: for pools that promise what the model does.

That is: first come, first served, timeouts, a limit, leases that know themselves, create and destroy. Only pools of
one resource are judged: with more, which of the free ones is next is the pool's own affair.
"""

from __future__ import annotations

from typing import Any

from poolmodel.state import Config
from poolproof.conformance.history import Judge
from poolproof.conformance.history.events import Entry
from poolproof.conformance.history.recorder import Recorder, Token

NEEDED = ("create", "destroy", "max_size", "timeouts", "fifo", "misuse", "lease-identity", "errors-unchanged")
KINDS = {"timeout": "AcquireTimeout", "closed": "PoolClosed", "refused": "StaleLease"}


class Histories:
    """The judge, with the histories that it has seen."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.seen: set[tuple[Entry, ...]] = set()

    def complaint(self, recorder: Recorder, size: int) -> str | None:
        """Why the model cannot explain what was recorded; None if it can, or if that was judged before."""
        history = recorder.history(Config(limit=size))
        if history.entries in self.seen:
            return None
        self.seen.add(history.entries)
        verdict = self.judge(history)
        if verdict.holds:
            return None
        self.seen.discard(history.entries)
        reason = verdict.reasons[0] if verdict.reasons else "the run may not end so"
        return f"no order of the model's steps explains this history: {reason}"


class Told:
    """One operation of a client, told to the recorder; or to nobody."""

    def __init__(self, recorder: Recorder | None, kind: Any, **what: Any) -> None:
        self.recorder = recorder
        self.token: Token | None = None if recorder is None else recorder.call(kind, **what)

    def ended(self, kind: str, value: Any = None) -> None:
        if self.recorder is not None and self.token is not None:
            self.recorder.returned(self.token, KINDS.get(kind, kind), value)

    def failed(self, error: BaseException) -> None:
        if self.recorder is not None and self.token is not None:
            self.recorder.failed(self.token, error)
