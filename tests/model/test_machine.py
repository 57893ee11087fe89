"""One step at a time: the machine as an oracle for runs with any numbers."""

from __future__ import annotations

import pytest

from poolmodel import Config, Event, Fired, NotEnabled, Slot, State, initial, step


def run(config: Config, *events: Event) -> State:
    state = initial(config)
    for event in events:
        state = step(state, config, event).state
    return state


@pytest.mark.clause("CREATE-DEMAND")
def test_queueing_starts_the_build_that_is_numbered_by_the_event() -> None:
    after, fired = step(initial(Config()), Config(), Event("QUEUE", ticket=77, new_slot=901))
    assert after.slots == (Slot(901, "creating", bound=77),)
    assert fired == (Fired("QUEUE", None, 77), Fired("BUILD-START", 901, 77))


@pytest.mark.clause("WAIT-FIFO")
def test_what_becomes_free_goes_to_the_longest_waiting_in_the_same_step() -> None:
    config = Config(limit=1)
    state = run(config, *(Event("QUEUE", ticket=ticket) for ticket in (30, 20, 10)))
    fired = step(state, config, Event("BUILD-OK", slot=1)).fired
    assert fired == (Fired("BUILD-OK", 1, None), Fired("HAND-OFF", 1, 30))


@pytest.mark.clause("LEASE-IDENTITY")
def test_a_lease_is_named_by_its_ticket_or_by_its_slot() -> None:
    config = Config()
    state = run(config, Event("QUEUE", ticket=5), Event("BUILD-OK", slot=1))
    by_ticket = step(state, config, Event("RELEASE", ticket=5))
    assert by_ticket == step(state, config, Event("RELEASE", slot=1))
    assert by_ticket.fired == (Fired("RELEASE", 1, 5),)


@pytest.mark.clause("LEASE-ONCE", "STALE-UNCHANGED")
@pytest.mark.parametrize("row", ["RELEASE", "DISCARD", "DETACH", "REVOKE"])
def test_a_lease_that_has_ended_cannot_end_again(row: str) -> None:
    config = Config()
    state = run(config, Event("QUEUE", ticket=5), Event("BUILD-OK", slot=1), Event("RELEASE", ticket=5))
    state = step(state, config, Event("GRANT-FREE", ticket=6)).state
    with pytest.raises(NotEnabled):
        step(state, config, Event(row, slot=1, ticket=5))


@pytest.mark.clause("INVALID-UNCHANGED")
def test_an_event_that_no_row_allows_names_the_guards_that_are_false() -> None:
    config = Config(limit=0, max_waiting=0)
    with pytest.raises(NotEnabled, match="QUEUE is not enabled: needs open, room-to-wait") as refused:
        step(run(config, Event("CLOSE")), config, Event("QUEUE", ticket=1))
    assert refused.value.false == ("open", "room-to-wait")


@pytest.mark.clause("INVALID-UNCHANGED")
@pytest.mark.parametrize("row", ["HAND-OFF", "BUILD-START", "CLOSED"])
def test_what_happens_only_inside_the_balance_is_no_event(row: str) -> None:
    with pytest.raises(NotEnabled):
        step(initial(Config()), Config(), Event(row, slot=1, ticket=1))


@pytest.mark.clause("NO-DUPLICATES")
def test_an_object_that_a_slot_holds_cannot_be_added_again() -> None:
    config = Config(limit=3)
    state = run(config, Event("ADD", slot=40))
    with pytest.raises(NotEnabled, match="not-pooled"):
        step(state, config, Event("ADD", slot=41, resource=40))
    assert step(state, config, Event("ADD", slot=41)).state.free == (41, 40)


@pytest.mark.clause("FREE-ORDER")
@pytest.mark.parametrize(("order", "first"), [("lifo", 2), ("fifo", 1)])
def test_the_order_of_the_free_list(order: str, first: int) -> None:
    config = Config(limit=2, order="lifo" if order == "lifo" else "fifo")
    state = run(config, Event("ADD", slot=1), Event("ADD", slot=2))
    assert step(state, config, Event("GRANT-FREE", ticket=9)).fired == (Fired("GRANT-FREE", first, 9),)


@pytest.mark.clause("RESIZE-BOTH-WAYS", "OLDEST-FIRST")
@pytest.mark.parametrize(("order", "stays"), [("lifo", (3,)), ("fifo", (3,))])
def test_a_smaller_limit_discards_what_became_free_first(order: str, stays: tuple[int, ...]) -> None:
    config = Config(limit=3, order="lifo" if order == "lifo" else "fifo")
    state = run(config, *(Event("ADD", slot=number) for number in (1, 2, 3)), Event("RESIZE", limit=1))
    assert state.free == stays
    assert [slot.number for slot in state.slots if slot.state == "discarded" and not slot.owned] == [1, 2]


@pytest.mark.clause("LEASE-ABANDONED")
@pytest.mark.parametrize(("reset", "state"), [(True, "returning"), (False, "discarded")])
def test_an_abandoned_lease_whose_end_takes_work_leaves_it_unowned(reset: bool, state: str) -> None:
    config = Config(reset=reset)
    before = run(config, Event("QUEUE", ticket=5), Event("BUILD-OK", slot=1))
    if not reset:
        before = step(before, config, Event("AGE", slot=1)).state
    (slot,) = step(before, config, Event("ABANDON", slot=1)).state.slots
    assert (slot.state, slot.owned) == (state, False)


@pytest.mark.clause("LEASE-ABANDONED")
def test_an_abandoned_lease_whose_end_takes_no_work_is_released() -> None:
    config = Config()
    state = run(config, Event("QUEUE", ticket=5), Event("BUILD-OK", slot=1))
    with pytest.raises(NotEnabled):
        step(state, config, Event("ABANDON", slot=1))
    assert step(state, config, Event("RELEASE", slot=1)).state.free == (1,)
