"""Bugs to plant into the shipped code, each with the complaint that it has to end in.

    python tests/uncontrolled/planted.py "wake-up lost" SEED

plants one and puts the pool under load until the complaint is heard. In a process of its own, because a broken pool
leaves threads behind that hang, and leases that nobody can end.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from poolproof import core
from poolproof.core.draft import Draft
from poolproof.core.values import Destroy, read
from poolproof.driver import Driver
from poolproof.lease import Lease
from poolproof.runtime.threads import ThreadAtom
from poolproof.waiting import Waiter
from poolproof.work import Duty
from uncontrolled.load import Load

Patch = Callable[[pytest.MonkeyPatch], None]


class Bug(NamedTuple):
    """What is wrong, how it is planted, and a complaint that names what it breaks."""

    name: str
    plant: Patch
    complaint: str
    observed: bool = False


def commit_without_looking(patch: pytest.MonkeyPatch) -> None:
    """The commit replaces the state whether or not it is still the one that was read."""
    genuine = ThreadAtom.commit
    patch.setattr(ThreadAtom, "commit", lambda self, old, *rest: genuine(self, self.value, *rest))


def commit_outside_the_lock(patch: pytest.MonkeyPatch) -> None:
    """The commit looks, and then writes, and others may come between."""

    def commit(self: ThreadAtom, old: Any, new: Any, moves: Any, wakes: Any) -> bool:
        if self.value is not old:
            return False
        for _ in range(5):
            pass
        self.value = new
        for cell, record in moves:
            cell.record = record
        for ticket in wakes:
            ticket.parker.unpark()
        return True

    patch.setattr(ThreadAtom, "commit", commit)


def double_hand_out(patch: pytest.MonkeyPatch) -> None:
    """What is granted stays in the free list."""
    genuine = core.grant_free

    def grant_free(state: Any, *rest: Any) -> Any:
        granted = genuine(state, *rest)
        if granted is None:
            return None
        (version, _, _, ledger), slot, hold = granted
        return (version, *state[1:3], ledger), slot, hold

    patch.setattr("poolproof.pool.grant_free", grant_free)
    patch.setattr(core, "grant_free", grant_free)


def stale_release_accepted(patch: pytest.MonkeyPatch) -> None:
    """A lease is ended by whatever stands in its slot, not by the very record that it was granted."""
    patch.setattr("poolproof.driver.current_record", lambda slot, hold: read(slot))
    patch.setattr(Lease, "release", Lease._release_slowly)


def wake_up_lost(patch: pytest.MonkeyPatch) -> None:
    """Nobody who is granted a slot, or assigned a build, is told."""
    genuine = ThreadAtom.commit
    patch.setattr(ThreadAtom, "commit", lambda self, old, new, moves, wakes: genuine(self, old, new, moves, ()))


def timeout_eats_the_grant(patch: pytest.MonkeyPatch) -> None:
    """Whoever finds the deadline passed says so, and leaves behind what it was granted."""
    patch.setattr(Waiter, "withdraw", lambda self: (GENUINE_WITHDRAW(self), True)[1])
    patch.setattr(Waiter, "cancel", lambda self: None)


GENUINE_WITHDRAW = Waiter.withdraw


def failed_build_keeps_its_slot(patch: pytest.MonkeyPatch) -> None:
    """When create raises, its caller is told, and the slot stays creating for ever."""
    genuine = Driver.settle

    def settle(self: Driver, slot: Any, hold: Any, row: Any, **extra: Any) -> Any:
        if row is core.build_failed:
            raise extra["error"]
        return genuine(self, slot, hold, row, **extra)

    patch.setattr(Driver, "settle", settle)
    patch.setattr(Duty, "forsake", lambda self: None)


def destroyed_twice(patch: pytest.MonkeyPatch) -> None:
    """The work is done again by whoever asked for it."""
    genuine = Driver.dispatch

    def dispatch(self: Driver, duty: Duty) -> None:
        if isinstance(duty.effect, Destroy) and self.settings.destroy is not None:
            self.settings.destroy(duty.slot.resource)
        genuine(self, duty)

    patch.setattr(Driver, "dispatch", dispatch)


def limit_ignored(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits gets a build, whatever the limit."""
    patch.setattr(Draft, "short", property(lambda self: self.phase == "open" and self.creating < self.waiting))


def close_without_refusing(patch: pytest.MonkeyPatch) -> None:
    """Close leaves those alone who wait."""
    genuine = ThreadAtom.commit

    def commit(self: ThreadAtom, old: Any, new: Any, moves: Any, wakes: Any) -> bool:
        closes = old[3].phase == "open" != new[3].phase
        return genuine(self, old, new, moves, () if closes else wakes)

    patch.setattr(ThreadAtom, "commit", commit)


# What a race between two commits leads to is chance; that the accounts are wrong afterwards is not.
ANY = "EXCLUSIVE|CONSERVATION|TRACE-REPLAYS|SNAPSHOT-CONSISTENT|DESTROY-ONCE|WAIT-ENDS: everybody sleeps"
DEADLOCK = "WAIT-ENDS: everybody sleeps and nobody will wake them"

BUGS = [
    Bug("commit without looking", commit_without_looking, ANY, observed=True),
    Bug("commit outside the lock", commit_outside_the_lock, ANY, observed=True),
    Bug("double hand-out", double_hand_out, "EXCLUSIVE: a resource has two users"),
    Bug("stale release accepted", stale_release_accepted, "LEASE-ONCE: a lease is ended twice"),
    Bug("wake-up lost", wake_up_lost, DEADLOCK),
    Bug("timeout eats the grant", timeout_eats_the_grant, f"{DEADLOCK}|CONSERVATION: something is left behind"),
    Bug("failed build keeps its slot", failed_build_keeps_its_slot, f"{DEADLOCK}|CONSERVATION: something is left"),
    Bug("destroyed twice", destroyed_twice, "DESTROY-ONCE"),
    Bug("limit ignored", limit_ignored, "TRACE-REPLAYS", observed=True),
    Bug("close without refusing", close_without_refusing, DEADLOCK),
]

ROUNDS = 300


def hunt(bug: Bug, seed: str) -> str:
    """The first complaint of the expected kind; if there is none, what was heard instead."""
    bug.plant(pytest.MonkeyPatch())
    heard: list[str] = []
    for number in range(ROUNDS):
        found = Load(f"{seed} {number}", steps=200, observed=bug.observed, watchdog=5.0).run()
        for fault in found:
            if re.search(bug.complaint, fault):
                return f"found in round {number}: {fault}"
        heard = found or heard
    return f"not found in {ROUNDS} rounds; what was heard last: {heard}"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(hunt(next(bug for bug in BUGS if bug.name == sys.argv[1]), sys.argv[2]), flush=True)
    os._exit(0)  # without waiting for whoever hangs
