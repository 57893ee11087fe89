"""All orders of the tasks of small programs, with and without a cancellation at any moment.

Bounds stand in each test. A choice that an ordinary loop would not make (another handle than the first, a timer before
it is due, a cancellation) is a *stray*; where a number of them is named, that many and no more were tried, everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from poolproof.conformance.aio import OPERATIONS, SETTINGS, Exploration, explore, replayed

pytestmark = pytest.mark.filterwarnings("ignore:.*collected without having been ended")
Record = Callable[[str, object], None]


def explored(names: tuple[str, ...], setting: str, strays: int, cancels: int) -> Exploration:
    found = explore([OPERATIONS[name] for name in names], SETTINGS[setting], strays=strays, cancels=cancels)
    assert found.ok, f"{' | '.join(names)}, {setting}, token {found.token}: {found.findings}"
    return found


@pytest.mark.clause("WAIT-ENDS", "EXCLUSIVE", "CONSERVATION", "CLOSE-TERMINATES", "TRACE-REPLAYS", "LOOP-ONLY")
@pytest.mark.parametrize("first", OPERATIONS)
def test_every_pair_of_operations_with_one_stray(first: str, record_property: Record) -> None:
    """15 × 15 pairs in order, 4 kinds of pool, one stray choice, which may be a cancellation."""
    kinds = ("one built", "two built", "reset", "check fails")
    found = [explored((first, second), kind, strays=1, cancels=1) for second in OPERATIONS for kind in kinds]
    record_property("runs", sum(each.runs for each in found))
    record_property("steps", sum(each.steps for each in found))
    assert len(found) == len(OPERATIONS) * len(kinds)


@pytest.mark.clause("WAIT-ENDS", "EXCLUSIVE", "CONSERVATION", "TRACE-REPLAYS")
@pytest.mark.parametrize(
    ("names", "setting"),
    [
        (("use", "use"), "one built"),
        (("use", "use"), "check"),
        (("use", "force"), "create fails"),
        (("hurry", "hurry"), "plain callbacks"),
        (("attempt", "use"), "check fails"),
        (("detach", "forget"), "plain callbacks"),
        (("add", "close"), "plain callbacks"),
        (("use", "soon"), "plain callbacks"),
    ],
)
def test_pair_in_every_order_there_is(names: tuple[str, ...], setting: str, record_property: Record) -> None:
    """Unbounded: every choice at every step, without cancellations."""
    found = explored(names, setting, strays=10**9, cancels=0)
    record_property("runs", found.runs)


@pytest.mark.clause("WAIT-FIFO", "GRANT-STANDS", "WORK-CONSERVING")
@pytest.mark.parametrize("setting", ["one given", "create fails", "check fails", "reset fails", "kept at one"])
def test_triples_around_one_slot(setting: str, record_property: Record) -> None:
    """Three waiters or fewer, and one who closes, discards or forgets; one stray choice."""
    names = ("use", "hurry", "discard", "forget", "close")
    found = [
        explored(("use", *pair), setting, strays=1, cancels=1)
        for pair in itertools.combinations_with_replacement(names, 2)
    ]
    record_property("runs", sum(each.runs for each in found))


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", OPERATIONS)
def test_every_pair_with_two_strays(first: str) -> None:
    for second, setting in itertools.product(OPERATIONS, SETTINGS):
        explored((first, second), setting, strays=2, cancels=1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_triple_with_one_stray(setting: str) -> None:
    for names in itertools.combinations_with_replacement(OPERATIONS, 3):
        explored(names, setting, strays=1, cancels=1)


def test_a_limit_that_was_reached_is_no_pass() -> None:
    found = explore([OPERATIONS["use"], OPERATIONS["use"]], SETTINGS["one built"], most=3)
    assert (3, False, False) == (found.runs, found.complete, found.ok)


def test_a_token_repeats_its_run() -> None:
    programs = [OPERATIONS["use"], OPERATIONS["close"]]
    first, again = (replayed(programs, SETTINGS["reset"], (0, 1, 2, 0, 1), cancels=1) for _ in range(2))
    assert [event[:3] for event in first.events] == [event[:3] for event in again.events]
    assert first.loop.steps == again.loop.steps
