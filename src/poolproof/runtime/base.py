"""What a runtime has to offer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

from poolproof.core.values import PlainState, Slot, Ticket

Moves: TypeAlias = tuple[tuple[Slot | Ticket, Any], ...]


class Atom(Protocol):
    """The one shared cell of a pool: its state, and the commit that replaces it together with registers."""

    value: PlainState
    # The critical section of a commit: the next turn enters it, `leave` leaves it. See `ThreadAtom`.
    turns: Iterator[object]
    leave: Callable[[], None]

    def commit(self, old: PlainState, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...]) -> bool:
        """If the state is still *old*: make it *new*, write at most three registers, wake these tickets.

        All or nothing, whatever interrupts. No code of the user's runs meanwhile.   Returns: whether it was *old*.
        """
        ...

    def unchanged(self, state: PlainState) -> bool:
        """Whether the state is still *state*, and no commit is under way: then all registers that were read since
        *state* was are those of that state."""
        ...

    def recover(self, new: PlainState, moves: Moves, wakes: tuple[Ticket, ...] = (), done: bool = False) -> None:
        """An exception struck in or near a commit: finish it if it had begun, and leave the section."""
        ...


class Parker(Protocol):
    """Where one waiter sleeps. A wake-up that comes first is kept; several count as one."""

    def park(self, timeout: float | None) -> bool:
        """Sleep until unparked, at most *timeout* seconds (None: without limit).  Returns: whether unparked."""
        ...

    def unpark(self) -> None:
        """Let the sleeper go, now or when it comes. From any thread, any number of times, never blocking."""
        ...


class Here(Protocol):
    """The place of the caller."""

    @property
    def who(self) -> object:
        """Who is calling, as something small to remember."""
        ...


class Runtime(Protocol):
    """The primitives of one kind of concurrency."""

    @property
    def here(self) -> Here: ...

    def atom(self, value: PlainState) -> Atom: ...

    def parker(self) -> Parker: ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def spawn(self, target: Callable[[], None], name: str) -> None:
        """Run *target* beside everything else, without keeping the interpreter from exiting."""
        ...

    def name_of(self, who: object) -> str:
        """What to call somebody remembered as `here.who` in a message."""
        ...
