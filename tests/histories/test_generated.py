"""Histories of random runs of the model, and such with one mistake in them, before both checkers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.mutations import MUTATIONS, Mutation
from histories.simulated import simulate
from poolmodel.state import Config
from poolproof.conformance.history import Judge, Rules
from poolproof.conformance.history.events import ACQUIRES

CONFIGS = [
    Config(limit=1),
    Config(limit=2),
    Config(limit=2, order="fifo"),
    Config(limit=2, reset=True),
    Config(limit=2, check=True),
    Config(limit=1, max_waiting=1),
    Config(limit=2, factory=False),
    Config(limit=2, factory=False, when_empty="raise"),
]
SEEDS = 40  # for each configuration and mutation


@given(st.sampled_from(CONFIGS), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_whatever_the_model_does_is_explained(config: Config, threads: int, rounds: int, seed: int) -> None:
    history = simulate(config, Random(seed), threads, rounds)
    verdict = JUDGE(history)
    assert verdict.holds, f"seed {seed}\n{verdict}"


JUDGE = Judge()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_both_checkers_agree_on_mistakes_and_reject_their_share(mutation: Mutation) -> None:
    """Judge raises CheckersDisagree if the checkers differ in the verdict, or in how far they can explain."""
    mutated = rejected = 0
    for config in CONFIGS:
        for seed in range(SEEDS):
            random = Random(seed)
            wrong = mutation(simulate(config, random), random)
            if wrong is not None:
                mutated += 1
                rejected += not JUDGE(wrong).holds
    assert mutated >= 2 * SEEDS
    assert rejected >= MUTATIONS[mutation] * mutated, f"{rejected} of {mutated}"


def test_the_stuck_rule_finds_every_deadlock_and_plain_linearizability_none() -> None:
    """Of a pool some of whose waiters are never woken. What happens to all others is right."""
    plain, found, deadlocks = Judge(Rules(stuck=False)), 0, 0
    for config in CONFIGS:
        if not config.factory:  # whoever discards takes everything away, and others rightly wait for good
            continue
        for seed in range(SEEDS):
            history = simulate(config, Random(seed), deaf=True)
            outcomes = history.outcomes()
            stuck = [call for op, call in history.calls().items() if op not in outcomes and call.kind in ACQUIRES]
            if stuck:
                deadlocks += 1
                assert plain(history).holds, str(plain(history))
                found += not JUDGE(history).holds
    assert deadlocks >= 2 * SEEDS
    assert deadlocks == found


def test_generated_histories_are_worth_judging() -> None:
    """They overlap, they end in every way, and some end in waiting."""
    outcomes: set[str] = set()
    overlapping = pending = 0
    for config in CONFIGS:
        for seed in range(SEEDS):
            history = simulate(config, Random(seed))
            outcomes |= {outcome.kind for outcome in history.outcomes().values()}
            kinds = [type(entry).__name__ for entry in history.entries]
            overlapping += "CallCallCall" in "".join(kinds)
            pending += len(history.calls()) > len(history.outcomes())
    wanted = {"lease", "nothing", "AcquireTimeout", "PoolClosed", "PoolBusy", "PoolEmpty", "raised", "StaleLease"}
    wanted |= {"LeaseRevoked", "CheckFailed", "PoolFull", "done", "told", "resource", "good", "bad"}
    assert wanted <= outcomes, wanted - outcomes
    assert overlapping > SEEDS
    assert pending > 2
