"""A trace recounted from its rows, in plain code that shares nothing with the model or the pool."""

from __future__ import annotations

from poolproof.replay.findings import Finding
from poolproof.reports import PoolEvent, PoolSetup, PoolStats

GRANTS = frozenset(("GRANT-FREE", "HAND-OFF"))
LEASE_ENDS = frozenset(
    ("RELEASE", "RELEASE-RESET", "DISCARD", "ABANDON", "DETACH", "REVOKE", "CHECK-FAILED", "CHECK-REFUSED")
)
ARRIVALS = frozenset(("BUILD-OK", "BUILD-LATE", "ADD"))
DEPARTURES = frozenset(("DETACH", "DESTROYED"))
NUMBERED = frozenset(("BUILD-START", "REFILL", "ADD"))
MOST_FINDINGS = 20


class Recount:
    """Who holds what, who waits, and which resources are there, according to the rows alone."""

    def __init__(self, setup: PoolSetup) -> None:
        self.created, self.added, self.detached, self.destroyed = setup.built, setup.given, 0, 0
        self.grants = self.hand_offs = 0
        self.there: set[int | None] = set(range(1, setup.built + setup.given + 1))
        self.slots_seen = set(self.there)
        self.tickets_seen: set[int | None] = set()
        self.holders: dict[int | None, int | None] = {}
        self.queue: list[int | None] = []
        self.findings: list[Finding] = []
        self.version = 0

    def follow(self, event: PoolEvent) -> None:
        self.version = event.version
        for row, slot, ticket in event.fired:
            if row in GRANTS:
                self.granted(row, slot, ticket)
            elif row in LEASE_ENDS:
                self.ended(row, slot, ticket)
            if row in NUMBERED:
                self.expect(slot not in self.slots_seen, "LEASE-IDENTITY", f"{row}: slot {slot} was there before")
                self.slots_seen.add(slot)
            if row in ARRIVALS or row in DEPARTURES:
                self.moved(row, slot)
            self.queued(row, ticket)

    def granted(self, row: str, slot: int | None, ticket: int | None) -> None:
        """One slot, one lease; nobody overtakes.  [EXCLUSIVE] [WAIT-FIFO] [ONE-OUTCOME]"""
        self.grants += 1
        holder = self.holders.get(slot)
        self.expect(holder is None, "EXCLUSIVE", f"{row}: slot {slot} to ticket {ticket} while {holder} holds it")
        self.expect(slot in self.there, "EXCLUSIVE", f"{row}: slot {slot} to ticket {ticket}, and it is not there")
        self.expect(ticket not in self.holders.values(), "ONE-OUTCOME", f"{row}: ticket {ticket} holds a slot already")
        first = self.queue[0] if self.queue else None
        if row == "HAND-OFF":
            self.hand_offs += 1
            what = f"HAND-OFF to ticket {ticket}, but {first} has waited longest"
            self.expect(ticket == first, "WAIT-FIFO", what)
        else:
            self.expect(first is None, "WAIT-FIFO", f"GRANT-FREE to ticket {ticket} overtakes {first}, which waits")
            self.arrived(row, ticket)
        self.holders[slot] = ticket

    def ended(self, row: str, slot: int | None, ticket: int | None) -> None:
        """A lease is ended once, by its own number.  [LEASE-ONCE]"""
        holder = self.holders.pop(slot, None)
        what = f"{row} of slot {slot} by ticket {ticket}, but {holder or 'nobody'} holds it"
        self.expect(holder is not None and holder == ticket, "LEASE-ONCE", what)

    def moved(self, row: str, slot: int | None) -> None:
        """A resource comes once and leaves once.  [CONSERVATION]"""
        if row in ARRIVALS:
            self.expect(slot not in self.there, "CONSERVATION", f"{row}: slot {slot} holds a resource already")
            self.there.add(slot)
            self.created, self.added = self.created + (row != "ADD"), self.added + (row == "ADD")
        else:
            self.expect(slot in self.there, "CONSERVATION", f"{row}: slot {slot} holds no resource")
            holder = self.holders.get(slot)
            self.expect(holder is None, "EXCLUSIVE", f"{row}: slot {slot}, which ticket {holder} holds")
            self.there.discard(slot)
            self.detached, self.destroyed = self.detached + (row == "DETACH"), self.destroyed + (row == "DESTROYED")

    def queued(self, row: str, ticket: int | None) -> None:
        """Who waits, in which order."""
        if row == "QUEUE":
            self.arrived(row, ticket)
            self.queue.append(ticket)
        elif row == "CHECK-FAILED":
            self.queue.insert(0, ticket)
        elif row in ("HAND-OFF", "WITHDRAW", "BUILD-FAILED") and ticket in self.queue:
            self.queue.remove(ticket)
        elif row == "CLOSE":
            self.queue.clear()
        elif row == "CLOSED":
            self.expect(not self.there, "CLOSE-TERMINATES", f"closed with resources in slots {sorted_text(self.there)}")

    def arrived(self, row: str, ticket: int | None) -> None:
        self.expect(ticket not in self.tickets_seen, "LEASE-IDENTITY", f"{row}: ticket {ticket} was there before")
        self.tickets_seen.add(ticket)

    def compare(self, stats: PoolStats) -> None:
        """The totals that the pool tells are those recounted.  [CONSERVATION]"""
        self.version = stats.version
        for name in ("created", "added", "detached", "destroyed"):
            told, counted = getattr(stats, name), getattr(self, name)
            self.expect(told == counted, "CONSERVATION", f"stats say {name} {told}, recounted {counted}")
        told, counted = stats.live - stats.creating, len(self.there)
        self.expect(told == counted, "CONSERVATION", f"stats say {told} resources are there, recounted {counted}")

    def expect(self, holds: bool, clause: str, what: str) -> None:
        if not holds and len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(clause, self.version, what))


def sorted_text(numbers: set[int | None]) -> str:
    return " ".join(sorted(map(str, numbers)))
