"""Recorded histories of a pool, and two independent judges of them.

    print(judge(history))

A history is *linearizable* if the operations in it can be explained by steps of the model, each between its call and
its return. Two rules go beyond that: whoever never returns must be unable to (the stuck rule), and a timeout is legal
only for an acquire that at some moment could have nothing, neither a free slot nor a build to begin, and that has got
nothing since (the strong timeout rule).

What these judges can see: pools without max_age, max_idle, max_uses, max_lease and max_free, whose effects the time
or a count decides that a history does not hold; and pools whose every resource has a recorded destroy.
"""

from __future__ import annotations

from poolmodel.state import Config
from poolproof.conformance.history.breadth import walk
from poolproof.conformance.history.depth import search
from poolproof.conformance.history.events import Call, Entry, History, Outcome, Queued, Return
from poolproof.conformance.history.oracle import Oracle, Rules
from poolproof.conformance.history.recorder import RecordedLease, RecordedPool, Recorder
from poolproof.conformance.history.verdict import Verdict

__all__ = [
    "Call",
    "CheckersDisagree",
    "Entry",
    "History",
    "Judge",
    "Oracle",
    "Outcome",
    "Queued",
    "RecordedLease",
    "RecordedPool",
    "Recorder",
    "Return",
    "Rules",
    "Verdict",
    "judge",
]


class CheckersDisagree(AssertionError):
    """One checker explains a history and the other does not: one of them is wrong, and no verdict counts."""


class Judge:
    """Both checkers, for any number of histories. What the model was asked once is remembered."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._oracles: dict[Config, tuple[Oracle, Oracle]] = {}

    def __call__(self, history: History) -> Verdict:
        """The verdict of both checkers, each with a memory of its own.

        Raises:
            CheckersDisagree: they do not say the same.
        """
        config = history.config
        oracles = self._oracles.get(config)
        if oracles is None:
            oracles = self._oracles[config] = (Oracle(config, self.rules), Oracle(config, self.rules))
        first, second = search(history, oracles[0]), walk(history, oracles[1])
        if (first.holds, first.explained) != (second.holds, second.explained):
            raise CheckersDisagree(f"depth first:\n{first}\n\nforward:\n{second}")
        return first


def judge(history: History, rules: Rules | None = None) -> Verdict:
    """The verdict on one history, of both checkers."""
    return Judge(rules)(history)
