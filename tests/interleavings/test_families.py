"""Every schedule of every small program: the pool that is shipped, on threads of the operating system."""

from __future__ import annotations

import pytest

from poolproof.conformance import families
from poolproof.conformance.families import FAMILIES, Tally, run_family
from poolproof.conformance.programs import Program


def assert_complete(tally: Tally, programs: int) -> None:
    """Every program, every schedule within the bound, and nothing wrong. A limit is no pass."""
    assert not tally.counterexamples, f"{tally}\n{tally.counterexamples[0]}"
    assert not tally.limits, f"{tally}\n{tally.limits}"
    assert tally.programs == programs == tally.verdicts["ok"]
    print(tally)


# What is judged in every run, whatever it is about.
@pytest.mark.clause(
    "EXCLUSIVE", "CAPACITY", "CAPACITY-UNTIL-DESTROYED", "CONSERVATION", "COUNTS-RECOUNT", "WAIT-FIFO",
    "WORK-CONSERVING", "ONE-OUTCOME", "GRANT-STANDS", "CLOSE-FINAL", "NEVER-STALE", "PROMPT-GRANT", "WAIT-ENDS",
    "DESTROY-ONCE", "CLOSE-TERMINATES", "NO-CALLS-UNDER-LOCK", "RESIZE-BOTH-WAYS",
)  # fmt: skip
def test_every_pair_of_operations_in_every_schedule() -> None:
    assert_complete(FAMILIES["pairs"].run(), 153)


@pytest.mark.clause("EXCLUSIVE", "CONSERVATION", "WAIT-FIFO", "WORK-CONSERVING", "GRANT-STANDS", "WAIT-ENDS")
def test_every_triple_of_operations_with_one_preemption() -> None:
    assert_complete(FAMILIES["triples"].run(), 969)


@pytest.mark.clause("LEASE-ONCE", "STALE-UNCHANGED")
def test_two_threads_with_two_operations_each_in_every_schedule() -> None:
    assert_complete(FAMILIES["rounds"].run(), 21)


@pytest.mark.clause("EXCLUSIVE", "CONSERVATION", "WAIT-FIFO", "LEASE-ONCE", "WAIT-ENDS", "CLOSE-REFUSES")
def test_three_threads_with_two_operations_each_in_every_schedule() -> None:
    assert_complete(FAMILIES["some-three-rounds"].run(), 50)


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "CANCELLATION-SURVIVES", "CALLBACK-FAULTS", "CONSERVATION", "DUTY-OWNED")
def test_every_pair_of_operations_with_one_interruption_anywhere() -> None:
    assert_complete(FAMILIES["strikes"].run(), 153)


# Those whose steps read registers that the steps of others write.
TORN = ("acquire(1)", "release", "detach", "overdue", "force")


@pytest.mark.clause("ONE-OUTCOME", "STALE-UNCHANGED", "EXCLUSIVE")
@pytest.mark.parametrize(
    ("words", "programs"),
    [(TORN, 15), pytest.param(families.SURFACE, 153, marks=pytest.mark.exhaustive)],
    ids=["some", "all"],
)
def test_every_pair_of_operations_with_torn_readings(words: tuple[str, ...], programs: int) -> None:
    assert_complete(run_family("torn pairs", families.combined(2, words), grain="torn"), programs)


SPECIAL = (
    "size=1 given=1: acquire release again | end_of(0) | acquire release",
    "size=1 given=1 reset=1: release | acquire release",
    "size=1 given=1: acquire_reset release | acquire release",
    "size=1 given=1 reset=1: drop | acquire release",
    "size=1 faults=1: acquire release | acquire release",
    "size=1 given=1 reset=1 faults=1: release | acquire",
    "size=1 given=1 check=1 faults=1: acquire release | acquire",
    "size=2 given=2 fifo=1: acquire release | acquire release",
    "size=1 given=1 waiting=1: acquire release | acquire release | acquire",
    "size=1 given=1 factory=0 empty=1: acquire detach | acquire release",
    "size=2 given=1 uses=1: acquire release | acquire release",
    "size=2 given=2 free=1: release | release",
    "size=2 given=1 min=1: discard | acquire release",
    "size=1 given=1: with | with",
    "size=1 given=1: release | close_wait",
    "size=1 given=1: acquire release | close_wait | maintain",
    "size=1 given=1 lease=10: acquire release | overdue",
    "size=1 given=1: discard | acquire(1)",
)


@pytest.mark.clause("RESET-BEFORE-REUSE", "FAILURE-PROGRESS", "LEASE-REVOKED", "LEASE-ABANDONED")
@pytest.mark.parametrize("program", SPECIAL)
def test_chosen_program_in_every_schedule(program: str) -> None:
    assert_complete(run_family(program, [Program.parse(program)], grain="commits"), 1)


# A thread that says "serve" works for the pool's executor.
SERVED = (
    "size=1 executor=1: acquire release | serve",
    "size=1 executor=1: acquire(1) release | acquire discard | serve",
    "size=1 given=1 reset=1 executor=1: release | acquire | serve",
    "size=1 given=1 executor=1: discard | serve | serve",
    "size=1 executor=1 faults=1: acquire | acquire(1) | serve",
    "size=1 executor=1: acquire | close | serve",
    "size=1 executor=1 strikes=1: acquire | serve",
    "size=1 given=1 executor=1: expire | acquire | serve",
)


@pytest.mark.clause("BUILD-OUTLIVES", "FAILURE-PROGRESS", "WAIT-DEADLINE", "CLOSE-TERMINATES", "DUTY-OWNED")
@pytest.mark.parametrize("program", SERVED)
def test_executor_serves_in_every_schedule(program: str) -> None:
    assert_complete(run_family(program, [Program.parse(program)], grain="commits"), 1)


OBSERVED = (
    "size=1 given=1 observed=1: release | acquire(1) release",
    "size=1 observed=1: acquire release | acquire(1) release",
    "size=2 given=1 observed=1: try | add | remove",
    "size=1 given=1 observed=1: drop | acquire | close",
    "size=1 given=1 reset=1 faults=1 observed=1: release | acquire",
    "size=1 given=1 observed=1: discard | expire | acquire(1)",
    "size=2 given=2 observed=1: resize(1) | release | close",
)


@pytest.mark.clause("TRACE-REPLAYS", "DEBUG-INERT")
@pytest.mark.parametrize("program", OBSERVED)
def test_every_trace_replays_through_the_model(program: str) -> None:
    assert_complete(run_family(program, [Program.parse(program)], grain="commits"), 1)


@pytest.mark.exhaustive
def test_every_triple_of_operations_in_every_schedule() -> None:
    assert_complete(FAMILIES["all-triples"].run(), 969)


@pytest.mark.exhaustive
def test_three_threads_with_two_operations_each_with_time_limits_in_every_schedule() -> None:
    assert_complete(FAMILIES["three-rounds"].run(), 56)


@pytest.mark.exhaustive
def test_four_threads_with_two_preemptions() -> None:
    assert_complete(FAMILIES["crowds"].run(), len(families.CROWDS))
