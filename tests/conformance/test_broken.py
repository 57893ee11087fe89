"""The suite bites: for each scenario a pool that breaks just this promise, and is found out for the right reason."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from conformance import broken_own as own
from conformance import broken_plain as plain
from conformance.broken_plain import mistaken, promising, with_timeout
from poolproof.conformance.suite.adapter import subject
from poolproof.conformance.suite.running import attempt, chosen, quiet, scenarios
from source import ROOT

HANGS = "never returns"
BROKEN: list[tuple[str, Any, str]] = [
    ("EXCLUSIVE:all-different", mistaken(serve=plain.serves_without_taking), "is lent to all1 while all0 holds it"),
    ("EXCLUSIVE:nobody-shares-under-load", mistaken(serve=plain.serves_without_taking), "is lent to"),
    ("EXCLUSIVE:one-resource-one-holder", mistaken(__init__=plain.has_one_too_many), "2 slots at a limit of 1"),
    ("NO-DUPLICATES:pooled-resource-is-not-added", own.AddsCopies, "the same object was added twice"),
    (
        "CAPACITY:creates-in-flight-count",
        mistaken(build=plain.builds_without_counting),
        "creates are running at a limit of 2",
    ),
    ("CAPACITY:limit-holds-after-failed-creates", mistaken(leave=plain.gives_two_back), "slots at a limit of 2"),
    (
        "CAPACITY-UNTIL-DESTROYED:slot-counts-while-destroy-runs",
        mistaken(discard=plain.leaves_before_destroying),
        "was still running",
    ),
    ("CALLBACK-FAULTS:failing-create-costs-no-slot", mistaken(build=plain.leaks_interruptions), HANGS),
    ("CALLBACK-FAULTS:failing-destroy-costs-no-slot", mistaken(discard=plain.destroys_carelessly), HANGS),
    ("CALLBACK-FAULTS:failing-check-costs-no-slot", own.LeaksUnchecked, HANGS),
    ("DESTROY-ONCE:close-destroys-each-once", mistaken(close=plain.forgets_idle), "was not destroyed"),
    ("DESTROY-ONCE:close-destroys-each-once", mistaken(close=plain.closes_again), "destroy was called twice"),
    ("DESTROY-ONCE:discarded-is-destroyed-and-gone", mistaken(discard=plain.keeps_discarded), "after it was destroyed"),
    ("DETACH-KEEPS:detached-is-left-alone", own.DestroysDetached, "destroyed by the pool all the same"),
    ("NEVER-STALE:failed-check-is-not-lent", own.without("check"), "without having been checked"),
    ("NEVER-STALE:worn-out-is-replaced", own.without("max_uses"), "was lent 5 times"),
    ("NEVER-STALE:too-old-is-replaced", own.without("max_age"), "more than 0.05 s old"),
    ("RESET-BEFORE-REUSE:reset-runs-between-two-leases", own.ResetsLate, "before its reset had"),
    ("REMOVE-LEAVES:removed-is-not-lent-again", own.ignoring("remove"), "was removed, and lent again"),
    ("RENEW-ALL:everything-is-replaced", own.ignoring("expire_all"), "is from before it"),
    ("FREE-ORDER:free-ones-are-lent-in-order", own.Reverses, "order lifo: expected"),
    ("WAIT-FIFO:waiters-are-served-in-order", mistaken(serve=plain.serves_the_last), "was served before B"),
    ("WAIT-FIFO:newcomer-does-not-overtake", promising(kind=plain.Barging), "while B was waiting for it"),
    (
        "ONE-OUTCOME:timeout-races-with-release",
        mistaken(wait=plain.trusts_wait, withdraw=plain.takes_grant_along),
        HANGS,
    ),
    ("ONE-OUTCOME:histories-are-linearizable", mistaken(acquire=plain.too_hasty), "explains this history"),
    (
        "GRANT-STANDS:cancelled-waiter-leaves-nothing-behind",
        type("X", (promising("async-exceptions"),), {"kind": mistaken(withdraw=plain.takes_grant_along).kind}),
        HANGS,
    ),
    ("WAIT-BOUND:too-many-waiters-are-refused", own.without("max_waiting"), "max_waiting is 1 and B waits"),
    ("CHECK-KEEPS-TURN:bad-resource-costs-no-turn", own.CheckCostsTurn, "CheckFailed"),
    ("CLOSE-REFUSES:close-refuses-waiters-and-newcomers", mistaken(close=plain.closes_in_silence), HANGS),
    ("CLOSE-FINAL:late-create-is-not-lent", mistaken(build=plain.builds_after_close), "should have ended with closed"),
    ("CLOSE-FINAL:released-after-close-is-not-lent", mistaken(release=plain.keeps_after_close), "never destroyed"),
    ("LEASE-ONCE:second-release-frees-nothing", mistaken(check=plain.accepts_all), "is lent to C while B holds it"),
    (
        "LEASE-ONCE:one-of-two-racing-releases-counts",
        mistaken(release=plain.releases_without_lock),
        "is lent to D while C holds it",
    ),
    (
        "LEASE-IDENTITY:late-release-takes-nothing-from-the-next-holder",
        plain.ByResource,
        "is lent to C while B holds it",
    ),
    ("LEASE-IDENTITY:late-discard-destroys-nothing-of-the-next-holder", plain.ByResource, "destroyed while B holds it"),
    ("LEASE-IDENTITY:lease-may-be-ended-elsewhere", plain.OwnThreadOnly, "not your lease"),
    (
        "LEASE-IDENTITY:lease-of-another-pool-is-refused",
        mistaken(check=plain.accepts_foreign),
        "is lent by that one now",
    ),
    (
        "LEASE-IDENTITY:random-sequences-follow-the-model",
        mistaken(release=plain.ignores_stale),
        "a second release was accepted",
    ),
    ("STALE-UNCHANGED:second-release-is-an-error", mistaken(release=plain.ignores_stale), "accepted without an error"),
    (
        "STALE-UNCHANGED:release-after-discard-is-an-error",
        mistaken(release=plain.ignores_stale),
        "accepted without an error",
    ),
    ("WAIT-DEADLINE:deadline-ends-the-wait", with_timeout(lambda timeout: None), HANGS),
    (
        "WAIT-DEADLINE:deadline-ends-the-wait",
        with_timeout(lambda timeout: timeout and timeout / 10),
        "before its deadline",
    ),
    (
        "WAIT-DEADLINE:no-timeout-beside-a-free-resource",
        mistaken(acquire=plain.too_hasty),
        "should have returned a lease",
    ),
    ("TIMEOUT-VALUES:zero-does-not-wait", with_timeout(lambda timeout: timeout or None), HANGS),
    (
        "TIMEOUT-VALUES:nonsense-is-refused",
        with_timeout(lambda timeout: timeout if timeout is None or timeout > 0 else 0),
        "ValueError",
    ),
    ("CLOCK-ONLY:wall-clock-may-jump", mistaken(wait=plain.by_the_wall_clock), HANGS),
    (
        "NO-CALLS-UNDER-LOCK:others-go-on-while-create-runs",
        mistaken(build=plain.builds_under_lock),
        "waits for the create",
    ),
    (
        "NO-CALLS-UNDER-LOCK:others-go-on-while-destroy-runs",
        mistaken(discard=plain.destroys_under_lock),
        "waits for the destroy",
    ),
    (
        "NO-CALLS-UNDER-LOCK:callbacks-may-use-the-pool",
        promising(kind=type("K", (plain.Unforgiving,), {"build": plain.creates_under_lock})),
        HANGS,
    ),
    ("IDENTITY-ONLY:equal-resources-are-different", mistaken(release=plain.skips_equal), "3 slots at a limit of 2"),
    ("IDENTITY-ONLY:falsy-resources-are-resources", mistaken(release=plain.skips_falsy), "3 slots at a limit of 2"),
    ("IDENTITY-ONLY:none-is-a-resource", mistaken(release=plain.skips_none), "a free one was lost"),
    ("RESOURCES-UNTOUCHED:resources-are-asked-for-nothing", mistaken(release=plain.logs), "asked a resource"),
    (
        "ERRORS-UNCHANGED:error-of-create-reaches-the-caller",
        mistaken(build=plain.wraps),
        "acquire ended with RuntimeError",
    ),
    (
        "CANCELLATION-SURVIVES:interruption-of-create-reaches-the-caller",
        mistaken(build=plain.swallows),
        "acquire ended with RuntimeError",
    ),
    ("FAULTS-CONTAINED:error-of-destroy-stays-inside", mistaken(discard=plain.destroys_loudly), "cannot close"),
    ("FAULTS-CONTAINED:error-of-reset-stays-inside", own.ResetsLate, "cannot reset"),
    (
        "INPUTS-VALIDATED:nonsense-makes-no-pool",
        mistaken(__init__=plain.checks_nothing),
        "a pool was made with max_size=-1",
    ),
    ("INPUTS-YOURS:given-list-stays-the-callers", own.EatsTheList, "changed the list"),
    ("BUILT-UNDONE:failed-construction-leaves-nothing", own.LeavesRuins, "were never destroyed"),
    ("COUNTS-RECOUNT:counts-equal-a-recount", own.Miscounts, "waiting 1, and a recount says 0"),
    ("WORK-CONSERVING:release-serves-each-waiter", mistaken(release=plain.tells_nobody), "waits for ever"),
    ("WORK-CONSERVING:timed-out-waiter-takes-no-wakeup-along", mistaken(withdraw=plain.keeps_dead_waiters), HANGS),
    ("WORK-CONSERVING:wakeups-survive-races-with-deadlines", mistaken(withdraw=plain.keeps_dead_waiters), HANGS),
    ("WORK-CONSERVING:added-resource-serves-a-waiter", own.ignoring("add"), HANGS),
    ("WAIT-ENDS:crowd-gets-through", promising(kind=plain.Forgetful), HANGS),
    ("WITHDRAW-PROMPT:deadline-does-not-wait-for-anothers-create", mistaken(build=plain.builds_under_lock), HANGS),
    ("FAILURE-PROGRESS:failed-create-lets-the-next-one-build", mistaken(leave=plain.leaves_in_silence), HANGS),
    ("FAILURE-PROGRESS:discard-serves-a-waiter", mistaken(leave=plain.leaves_in_silence), HANGS),
    ("CHECK-TERMINATES:always-failing-check-ends", own.TriesForEver, "would have gone on"),
    ("CREATE-DEMAND:free-one-is-used-again", mistaken(release=plain.never_reuses), "20 creates for one caller"),
    ("MIN-SIZE:min-size-is-restored", own.without("min_size"), "0 were built at construction"),
    ("RESIZE-BOTH-WAYS:resize-acts-both-ways", own.ignoring("resize"), HANGS),
    ("CLOSE-TERMINATES:close-does-not-wait-for-holders", promising(kind=plain.Waiting), HANGS),
    ("CLOSE-TERMINATES:close-may-be-repeated", mistaken(close=plain.closes_again), "destroy was called twice"),
    ("LEASE-ABANDONED:forgotten-lease-gives-its-slot-back", promising("abandoned-leases"), HANGS),
    ("GC-SAFE:finalizer-releases-at-every-point", promising("gc", kind=plain.Unforgiving), HANGS),
    ("SIGNAL-SAFE:handler-uses-the-pool-at-every-point", promising("signals", kind=plain.Unforgiving), HANGS),
    ("ASYNC-EXCEPTION-SAFE:exception-at-every-point", promising("async-exceptions"), "this happened at point"),
    ("FORK-SAFE:child-gets-resources-of-its-own", promising("fork"), "in the forked child"),
    ("COLLECTABLE:forgotten-pool-is-collected", promising("collectable"), "destroyed 0 of its 2 free resources"),
    ("EXIT-FREE:process-ends", "conformance.broken_plain:stays", "did not end"),
    ("THREADS-BOUNDED:no-thread-per-operation", promising(kind=plain.Threads), "more threads after 90 more operations"),
    ("NO-CALLS-UNDER-LOCK:others-go-on-while-reset-runs", own.Serial, "waits for the reset"),
    ("NO-CALLS-UNDER-LOCK:others-go-on-while-check-runs", own.Serial, "waits for the check"),
    ("CANCELLATION-SURVIVES:interruption-of-reset-reaches-the-caller", own.Unstoppable, "release ended with done"),
    ("FAILURE-PROGRESS:detach-serves-a-waiter", own.KeepsSlot, HANGS),
    ("FAILURE-PROGRESS:failed-reset-serves-a-waiter", own.LosesUnclean, HANGS),
]
# These leave a thread behind that hangs while it is traced. CPython 3.12 crashes when another thread is traced after
# that, so there each of them has a process of its own.
STRUCK = ("GC-SAFE", "SIGNAL-SAFE", "ASYNC-EXCEPTION-SAFE")
PATIENCE = 0.6  # half of it is enough where everything is known to hang


@pytest.mark.parametrize(
    ("name", "factory", "reason"), [pytest.param(*each, id=f"{each[0]}-{number}") for number, each in enumerate(BROKEN)]
)
def test_broken_promise_is_found(name: str, factory: Any, reason: str, request: pytest.FixtureRequest) -> None:
    if name.partition(":")[0] in STRUCK and sys.version_info[:2] == (3, 12) and request.config.option.keyword != name:
        again = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-k", name, str(request.path)]
        environment = {each: value for each, value in os.environ.items() if not each.startswith("PYTEST_")}
        done = subprocess.run(again, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert "1 passed" in done.stdout, done.stdout
        return
    pool = subject(factory)
    (scenario,) = chosen([name])
    assert pool.why_not(scenario.needs) is None
    with quiet():
        result = attempt(scenario, pool, seed=0, effort=1, patience=PATIENCE)
    assert "broken" == result.verdict, result
    assert reason in result.told


def test_every_scenario_has_a_pool_that_it_finds_out() -> None:
    assert {each.id for each in scenarios()} == {name for name, _, _ in BROKEN}
