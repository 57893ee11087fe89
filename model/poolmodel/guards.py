"""The guards of the spec's table, one predicate each, in the table's order and under its names."""

from __future__ import annotations

from poolmodel.state import (
    Config,
    Event,
    Guard,
    State,
    below_limit,
    count,
    find,
    live,
    meagre,
    short,
    staying,
    surplus,
    waiting,
    would_be_short,
)


def is_open(state: State, config: Config, event: Event) -> bool:
    return state.phase == "open"


def not_open(state: State, config: Config, event: Event) -> bool:
    return state.phase != "open"


def nobody_waits(state: State, config: Config, event: Event) -> bool:
    return waiting(state) == 0


def fit(state: State, config: Config, event: Event) -> bool:
    return not find(state, event.slot).unfit


def unfit(state: State, config: Config, event: Event) -> bool:
    return find(state, event.slot).unfit


def none_fit_free(state: State, config: Config, event: Event) -> bool:
    return all(find(state, number).unfit for number in state.free)


def builds_for_itself(state: State, config: Config, event: Event) -> bool:
    assert event.ticket is not None
    return would_be_short(state, config, event.ticket)


def room_to_wait(state: State, config: Config, event: Event) -> bool:
    if config.max_waiting is None or waiting(state) < config.max_waiting:
        return True
    return builds_for_itself(state, config, event)


def no_room_to_wait(state: State, config: Config, event: Event) -> bool:
    return not room_to_wait(state, config, event)


def not_empty(state: State, config: Config, event: Event) -> bool:
    return config.when_empty == "wait" or config.factory or staying(state) > 0


def nothing_to_come(state: State, config: Config, event: Event) -> bool:
    return config.when_empty == "raise" and not config.factory and staying(state) == 0


def cannot_build(state: State, config: Config, event: Event) -> bool:
    return not builds_for_itself(state, config, event)


def late(state: State, config: Config, event: Event) -> bool:
    return state.phase != "open" or find(state, event.slot).unfit or surplus(state)


def no_surplus(state: State, config: Config, event: Event) -> bool:
    return not surplus(state)


def no_reset(state: State, config: Config, event: Event) -> bool:
    # Whether the lease brought a reset of its own is not in the state: the event itself says it, by being
    # RELEASE-RESET and not RELEASE.
    return not config.reset


def fresh_or_not_open(state: State, config: Config, event: Event) -> bool:
    return find(state, event.slot).fresh or state.phase != "open"


def not_fresh(state: State, config: Config, event: Event) -> bool:
    return not find(state, event.slot).fresh


def owned(state: State, config: Config, event: Event) -> bool:
    return find(state, event.slot).owned


def unowned(state: State, config: Config, event: Event) -> bool:
    return not find(state, event.slot).owned


def above_min_size(state: State, config: Config, event: Event) -> bool:
    return staying(state) > config.min_size


def room(state: State, config: Config, event: Event) -> bool:
    return below_limit(state)


def not_pooled(state: State, config: Config, event: Event) -> bool:
    return all(slot.number != event.resource for slot in state.slots)


def climbs(state: State, config: Config, event: Event) -> bool:
    if state.limit is None:
        return True
    if event.limit is not None and (event.limit <= state.limit or event.limit <= live(state) + 1):
        return True
    return count(state, "creating") + 1 >= waiting(state) or not config.factory


def backing_off(state: State, config: Config, event: Event) -> bool:
    return state.backing_off


def not_backing_off(state: State, config: Config, event: Event) -> bool:
    return not state.backing_off


def is_meagre(state: State, config: Config, event: Event) -> bool:
    return meagre(state, config)


def is_short(state: State, config: Config, event: Event) -> bool:
    return short(state, config)


def longest_waiting(state: State, config: Config, event: Event) -> bool:
    return state.queue[0] == event.ticket


def nothing_live(state: State, config: Config, event: Event) -> bool:
    return live(state) == 0


GUARDS: dict[str, Guard] = {
    "open": is_open,
    "not-open": not_open,
    "nobody-waits": nobody_waits,
    "fit": fit,
    "unfit": unfit,
    "none-fit-free": none_fit_free,
    "room-to-wait": room_to_wait,
    "no-room-to-wait": no_room_to_wait,
    "not-empty": not_empty,
    "nothing-to-come": nothing_to_come,
    "cannot-build": cannot_build,
    "late": late,
    "no-surplus": no_surplus,
    "no-reset": no_reset,
    "fresh-or-not-open": fresh_or_not_open,
    "not-fresh": not_fresh,
    "owned": owned,
    "unowned": unowned,
    "above-min-size": above_min_size,
    "room": room,
    "not-pooled": not_pooled,
    "climbs": climbs,
    "backing-off": backing_off,
    "not-backing-off": not_backing_off,
    "meagre": is_meagre,
    "short": is_short,
    "longest-waiting": longest_waiting,
    "nothing-live": nothing_live,
}
