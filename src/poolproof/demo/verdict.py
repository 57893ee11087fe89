"""The verdict: nothing in it is asserted, all of it is counted, each thing from another side than the pool's own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from poolproof import PoolStats
from poolproof.demo.bank import ACCOUNTS, OPENING_BALANCE, Audit, Oracle, audit
from poolproof.demo.display import Check
from poolproof.replay import Verdict, replay

if TYPE_CHECKING:
    from poolproof.demo.script import Run

MOST_BREACHES = 3


def judge(run: Run) -> list[Check]:
    """Every check on a run that is over."""
    began = time.perf_counter()
    verdict = replay(run.recorder.events(), run.recorder.snapshots())
    seconds = time.perf_counter() - began
    failures = [error for error in (run.failure, *(teller.failure for teller in run.tellers)) if error is not None]
    return [
        end_to_end(failures, len(run.tellers), run.pool.stats()),
        conservation(run.pool.stats(), verdict),
        closed_once(run.oracle),
        exclusivity(run.oracle),
        *of_trace(verdict, seconds),
        *of_money(audit(run.path), run.tally()["committed"]),
    ]


def end_to_end(failures: Iterable[BaseException], tellers: int, stats: PoolStats) -> Check:
    """Everybody came to an end, by no error but those of the script, and the pool is closed."""
    errors = [repr(error) for error in failures]
    numbers = f"{tellers} tellers, {len(errors)} unexpected errors, {stats.phase}"
    return check("graceful close", "CLOSE-TERMINATES", numbers, errors, stats.phase == "closed")


def conservation(stats: PoolStats, verdict: Verdict) -> Check:
    """Every resource that came has left, by the pool's totals and by the rows of the trace."""
    told = (stats.created, stats.added, stats.detached, stats.destroyed, stats.live)
    recounted = (verdict.created, verdict.added, verdict.detached, verdict.destroyed, verdict.left)
    numbers = f"created {told[0]} + added {told[1]} = detached {told[2]} + destroyed {told[3]}"
    breaches = breaches_of(verdict, "CONSERVATION", "CLOSE-TERMINATES", "COUNTS-RECOUNT")
    if told != recounted:
        breaches.append(f"the pool counts {told}, the rows {recounted}")
    return check("conservation", "CONSERVATION", numbers, breaches, told[0] + told[1] == told[2] + told[3])


def closed_once(oracle: Oracle) -> Check:
    """By the connections themselves: each was closed, and none twice."""
    opened, closed = len(oracle.opened), oracle.closed
    numbers = f"{opened} opened, {closed} closed, {len(oracle.wrong_closings)} closed twice"
    return check("closed exactly once", "DESTROY-ONCE", numbers, oracle.wrong_closings, opened == closed)


def exclusivity(oracle: Oracle) -> Check:
    """By the connections themselves: no two uses at a time."""
    numbers = f"{oracle.uses:,} uses of connections, {len(oracle.overlaps)} overlaps"
    return check("exclusive use", "EXCLUSIVE", numbers, oracle.overlaps, oracle.uses > 0)


def of_trace(verdict: Verdict, seconds: float) -> list[Check]:
    """By the recorded trace: recounted, and replayed through the model."""
    exclusive = breaches_of(verdict, "EXCLUSIVE", "LEASE-ONCE", "LEASE-IDENTITY", "ONE-OUTCOME")
    fifo = breaches_of(verdict, "WAIT-FIFO")
    replayed = breaches_of(verdict, "TRACE-REPLAYS")
    grants, hand_offs = f"{verdict.grants:,} grants", f"{verdict.hand_offs:,} hand-offs"
    model = f"{verdict.replayed:,} of {verdict.commits:,} commits in {seconds:.1f} s"
    whole = verdict.replayed == verdict.commits > 0
    return [
        check("exclusive grants", "LEASE-ONCE", f"{grants}, {len(exclusive)} while held", exclusive),
        check("first in, first out", "WAIT-FIFO", f"{hand_offs}, {len(fifo)} out of order", fifo),
        check("replay on the model", "TRACE-REPLAYS", model, replayed, whole),
    ]


def of_money(found: Audit, committed: int) -> list[Check]:
    """By the database: no transfer was half done, done twice, or lost."""
    money = f"{found.money:,} in {found.accounts} accounts, {ACCOUNTS * OPENING_BALANCE:,} at the start"
    booked = f"{found.transfers:,} booked, {committed:,} committed, {found.disagreeing} balances differ"
    return [
        check("the money adds up", "EXCLUSIVE", money, [], found.money == ACCOUNTS * OPENING_BALANCE),
        check(
            "transfers are booked", "RESET-BEFORE-REUSE", booked, [],
            found.transfers == committed > 0 and not found.disagreeing,
        ),
    ]  # fmt: skip


def breaches_of(verdict: Verdict, *clauses: str) -> list[str]:
    return [f"version {at}: [{clause}] {what}" for clause, at, what in verdict.findings if clause in clauses]


def check(claim: str, clauses: str, numbers: str, breaches: list[str], holds: bool = True) -> Check:
    """A line of the verdict, which holds if nothing breaches it."""
    shown = breaches[:MOST_BREACHES]
    if len(breaches) > MOST_BREACHES:
        shown.append(f"and {len(breaches) - MOST_BREACHES} more")
    return Check(claim, clauses, numbers, holds and not breaches, tuple(shown))
