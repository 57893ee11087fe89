"""Policies: which of several harmless rows is the right one. Each is a property of edges, under its clause's name.

``NO-WASTE`` is the one name that is not a clause: no sentence of the spec forbids to throw away what is still good,
the table's guards do.
"""

from __future__ import annotations

from collections.abc import Callable

from poolmodel.invariants import Edge, EdgeCheck
from poolmodel.state import Config, Slot, State, find, staying, surplus, waiting, would_be_short

POLICIES: dict[str, EdgeCheck] = {}

ACQUIRES = frozenset(("GRANT-FREE", "QUEUE", "REFUSE-CLOSED", "REFUSE-EMPTY", "REFUSE-BUSY", "REFUSE-TIMEOUT"))


def policy(name: str) -> Callable[[EdgeCheck], EdgeCheck]:
    def register(check: EdgeCheck) -> EdgeCheck:
        POLICIES[name] = check
        return check

    return register


def broken_policies(edge: Edge, config: Config) -> list[str]:
    return [name for name, holds in POLICIES.items() if not holds(edge, config)]


def subject(edge: Edge) -> Slot:
    return find(edge.before, edge.event.slot)


def may_be_free(edge: Edge) -> bool:
    return edge.before.phase == "open" and not subject(edge).unfit and not surplus(edge.before)


def has_fit_free(state: State) -> bool:
    return any(slot.state == "free" and not slot.unfit for slot in state.slots)


@policy("FREE-ORDER")
def who_finds_a_slot_gets_it(edge: Edge, config: Config) -> bool:
    """An acquire of an open pool that finds a fit free slot is neither queued nor refused.  [FREE-ORDER]"""
    turned_away = edge.event.row in ("QUEUE", "REFUSE-BUSY", "REFUSE-TIMEOUT")
    return not (turned_away and edge.before.phase == "open" and has_fit_free(edge.before))


@policy("WAIT-BOUND")
def the_bound_is_the_bound(edge: Edge, config: Config) -> bool:
    """Beyond the bound nobody waits without a build, and only there is the pool busy.  [WAIT-BOUND]"""
    if config.max_waiting is None or edge.event.ticket is None or edge.before.phase != "open":
        return True
    if edge.event.row == "QUEUE":
        built = any(each.row == "BUILD-START" for each in edge.fired)
        return waiting(edge.before) < config.max_waiting or built
    if edge.event.row not in ("REFUSE-BUSY", "REFUSE-TIMEOUT"):
        return True
    buildable = would_be_short(edge.before, config, edge.event.ticket)
    full = waiting(edge.before) >= config.max_waiting and not buildable
    return full == (edge.event.row == "REFUSE-BUSY") or (buildable and edge.event.row == "REFUSE-TIMEOUT")


@policy("WAIT-DEADLINE")
def zero_does_not_wait_but_builds(edge: Edge, config: Config) -> bool:
    """A timeout of zero ends an acquire only where it would have had to wait for others.  [WAIT-DEADLINE]"""
    if edge.event.row != "REFUSE-TIMEOUT" or edge.event.ticket is None or edge.before.phase != "open":
        return True
    return not would_be_short(edge.before, config, edge.event.ticket)


@policy("CLOSE-REFUSES")
def closed_is_said_as_closed(edge: Edge, config: Config) -> bool:
    """An acquire is refused as closed if and only if the pool is not open.  [CLOSE-REFUSES]"""
    if edge.event.row not in ACQUIRES:
        return True
    return (edge.event.row == "REFUSE-CLOSED") == (edge.before.phase != "open")


@policy("EMPTY-RAISES")
def empty_is_said_as_empty(edge: Edge, config: Config) -> bool:
    """An acquire of an open pool ends as empty exactly where nothing is to come.  [EMPTY-RAISES]"""
    if edge.event.row not in ACQUIRES or edge.before.phase != "open":
        return True
    hopeless = config.when_empty == "raise" and not config.factory and staying(edge.before) == 0
    return (edge.event.row == "REFUSE-EMPTY") == hopeless


@policy("NO-WASTE")
def what_is_good_is_kept(edge: Edge, config: Config) -> bool:
    """A build is discarded only if it may not be free, a free slot expires only if it is unfit."""
    if edge.event.row == "BUILD-LATE":
        return not may_be_free(edge)
    return edge.event.row != "EXPIRE" or subject(edge).unfit


@policy("EXPIRY-REACHES-ALL")
def nothing_begins_unfit(edge: Edge, config: Config) -> bool:
    """What is unfit when its build returns does not become free.  [EXPIRY-REACHES-ALL]"""
    return edge.event.row != "BUILD-OK" or not subject(edge).unfit


@policy("RESET-BEFORE-REUSE")
def no_reset_without_reuse(edge: Edge, config: Config) -> bool:
    """What will not be used again is discarded without a reset.  [RESET-BEFORE-REUSE]"""
    return edge.event.row != "RELEASE-RESET" or may_be_free(edge)


@policy("CHECK-TERMINATES")
def a_fresh_failure_ends_it(edge: Edge, config: Config) -> bool:
    """A failed check on a fresh slot does not go round again.  [CHECK-TERMINATES]"""
    return edge.event.row != "CHECK-FAILED" or not subject(edge).fresh


@policy("CHECK-KEEPS-TURN")
def an_old_failure_does_not_end_it(edge: Edge, config: Config) -> bool:
    """In an open pool, a failed check on a slot that was free before ends no acquire.  [CHECK-KEEPS-TURN]"""
    return edge.event.row != "CHECK-REFUSED" or subject(edge).fresh or edge.before.phase != "open"


@policy("DUTY-OWNED")
def results_come_from_owners(edge: Edge, config: Config) -> bool:
    """A failure, or a death, is that of an owner.  [DUTY-OWNED]"""
    return edge.event.row not in ("RESET-FAILED", "ORPHAN") or subject(edge).owned


@policy("MIN-SIZE")
def shrinking_stops_at_min_size(edge: Edge, config: Config) -> bool:
    """SHRINK does not lower what stays below min_size.  [MIN-SIZE]"""
    return edge.event.row != "SHRINK" or staying(edge.before) - 1 >= config.min_size


@policy("CLOSE-FINAL")
def a_closing_pool_has_no_settings(edge: Edge, config: Config) -> bool:
    """A pool that is not open is not resized, renewed or closed once more.  [CLOSE-FINAL]"""
    return edge.event.row not in ("RESIZE", "RENEW", "CLOSE") or edge.before.phase == "open"


@policy("RETRY-BACKOFF")
def a_retry_follows_a_failure(edge: Edge, config: Config) -> bool:
    """A retry delay passes only while one runs, and nothing is refilled before.  [RETRY-BACKOFF]"""
    if edge.event.row == "REFILL":
        return not edge.before.backing_off
    return edge.event.row != "RETRY" or edge.before.backing_off
