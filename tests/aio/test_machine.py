"""Hypothesis drives an `AsyncPool` through long runs: operations begin, single steps of the loop in any order, timers,
cancellations; afterwards the verdict of `Stage.judge`, and the trace replays through the model as any trace does."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from poolproof.conformance.aio import OPERATIONS, Stage
from poolproof.conformance.aio.stage import Setting

SLOW = ("create", "destroy", "check", "reset")
# Closing is a rule of its own, and rare: what follows it is dull.
BUSY = sorted(set(OPERATIONS) - {"close", "force", "add", "shrink"})


class AsyncPoolMachine(RuleBasedStateMachine):
    """One pool, any number of tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.stage: Any = None
        logging.disable(logging.CRITICAL)

    @initialize(
        max_size=st.integers(1, 3),
        given=st.integers(0, 1),
        slow=st.frozensets(st.sampled_from(SLOW)),
        faults=st.dictionaries(st.sampled_from(SLOW), st.integers(0, 2)),
        options=st.fixed_dictionaries(
            {},
            optional={
                "order": st.sampled_from(["lifo", "fifo"]),
                "max_uses": st.integers(1, 3),
                "max_waiting": st.integers(0, 3),
                "min_size": st.integers(0, 1),
                "max_free": st.integers(0, 2),
                "timeout": st.sampled_from([0, 2]),
            },
        ),
    )
    def begin(self, **drawn: Any) -> None:
        self.stage = Stage(Setting(**drawn))

    @rule(name=st.sampled_from(BUSY))
    def start(self, name: str) -> None:
        self.stage.begin(OPERATIONS[name], name)

    @precondition(lambda self: len(self.stage.tasks) > 12)
    @rule(name=st.sampled_from(["close", "force"]))
    def close(self, name: str) -> None:
        self.stage.begin(OPERATIONS[name], name)

    @precondition(lambda self: self.stage.loop.alive())
    @rule(places=st.lists(st.integers(0, 50), min_size=1, max_size=8))
    def go_on(self, places: list[int]) -> None:
        for place in places:
            ready = len(self.stage.loop.alive())
            if ready:
                self.stage.loop.step(place % ready)

    @precondition(lambda self: self.stage.loop.timers)
    @rule()
    def time_passes(self) -> None:
        self.stage.loop.ring()

    @precondition(lambda self: any(not task.done() for task in self.stage.tasks))
    @rule(place=st.integers(0, 50))
    def cancel(self, place: int) -> None:
        pending = [task for task in self.stage.tasks if not task.done()]
        self.stage.cancel(pending[place % len(pending)])

    def teardown(self) -> None:
        if self.stage is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.stage.loop.settle()
                found = self.stage.judge()
            assert [] == found
        logging.disable(logging.NOTSET)


TestAsyncPool = AsyncPoolMachine.TestCase
TestAsyncPool.settings = settings(max_examples=200, stateful_step_count=40)
TestAsyncPool.pytestmark = [  # type: ignore[attr-defined]
    pytest.mark.stateful,
    pytest.mark.clause("TRACE-REPLAYS", "EXCLUSIVE", "CAPACITY", "CONSERVATION", "WAIT-FIFO", "ONE-OUTCOME"),
    pytest.mark.filterwarnings("ignore:.*collected without having been ended"),
]
