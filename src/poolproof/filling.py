"""How a new pool gets its first resources: all or nothing [BUILT-UNDONE]."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from poolproof.core.lists import from_iterable
from poolproof.core.values import FREE, Record, Slot, State
from poolproof.driver import Driver
from poolproof.registry import WITHOUT_IDENTITY


def fill(driver: Driver, given: Sequence[Any]) -> None:
    """Put the *given* resources into the new pool, and build up to min_size."""
    built: defaultdict[int, Any] = defaultdict(driver.settings.create)  # see `build`
    since = [driver.monotonic()] * len(given)
    try:
        for number in range(driver.options.min_size - len(given)):
            built[number]
            since.append(driver.monotonic())
        put_in(driver, given, [*built.values()], since)
        if driver.observer is not None:
            driver.observe(driver.state, (), driver.settings.setup(len(built)))
    except BaseException:
        undo(driver, given, [*built.values()])
        raise


def unfill(driver: Driver, given: Sequence[Any]) -> None:
    """Take `fill` back, because the construction fails after all."""
    built = [slot.resource for slot in driver.registry.all() if slot.number > len(given)]
    driver.forget()
    undo(driver, given, built)


def undo(driver: Driver, given: Sequence[Any], built: list[Any]) -> None:
    """Destroy what a failed construction built: each object once, whatever destroy raises; none that was given."""
    destroy, interruption = driver.settings.destroy, None
    seen = {id(resource) for resource in given}
    for resource in built:
        if destroy is not None and (id(resource) not in seen or type(resource) in WITHOUT_IDENTITY):
            seen.add(id(resource))
            try:
                destroy(resource)
            except Exception as error:
                driver.complain("destroy failed while construction was undone", error)
            except BaseException as error:
                interruption = error
    if interruption is not None:
        raise interruption


def put_in(driver: Driver, given: Sequence[Any], built: Sequence[Any], since: Sequence[float]) -> None:
    """All of them in free slots, there *since* then, the first given next to be granted."""
    slots = []
    for number, (resource, made) in enumerate(zip([*given, *built], since, strict=True), start=1):
        slot = Slot(number, 0, Record(FREE, 0, made, None, 0, None))
        slot.resource, slot.expires = resource, driver.expiry(made)
        driver.registry.enrol(slot, resource, factory_made=number > len(given))
        slots.append(slot)
    ledger = driver.state.ledger._replace(
        live=len(slots), made=len(slots), created=len(built), added=len(given)
    )
    driver.atom.value = State(0, from_iterable(slots), (), ledger)
