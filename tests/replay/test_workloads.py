"""Whatever is done to a pool, its trace replays through the model."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolmodel import ROWS
from poolproof.replay import Verdict, replay
from replay.workloads import Workload

pytestmark = [
    pytest.mark.filterwarnings("ignore::poolproof.PoolWarning"),
    pytest.mark.clause("TRACE-REPLAYS", "CONSERVATION", "EXCLUSIVE", "WAIT-FIFO", "COUNTS-RECOUNT"),
]

# AGE is no step of a pool, and a recorder does not see a FORK: the child's pool begins anew.
UNSEEN = {"AGE", "FORK"}


def judge(workload: Workload, steps: int, threads: int = 1) -> tuple[Verdict, set[str]]:
    recorder = workload.run(steps, threads)
    events = recorder.events()
    return replay(events, recorder.snapshots()), {fired.row for event in events for fired in event.fired}


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 60))
@settings(print_blob=True)
def test_one_thread_replays(seed: int, steps: int) -> None:
    verdict, _ = judge(Workload(seed, alone=True), steps)
    assert verdict.ok, str(verdict)


def test_one_thread_fires_every_row() -> None:
    seen: set[str] = set()
    for seed in range(150):
        verdict, rows = judge(Workload(seed, alone=True), 120)
        assert verdict.ok, f"seed {seed}: {verdict}"
        seen |= rows
    assert set(ROWS) - seen == UNSEEN


@pytest.mark.parametrize("number", range(30))
def test_many_threads_replay(number: int, seed: int) -> None:
    each = Random(f"{seed}/{number}").randrange(2**32)
    verdict, _ = judge(Workload(each, alone=False), 150, threads=4)
    assert verdict.ok, f"seed {each}: {verdict}"
