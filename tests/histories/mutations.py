"""One mistake put into a history. Not every result is wrong: overlap forgives much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from poolproof.conformance.history import Call, Entry, History, Outcome, Return
from poolproof.conformance.history.events import ACQUIRES, CALLBACKS, DONE, ENDS, Kind

Mutation = Callable[[History, Random], History | None]


def returns(history: History, *kinds: str) -> list[Return]:
    """The returns whose outcome is of one of *kinds*."""
    return [entry for entry in history.entries if isinstance(entry, Return) and entry.outcome.kind in kinds]


def with_entries(history: History, entries: list[Entry]) -> History:
    return replace(history, entries=tuple(entries))


def with_outcome(history: History, op: int, outcome: Outcome) -> History:
    entries = [
        Return(op, outcome) if isinstance(entry, Return) and entry.op == op else entry for entry in history.entries
    ]
    return with_entries(history, entries)


def inserted(history: History, random: Random, kind: Kind, outcome: Outcome, lease: int | None = None) -> History:
    """An operation of one more thread, at a random place behind the call that *lease* names."""
    entries = list(history.entries)
    first = 0 if lease is None else 1 + max(at for at, entry in enumerate(entries) if entry.op == lease)
    at = random.randrange(first, len(entries) + 1)
    op = 1 + max(entry.op for entry in entries)
    timeout = 0.0 if kind == "try_acquire" else None
    new: list[Entry] = [Call(op, "Z", kind, lease, timeout=timeout), Return(op, outcome)]
    return with_entries(history, entries[:at] + new + entries[at:])


def another_resource(history: History, random: Random) -> History | None:
    """An acquire returns another resource than it did."""
    leases = returns(history, "lease")
    numbers = {entry.outcome.resource for entry in leases}
    if len(numbers) < 2:
        return None
    chosen = random.choice(leases)
    other = random.choice(sorted(each for each in numbers if each not in (None, chosen.outcome.resource)))
    return with_outcome(history, chosen.op, Outcome("lease", other))


def spurious_timeout(history: History, random: Random) -> History | None:
    """Somebody asks and is told that there is nothing."""
    return inserted(history, random, "try_acquire", Outcome("nothing"))


def second_release(history: History, random: Random) -> History | None:
    """A lease that has ended is released once more, with success."""
    calls = history.calls()
    ended = [
        entry.op
        for entry in history.entries
        if isinstance(entry, Return) and calls[entry.op].kind in ENDS and entry.outcome.kind in ("done", "resource")
    ]
    if not ended:
        return None
    op = random.choice(ended)
    mutated = inserted(history, random, "release", DONE, op)
    lease = calls[op].lease
    entries = [
        entry._replace(lease=lease) if isinstance(entry, Call) and entry.thread == "Z" else entry
        for entry in mutated.entries
    ]
    return with_entries(history, entries)


def wrongly_stale(history: History, random: Random) -> History | None:
    """A release that took effect says that it did not."""
    calls = history.calls()
    done = [entry for entry in returns(history, "done") if calls[entry.op].kind in ENDS]
    return with_outcome(history, random.choice(done).op, Outcome("StaleLease")) if done else None


def never_returns(history: History, random: Random) -> History | None:
    """An acquire that succeeded hangs, and with it its thread."""
    calls = history.calls()
    last = [
        entry for entry in returns(history, "lease", "AcquireTimeout", "PoolClosed") if calls[entry.op].kind in ACQUIRES
    ]
    if not last:
        return None
    chosen = random.choice(last)
    thread, place = calls[chosen.op].thread, history.entries.index(chosen)
    leases = {chosen.op, *(op for op in calls if op > chosen.op and calls[op].thread == thread)}
    gone = {op for op, call in calls.items() if op in leases or call.lease in leases} - {chosen.op}
    entries = [
        entry
        for at, entry in enumerate(history.entries)
        if entry != chosen and not (at > place and calls[entry.op].thread == thread) and entry.op not in gone
    ]
    return with_entries(history, entries)


def lost_callback(history: History, random: Random) -> History | None:
    """A callback is not called, although the rest happens as if it had been."""
    calls = history.calls()
    found = [op for op, call in calls.items() if call.kind in CALLBACKS]
    if not found:
        return None
    op = random.choice(found)
    return with_entries(history, [entry for entry in history.entries if entry.op != op])


def wrong_numbers(history: History, random: Random) -> History | None:
    """stats() tells numbers out of the air."""
    told = tuple(sorted({"free": random.randrange(3), "live": random.randrange(3)}.items()))
    return inserted(history, random, "stats", Outcome("told", values=told))


def sooner(history: History, random: Random) -> History | None:
    """An operation is over before others are that it needed: its return moves up to just behind its call."""
    calls = history.calls()
    found = [
        entry
        for entry in returns(history, "lease", "done", "PoolClosed", "AcquireTimeout")
        if calls[entry.op].kind not in CALLBACKS
    ]
    if not found:
        return None
    chosen = random.choice(found)
    entries = [entry for entry in history.entries if entry != chosen]
    thread = calls[chosen.op].thread
    own = [at for at, entry in enumerate(entries) if calls[entry.op].thread == thread]
    behind = max(at for at in own if at < history.entries.index(chosen))
    entries.insert(behind + 1, chosen)
    return with_entries(history, entries)


# With the least share of the mutated histories that must be rejected. The rest is right all the same: an inserted
# timeout may fall where nothing was to be had, a return that moves up may pass nothing that it depended on.
MUTATIONS: dict[Mutation, float] = {
    another_resource: 0.9,
    spurious_timeout: 0.35,
    second_release: 0.99,
    wrongly_stale: 0.99,
    never_returns: 0.99,
    lost_callback: 0.9,
    wrong_numbers: 0.7,
    sooner: 0.05,
}
