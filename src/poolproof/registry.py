"""Which slot holds which object: by identity, never by ``==`` or ``hash`` [IDENTITY-ONLY].

Every method is one dictionary operation that is atomic on its own, so there is no lock that a finalizer or a signal
handler could find taken. The slot keeps its resource alive, so an identity is not reused while it is listed here.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

from poolproof.core.values import ABSENT, DISCARDED, Record, Retired, Slot, read
from poolproof.errors import DuplicateResource

# Values of these types have no identity of their own: the interpreter shares them as it likes. A factory may return
# the same one any number of times.
WITHOUT_IDENTITY: Final = (type(None), bool, int, float, complex, str, bytes)


class _Stub(Slot):
    """Keeps the place of a resource that is on its way in, for as long as its `Reservation` lives. *taken* is the
    slot that the latest proposal puts it in; absent until the proposal is committed."""

    __slots__ = ("owner", "taken")
    owner: weakref.ref[Reservation]
    taken: Slot | None


class Reservation:
    """The right to bring a resource in. If its owner is interrupted, it ends with the owner's frame."""

    __slots__ = ("__weakref__", "_registry", "_stub")

    def __init__(self, registry: Registry, resource: Any) -> None:
        self._registry = registry
        self._stub = _Stub(0, 0, Record(ABSENT, 0, 0.0, None, 0, None))
        self._stub.resource, self._stub.taken, self._stub.owner = resource, None, weakref.ref(self)
        registry.enrol(self._stub, resource, factory_made=False)

    def into(self, slot: Slot) -> None:
        """The resource is to come in by *slot*, as soon as that is not absent."""
        self._stub.taken = slot

    def end(self) -> None:
        """The slot takes over the place, unless it is absent: not come in, or left again already."""
        self._registry.replace(self._stub)


class Registry:
    """The slots of one pool that hold a resource."""

    __slots__ = ("_name", "_slots")

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots: dict[int, Slot] = {}

    def enrol(self, slot: Slot, resource: Any, *, factory_made: bool) -> None:
        """Note that *slot* holds *resource*.

        Raises:
            DuplicateResource: another slot holds this very object.
        """
        key = id(slot) if factory_made and type(resource) in WITHOUT_IDENTITY else id(resource)
        # Only a build may bring a value without identity in twice.
        twin = None if factory_made or type(resource) not in WITHOUT_IDENTITY else self.find(resource)
        other = twin or self._slots.setdefault(key, slot)
        if other is not slot:
            if not vacant(other):
                raise DuplicateResource(
                    f"pool {self._name!r}: this very {type(resource).__name__} object is in it already [NO-DUPLICATES]"
                )
            self._slots[key] = slot

    def replace(self, stub: _Stub) -> None:
        """Let the slot that *stub* stands for have its place."""
        key, slot = id(stub.resource), stub.taken
        if slot is not None and not vacant(slot):
            self._slots[key] = slot
        if slot is None or vacant(slot):
            self.vacate(key, stub if slot is None else slot, stub)

    def discharge(self, slot: Slot) -> None:
        """Forget *slot*, which is absent, and drop its resource."""
        for key in (id(slot.resource), id(slot)):
            self.vacate(key, slot)
        slot.resource = None

    def vacate(self, key: int, *slots: Slot) -> None:
        """Forget whichever of these slots has this place."""
        other = self._slots.pop(key, None)
        if other is not None and other not in slots:
            self._slots.setdefault(key, other)

    def sweep(self) -> None:
        """Forget what interruptions kept from being forgotten.   Cost: O(slots)."""
        for key, slot in self._slots.copy().items():
            if vacant(slot):
                self.vacate(key, slot)

    def find(self, resource: Any) -> Slot | None:
        """The slot that holds this very object."""
        return next(iter(self.holding(resource)), None)

    def holding(self, resource: Any) -> list[Slot]:
        """The slots that hold this very object: at most one, unless it is a value without identity; then those
        first that are not on their way out already.   Cost: O(1), or O(slots) for such a value."""
        if type(resource) not in WITHOUT_IDENTITY:
            slot = occupant(self._slots.get(id(resource)))
            return [] if slot is None else [slot]
        return sorted((slot for slot in self.all() if slot.resource is resource), key=leaving)

    def all(self) -> list[Slot]:
        """All slots that hold a resource, at some moment during the call."""
        return [slot for slot in map(occupant, self._slots.copy().values()) if slot is not None]


def leaving(slot: Slot) -> int:
    """0 for a slot that stays, 1 for one that goes when its holder is done, 2 for one that is going."""
    record = read(slot)
    return 2 if record.state == DISCARDED else 1 if isinstance(record.mark, Retired) else 0


def vacant(slot: Slot) -> bool:
    """Whether another slot may have the place of this one."""
    if isinstance(slot, _Stub):
        return slot.owner() is None and (slot.taken is None or vacant(slot.taken))
    return read(slot).state == ABSENT


def occupant(slot: Slot | None) -> Slot | None:
    """The slot itself, or the one that a stub stands for, if there is one."""
    if isinstance(slot, _Stub):
        return None if slot.taken is None or vacant(slot.taken) else slot.taken
    return slot
