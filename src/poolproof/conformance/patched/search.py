"""Which schedules are run: all with few preemptions, then some at random, or one that is given.

A schedule says only where it leaves the ordinary course, in which whoever runs goes on as long as it can, and no
timeout passes while anybody can run. To leave it costs one *preemption*, or one *early timeout*; who comes next when
somebody sleeps or ends is free. ``12:1`` means that at the 12th decision thread 1 goes on, ``12:-2`` that the timeout
of thread 1 passes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from typing import NamedTuple

Choices = tuple[tuple[int, int], ...]


Spent = tuple[int, int]  # preemptions, early timeouts


class RunOn:
    """Whoever runs goes on as long as it can; then the first who can."""

    def pick(self, me: int | None, enabled: list[int]) -> int:
        return enabled[0] if me is None else me


class Given:
    """The policy that follows a schedule."""

    def __init__(self, choices: Iterable[tuple[int, int]]) -> None:
        self.choices = dict(choices)
        self.depth = 0
        self.differs = ""

    def pick(self, me: int | None, enabled: list[int]) -> int:
        chosen = self.choices.get(self.depth, enabled[0] if me is None else me)
        self.depth += 1
        if chosen not in enabled:
            self.differs = self.differs or f"decision {self.depth - 1} chooses {chosen}, and there are {enabled}"
            return enabled[0] if me is None else me
        return chosen


class Node(NamedTuple):
    """A decision: what could be chosen, the ordinary choice first, and what was spent before it."""

    enabled: list[int]
    me: int | None
    alternatives: list[int]
    spent: Spent


class Explorer:
    """The policy that goes, run by run, through all schedules with at most *bound* preemptions and as many early
    timeouts."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.stack: list[Node] = []
        self.at: list[int] = []
        self.begin()

    def begin(self) -> None:
        """A new run: the choices of the stack, and then the ordinary ones."""
        self.depth = 0
        self.spent: Spent = (0, 0)
        self.differs = ""

    def pick(self, me: int | None, enabled: list[int]) -> int:
        depth = self.depth
        self.depth += 1
        ordinary = enabled[0] if me is None else me
        if depth < len(self.stack):
            node = self.stack[depth]
            if node.enabled != enabled or node.me != me:
                self.differs = f"decision {depth} had {node.enabled} for {node.me}, and now has {enabled} for {me}"
                del self.stack[depth:], self.at[depth:]
            else:
                chosen = node.alternatives[self.at[depth]]
                self.spent = after(node.spent, me, enabled, chosen)
                return chosen
        others = [code for code in enabled if code != ordinary]
        alternatives = [ordinary, *(code for code in others if max(after(self.spent, me, enabled, code)) <= self.bound)]
        self.stack.append(Node(list(enabled), me, alternatives, self.spent))
        self.at.append(0)
        return ordinary

    def advance(self) -> bool:
        """Turn to the next schedule; false if there is none."""
        while self.stack:
            self.at[-1] += 1
            if self.at[-1] < len(self.stack[-1].alternatives):
                return True
            self.stack.pop()
            self.at.pop()
        return False

    def choices(self) -> Choices:
        """Where this run left the ordinary course."""
        taken = enumerate(zip(self.stack, self.at, strict=True))
        return tuple((depth, node.alternatives[at]) for depth, (node, at) in taken if at)


def after(spent: Spent, me: int | None, enabled: list[int], chosen: int) -> Spent:
    """What is spent when *chosen* goes on: a preemption if it takes the turn from one who could, an early timeout if
    time passes while somebody could run."""
    early = chosen < 0 <= enabled[0]
    return spent[0] + (me is not None and chosen != me and not early), spent[1] + early


class Walk:
    """The policy that chooses at random, each alternative equally likely."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.taken: list[tuple[int, int]] = []
        self.differs = ""

    def pick(self, me: int | None, enabled: list[int]) -> int:
        chosen = enabled[int(self.random.random() * len(enabled))]
        if chosen != (enabled[0] if me is None else me):
            self.taken.append((self.depth, chosen))
        self.depth += 1
        return chosen

    def choices(self) -> Choices:
        return tuple(self.taken)


def written(choices: Choices) -> str:
    return " ".join(f"{depth}:{code}" for depth, code in choices)


def read(text: str) -> Choices:
    """The schedule that *text* holds.

    Raises:
        ValueError: it is none; the message says why.
    """
    found = []
    for word in text.split():
        match = re.fullmatch(r"(\d+):(-?\d+)", word)
        if match is None:
            raise ValueError(f"{word!r} is no choice; a choice is decision:thread, as in 12:1 or 12:-2")
        found.append((int(match[1]), int(match[2])))
    return tuple(found)
