"""Histories in pairs: one that a right pool may have, and one that differs from it little and breaks one clause."""

from __future__ import annotations

from dataclasses import dataclass

from histories.writing import written
from poolmodel.state import Config
from poolproof.conformance.history import History


@dataclass(frozen=True)
class Pair:
    """``good`` and ``bad`` go on after ``start``; ``why`` is what the verdict on the bad one must say."""

    name: str
    clause: str
    good: str
    bad: str
    why: str
    start: str = ""
    config: Config = Config(limit=1)  # noqa: RUF009
    given: tuple[int, ...] = (1,)

    def history(self, text: str) -> History:
        return written(self.start + text, self.config, self.given)


ONE = Config(limit=1, factory=False)
TWO = Config(limit=2, factory=False)
HELD = "A x=acquire\nA -> lease r1\n"
BUILT = "A x=acquire\nA create\nA -> r1\nA -> lease r1\n"
WAITS = HELD + "B y=acquire\nB waits\n"
GIVEN_BACK = "A release x\nA -> done\n"
GONE = "A discard x\nA destroy r1\nA -> done\nA -> done\n"

SEEN = "C stats\nC -> told creating=1 waiting=1\n"

PAIRS = [
    Pair(
        "two leases of one resource", "EXCLUSIVE", start=HELD,
        good="A release x\nB y=acquire\nB -> lease r1\nA -> done",
        bad="B y=acquire\nB -> lease r1\nA release x\nA -> done", why="entry 4: B: 2 acquire() → lease r1",
    ),
    Pair(
        "a lease is ended twice", "LEASE-ONCE", start=HELD + GIVEN_BACK,
        good="A release x\nA -> StaleLease", bad="A release x\nA -> done", why="release(lease 1) → done",
    ),
    Pair(
        "a stale release gives away what somebody else holds", "LEASE-IDENTITY", config=ONE,
        start=HELD + GIVEN_BACK + "B y=acquire\nB -> lease r1\nA release x\nA -> StaleLease\n",
        good="C try_acquire\nC -> nothing", bad="C try_acquire\nC -> lease r1", why="try_acquire(timeout 0) → lease r1",
    ),
    Pair(
        "an ended lease still shows its resource", "STALE-UNCHANGED", start=HELD + GIVEN_BACK,
        good="A resource x\nA -> StaleLease", bad="A resource x\nA -> r1", why="resource(lease 1) → resource r1",
    ),
    Pair(
        "a timeout beside a free resource", "WAIT-DEADLINE", config=ONE,
        good=HELD + "B acquire timeout=5\nB -> AcquireTimeout\n" + GIVEN_BACK,
        bad=HELD + GIVEN_BACK + "B acquire timeout=5\nB -> AcquireTimeout\n", why="→ AcquireTimeout",
    ),
    Pair(
        "a timeout beside a build that was never begun", "WAIT-DEADLINE", given=(),
        good="A acquire timeout=5\nA create\nA -> raised 1\nA -> raised 1",
        bad="A acquire timeout=5\nA -> AcquireTimeout", why="acquire(timeout 5) → AcquireTimeout",
    ),
    Pair(
        "a timeout with a build from the very beginning", "WAIT-DEADLINE", given=(), config=Config(limit=1),
        start="A x=acquire\nA create\nA -> r1\nA -> lease r1\n",
        good="B acquire timeout=5\nB waits\nA detach x\nA -> r1\n" + SEEN + "B -> AcquireTimeout",
        bad="A detach x\nA -> r1\nB acquire timeout=5\n" + SEEN + "B -> AcquireTimeout",
        why="acquire(timeout 5) → AcquireTimeout",
    ),
    Pair(
        "nothing to be had at once, beside unused capacity", "TIMEOUT-VALUES", given=(),
        good="A try_acquire\nA create\nA -> r1\nA -> lease r1", bad="A try_acquire\nA -> nothing", why="→ nothing",
    ),
    Pair(
        "a lost wake-up", "PROMPT-GRANT", start=WAITS + GIVEN_BACK,
        good="B -> lease r1", bad="", why="2 acquire() never returns, although it was granted r1",
    ),
    Pair(
        "a deadline that never passes", "WITHDRAW-PROMPT", start=HELD + "B acquire timeout=5\nB waits\n",
        good="B -> AcquireTimeout", bad="", why="although its deadline can pass",
    ),
    Pair(
        "a newcomer overtakes", "WAIT-FIFO", start=WAITS + "C z=acquire\nC waits\n" + GIVEN_BACK,
        good="B -> lease r1", bad="C -> lease r1", why="acquire() → lease r1",
    ),
    Pair(
        "a timeout eats the grant", "ONE-OUTCOME", config=ONE,
        start=HELD + "B acquire timeout=5\nB waits\n" + GIVEN_BACK + "B -> AcquireTimeout\n",
        good="C try_acquire\nC -> lease r1", bad="C try_acquire\nC -> nothing", why="try_acquire(timeout 0) → nothing",
    ),
    Pair(
        "a grant after close", "CLOSE-REFUSES", config=ONE,
        start="A close\nA destroy r1\nA -> done\nA -> told closed=True\n",
        good="B acquire\nB -> PoolClosed", bad="B acquire\nB -> lease r1", why="acquire() → lease r1",
    ),
    Pair(
        "close leaves a waiter waiting", "CLOSE-REFUSES", start=WAITS + "C close\nC -> told closed=False\n" + (
            "A release x\nA destroy r1\nA -> done\nA -> done\n"
        ),
        good="B -> PoolClosed", bad="", why="although it met with PoolClosed",
    ),
    Pair(
        "close returns before it is closed", "CLOSE-REPORTS", start=HELD,
        good="B close grace=0\nB -> told closed=False", bad="B close grace=none\nB -> told closed=False",
        why="close() → told closed False",
    ),
    Pair(
        "a closer hangs on a closed pool", "CLOSE-TERMINATES", start=HELD + "B close grace=none\n" + (
            "A release x\nA destroy r1\nA -> done\nA -> done\n"
        ),
        good="B -> told closed=True", bad="", why="2 close() never returns, although it has nothing to wait for",
    ),
    Pair(
        "capacity is lost with a failed create", "FAILURE-PROGRESS", given=(),
        start="A acquire\nA create\nA -> raised 1\nB y=acquire\nB waits\nA -> raised 1\n",
        good="B create\nB -> r1\nB -> lease r1", bad="", why="a build is due, and nobody calls create",
    ),
    Pair(
        "a failed create is followed by a refusal", "FAILURE-PROGRESS", given=(),
        start="A acquire\nA create\nA -> raised 1\nA -> raised 1\n",
        good="B try_acquire\nB create\nB -> r1\nB -> lease r1", bad="B try_acquire\nB -> nothing", why="→ nothing",
    ),
    Pair(
        "another exception than that of create", "ERRORS-UNCHANGED", given=(),
        start="A acquire\nA create\nA -> raised 1\n",
        good="A -> raised 1", bad="A -> raised 2", why="acquire() → raised exception 2",
    ),
    Pair(
        "more than the limit", "CAPACITY", given=(), start=BUILT,
        good="B try_acquire\nB -> nothing", bad="B acquire\nB create\nB -> r2\nB -> lease r2", why="create() is called",
    ),
    Pair(
        "capacity is free before destroy has ended", "CAPACITY-UNTIL-DESTROYED", given=(),
        start=BUILT + "B y=acquire\nB waits\nA discard x\nA destroy r1\n",
        good="A -> done\nB create\nA -> done\nB -> r2\nB -> lease r2",
        bad="B create\nA -> done\nA -> done\nB -> r2\nB -> lease r2", why="create() is called",
    ),
    Pair(
        "a resource is destroyed twice", "DESTROY-ONCE", start=HELD + GONE,
        good="", bad="B maintain\nB destroy r1\nB -> done\nB -> done", why="destroy(r1) is called",
    ),
    Pair(
        "a discarded resource is never destroyed", "DESTROY-ONCE", start=HELD,
        good=GONE, bad="A discard x\nA -> done", why="r1 is discarded, and whoever owns the work does not do it",
    ),
    Pair(
        "a detached resource is destroyed", "DETACH-KEEPS", start=HELD,
        good="A detach x\nA -> r1", bad="A detach x\nA destroy r1\nA -> done\nA -> r1", why="destroy(r1) is called",
    ),
    Pair(
        "a resource is used again without its reset", "RESET-BEFORE-REUSE", config=Config(limit=1, reset=True),
        start=HELD,
        good="A release x\nA reset r1\nA -> done\nA -> done\nB acquire\nB -> lease r1",
        bad="A release x\nA -> done\nB acquire\nB -> lease r1", why="acquire() → lease r1",
    ),
    Pair(
        "the reset that a lease brought is left out", "RESET-BEFORE-REUSE", config=Config(limit=1, lease_reset=True),
        start="A x=acquire own_reset\nA -> lease r1\n",
        good="A release x\nA reset r1\nA -> done\nA -> done\nB acquire\nB -> lease r1",
        bad="A release x\nA -> done\nB acquire\nB -> lease r1", why="acquire() → lease r1",
    ),
    Pair(
        "a resource whose reset failed is used again", "CALLBACK-FAULTS",
        config=Config(limit=1, reset=True, factory=False), start=HELD + "A release x\nA reset r1\nA -> raised 1\n",
        good="A destroy r1\nA -> done\nA -> done\nB try_acquire\nB -> nothing",
        bad="A -> done\nB try_acquire\nB -> lease r1", why="try_acquire(timeout 0) → lease r1",
    ),
    Pair(
        "a removed resource is granted", "REMOVE-LEAVES", config=ONE,
        start="A remove r1\nA destroy r1\nA -> done\nA -> done\n",
        good="B try_acquire\nB -> nothing", bad="B try_acquire\nB -> lease r1", why="→ lease r1",
    ),
    Pair(
        "a resource outlives expire_all", "RENEW-ALL", config=ONE, start=HELD + "B expire_all\nB -> done\n",
        good="A release x\nA destroy r1\nA -> done\nA -> done", bad=GIVEN_BACK + "B try_acquire\nB -> lease r1",
        why="try_acquire(timeout 0) → lease r1",
    ),
    Pair(
        "a greater limit wakes nobody", "RESIZE-BOTH-WAYS", given=(),
        start=BUILT + "B y=acquire\nB waits\nC resize 2\nC -> done\n",
        good="B create\nB -> r2\nB -> lease r2", bad="", why="a build is due, and nobody calls create",
    ),
    Pair(
        "a surplus is forgotten", "RESIZE-BOTH-WAYS", config=TWO, given=(1, 2),
        start=HELD + "B y=acquire\nB -> lease r2\nC resize 1\nC -> done\n",
        good="A release x\nA destroy r1\nA -> done\nA -> done", bad=GIVEN_BACK + "C try_acquire\nC -> lease r1",
        why="→ lease r1",
    ),
    Pair(
        "numbers of two instants", "SNAPSHOT-CONSISTENT", config=TWO, given=(1, 2), start=HELD,
        good="B stats\nB -> told free=1 checked_out=1", bad="B stats\nB -> told free=2 checked_out=1",
        why="stats() → told checked_out 1, free 2",
    ),
    Pair(
        "a check that fails costs the turn", "CHECK-KEEPS-TURN", config=Config(limit=1, check=True),
        start="A acquire\nA check r1\nA -> bad\nA destroy r1\nA -> done\n",
        good="A create\nA -> r2\nA check r2\nA -> good\nA -> lease r2", bad="A -> CheckFailed",
        why="acquire() → CheckFailed",
    ),
    Pair(
        "a check is not asked", "NEVER-STALE", config=Config(limit=1, check=True), start="",
        good="A acquire\nA check r1\nA -> good\nA -> lease r1", bad="A acquire\nA -> lease r1", why="→ lease r1",
    ),
    Pair(
        "a grant that a close revoked is checked twice", "NEVER-STALE", config=Config(limit=1, check=True),
        start="A acquire\nB close force\nB destroy r1\nB -> done\nB -> told closed=True\nA check r1\nA -> bad\n",
        good="A -> PoolClosed", bad="A check r1\nA -> bad\nA -> PoolClosed", why="check(r1) is called",
    ),
    Pair(
        "a check that a close overtook is called again", "NEVER-STALE", config=Config(limit=1, check=True),
        start="A acquire\nA check r1\nB close force\nB destroy r1\nB -> done\nB -> told closed=True\nA -> good\n",
        good="A -> PoolClosed", bad="A check r1\nA -> bad\nA -> PoolClosed", why="check(r1) is called",
    ),
    Pair(
        "a fresh resource is checked for ever", "CHECK-TERMINATES", config=Config(limit=1, check=True), given=(),
        start="A acquire\nA create\nA -> r1\nA check r1\nA -> bad\nA destroy r1\nA -> done\n",
        good="A -> CheckFailed", bad="A create\nA -> r2\nA check r2\nA -> good\nA -> lease r2",
        why="create() is called",
    ),
    Pair(
        "closed is told of an open pool", "CHECK-TERMINATES", config=Config(limit=1, check=True), given=(),
        start="A acquire\nA create\nA -> r1\nA check r1\nA -> bad\nA destroy r1\nA -> done\n",
        good="B close\nB -> told closed=True\nA -> PoolClosed", bad="A -> PoolClosed\nB close\nB -> told closed=True",
        why="acquire() → PoolClosed",
    ),
    Pair(
        "the wrong free resource", "FREE-ORDER", config=TWO, given=(1, 2),
        start=HELD + "B y=acquire\nB -> lease r2\nB release y\nB -> done\n" + GIVEN_BACK,
        good="C acquire\nC -> lease r1", bad="C acquire\nC -> lease r2", why="acquire() → lease r2",
    ),
    Pair(
        "busy, although there is room to wait", "WAIT-BOUND", config=Config(limit=1, factory=False, max_waiting=1),
        start=HELD + "B y=acquire\nB waits\n",
        good="C acquire timeout=5\nC -> PoolBusy\nA release x\nB -> lease r1\nA -> done",
        bad="A release x\nB -> lease r1\nA -> done\nC acquire timeout=5\nC -> PoolBusy", why="→ PoolBusy",
    ),
    Pair(
        "empty, although a resource is out", "EMPTY-RAISES",
        config=Config(limit=1, factory=False, when_empty="raise"), start=HELD,
        good=GONE + "B acquire\nB -> PoolEmpty", bad="B acquire\nB -> PoolEmpty\n" + GONE, why="→ PoolEmpty",
    ),
    Pair(
        "a revoked lease is told that it was ended", "LEASE-REVOKED",
        start=HELD + "B close force\nB destroy r1\nB -> done\nB -> told closed=True\n",
        good="A release x\nA -> LeaseRevoked", bad="A release x\nA -> StaleLease", why="→ StaleLease",
    ),
    Pair(
        "an added resource is pooled twice", "NO-DUPLICATES", config=TWO, start=HELD,
        good="B add r1\nB -> DuplicateResource", bad="B add r1\nB -> done", why="add(r1) → done",
    ),
    Pair(
        "no room is told beside room", "CAPACITY", config=TWO, start=HELD,
        good="B add r2\nB -> done", bad="B add r2\nB -> PoolFull", why="add(r2) → PoolFull",
    ),
    Pair(
        "unowned work is slept beside", "BACKLOG-DRAINS", config=Config(limit=1, reset=True), start=WAITS,
        good="A abandon x\nA -> done\nB reset r1\nB -> done\nB -> lease r1",
        bad="A abandon x\nA -> done", why="although it could take over the work on r1",
    ),
    Pair(
        "a cancelled waiter keeps its place", "GRANT-STANDS", config=ONE,
        start=WAITS + "C z=acquire\nC waits\nB -> cancelled\n" + GIVEN_BACK,
        good="C -> lease r1", bad="", why="acquire() never returns, although it was granted r1",
    ),
]  # fmt: skip
