"""The immutable core: pure functions from state to state, one for each row of spec/transitions.md.

Nothing here waits, locks, reads a clock, starts a thread, or calls anything of the user's. A function proposes a
step; whoever commits it first makes it true. Read the modules in table order, or nearly so: acquire, build, release,
duties, upkeep, change; `draft` has the balance that ends every step, `values` what a state is made of.
"""

from poolproof.core.acquire import enqueue, grant_free, refusal, withdraw
from poolproof.core.build import build_abandoned, build_failed, build_ok
from poolproof.core.change import add, await_closed, begin, close, leave_closers, remove, renew, resize
from poolproof.core.duties import adopt, destroyed, inspect, orphan, reset_failed, reset_ok
from poolproof.core.release import abandon, check_failed, detach, discard, release, release_quiet, revoke
from poolproof.core.upkeep import expire, refill, retry, shrink

__all__ = [
    "abandon",
    "add",
    "adopt",
    "await_closed",
    "begin",
    "build_abandoned",
    "build_failed",
    "build_ok",
    "check_failed",
    "close",
    "destroyed",
    "detach",
    "discard",
    "enqueue",
    "expire",
    "grant_free",
    "inspect",
    "leave_closers",
    "orphan",
    "refill",
    "refusal",
    "release",
    "release_quiet",
    "remove",
    "renew",
    "reset_failed",
    "reset_ok",
    "resize",
    "retry",
    "revoke",
    "shrink",
    "withdraw",
]
