"""Which slot holds which object: by identity, never by ``==`` or ``hash`` [IDENTITY-ONLY].

Every method is one dictionary operation that is atomic on its own, so there is no lock that a finalizer or a signal
handler could find taken. The slot keeps its resource alive, so an identity is not reused while it is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from poolproof.core.values import ABSENT, CREATING, Record, Slot, read
from poolproof.errors import DuplicateResource

# Values of these types have no identity of their own: the interpreter shares them as it likes. A factory may return
# the same one any number of times.
_SHARED: Final = (type(None), bool, int, float, complex, str, bytes)


class Registry:
    """The slots of one pool that hold a resource."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: dict[int, Slot] = {}

    def enrol(self, slot: Slot, resource: Any, *, factory_made: bool) -> None:
        """Note that *slot* holds *resource*.

        Raises:
            DuplicateResource: another slot holds this very object.
        """
        key = id(slot) if factory_made and type(resource) in _SHARED else id(resource)
        other = self._slots.setdefault(key, slot)
        if other is not slot:
            if read(other).state != ABSENT:
                raise DuplicateResource(f"this very {type(resource).__name__} object is pooled already [IDENTITY-ONLY]")
            self._slots[key] = slot

    @contextmanager
    def reserved(self, resource: Any) -> Iterator[Slot]:
        """Keep the place of *resource*, which is on its way in, for as long as the block runs; `confirm` keeps it
        for good.

        Raises:
            DuplicateResource: a slot holds this very object.
        """
        place = Slot(0, 0, Record(CREATING, 0, 0.0, None, 0, None))
        place.resource = resource
        self.enrol(place, resource, factory_made=False)
        try:
            yield place
        finally:
            if self._slots.get(id(resource)) is place:
                self.discharge(place)

    def confirm(self, slot: Slot, resource: Any) -> None:
        """The resource whose place was reserved is in *slot*, unless it has left again already."""
        self._slots[id(resource)] = slot
        if read(slot).state == ABSENT:
            self.discharge(slot)

    def discharge(self, slot: Slot) -> None:
        """Forget *slot*, which is absent, and drop its resource."""
        for key in (id(slot.resource), id(slot)):
            other = self._slots.pop(key, None)
            if other is not None and other is not slot:
                self._slots.setdefault(key, other)
        slot.resource = None

    def find(self, resource: Any) -> Slot | None:
        """The slot that holds this very object."""
        slot = self._slots.get(id(resource))
        if slot is None and type(resource) in _SHARED:
            slot = next((slot for slot in self.all() if slot.resource is resource), None)
        return slot

    def all(self) -> list[Slot]:
        """All slots that hold a resource, at some moment during the call."""
        return list(self._slots.copy().values())
