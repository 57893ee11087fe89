"""Where leases were acquired: an observer that remembers the stack of each acquire, for as long as its lease lives."""

from __future__ import annotations

import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from poolproof.reports import PoolEvent

HOME: Final = str(Path(__file__).parent)
FRAMES: Final = 12
RECENT: Final = 64
BEGINS: Final = ("QUEUE", "GRANT-FREE")
ENDS: Final = (
    "WITHDRAW", "BUILD-FAILED", "RELEASE", "RELEASE-RESET", "DISCARD", "DETACH", "REVOKE", "ABANDON", "CHECK-REFUSED",
)  # fmt: skip


class LeaseStacks:
    """Remembers by which stack each lease was acquired. Rows QUEUE and GRANT-FREE are told in the acquiring thread."""

    def __init__(self, then: Callable[[PoolEvent], object] | None) -> None:
        self._then = then
        self._stacks: dict[int, traceback.StackSummary] = {}
        # Whoever reports a lease that was given up does so after its end was told.
        self._recent: deque[tuple[int, traceback.StackSummary]] = deque(maxlen=RECENT)

    def __call__(self, event: PoolEvent) -> None:
        """Take note of one event."""
        for row, _, ticket in event.fired:
            if ticket is None:
                continue
            if row in BEGINS:
                self._stacks[ticket] = stack_of_caller(sys._getframe(1))
            elif row in ENDS and ticket in self._stacks:
                self._recent.append((ticket, self._stacks.pop(ticket)))
        if event.setup is not None:  # also in the child after a fork, where those leases are the parent's
            self._stacks.clear()
        if self._then is not None:
            self._then(event)

    def stack_of(self, lease: int) -> str:
        """The stack by which that lease was acquired, as tracebacks show it; empty if it is not known."""
        stack = self._stacks.get(lease) or dict(self._recent).get(lease)
        return "" if stack is None else "".join(stack.format())


def stack_of_caller(frame: FrameType | None) -> traceback.StackSummary:
    """The innermost frames that are not this package's own."""
    stack = traceback.StackSummary.extract(_outside(frame), limit=FRAMES, lookup_lines=False)
    stack.reverse()
    return stack


def _outside(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    return ((each, line) for each, line in traceback.walk_stack(frame) if not each.f_code.co_filename.startswith(HOME))
