"""How a new pool gets its first resources: all or nothing [BUILT-UNDONE]."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from poolproof.core.lists import from_iterable
from poolproof.core.values import FREE, Record, Slot, State
from poolproof.driver import Driver
from poolproof.registry import WITHOUT_IDENTITY


class Filling:
    """What a new pool begins with, and what is to be destroyed again if its construction fails."""

    def __init__(self, driver: Driver, given: Sequence[Any]) -> None:
        self._driver = driver
        self._given = given
        self._built: defaultdict[int, Any] = defaultdict(driver.settings.create)  # see `work.build`

    def fill(self) -> None:
        """Put the given resources into the new pool, and build up to min_size, unless that is for maintenance."""
        driver, given, built = self._driver, self._given, self._built
        since = [driver.monotonic()] * len(given)
        for number in range(driver.options.min_size - len(given) if driver.settings.prefill else 0):
            built[number]
            since.append(driver.monotonic())
        put_in(driver, given, [*built.values()], since)
        if driver.observer is not None:
            driver.observe(driver.state, (), driver.settings.setup(len(built)))

    def undo(self) -> None:
        """The construction failed: destroy each object that was built once, whatever destroy raises; none that was
        given."""
        driver, interruption = self._driver, None
        driver.forget()
        destroy = driver.settings.destroy
        seen = {id(resource) for resource in self._given}
        for resource in self._built.values():
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
    ledger = driver.state.ledger._replace(live=len(slots), made=len(slots), created=len(built), added=len(given))
    driver.atom.value = State(0, from_iterable(slots), (), ledger)
