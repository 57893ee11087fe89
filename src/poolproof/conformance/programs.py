"""Small concurrent programs, written in one line, and what their words mean.

    size=1: acquire release | acquire(1) release | close

Before the colon stand the options of the pool, behind it the operations of each thread, threads divided by ``|``.
A word may bring a number: ``acquire(1)`` waits one second at most, ``resize(2)`` sets the limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import NamedTuple

from poolproof.conformance.words import WORDS

_WORD = re.compile(r"^([a-z_]+)(?:\((\d+)\))?$")


class Operation(NamedTuple):
    """One word of a program."""

    word: str
    number: int | None = None

    def __str__(self) -> str:
        return self.word if self.number is None else f"{self.word}({self.number})"


@dataclass(frozen=True)
class Options:
    """The pool of a program. 0 stands for "none" where the pool's own option would be None."""

    size: int = 1
    given: int = 0  # resources to begin with
    factory: int = 1
    min: int = 0
    reset: int = 0
    check: int = 0
    fifo: int = 0
    waiting: int = -1  # max_waiting
    empty: int = 0  # when_empty="raise"
    uses: int = 0
    free: int = 0  # max_free
    lease: int = 0  # max_lease, after which maintenance revokes
    faults: int = 0  # how many callbacks may raise in one run
    executor: int = 0  # whether build, reset and destroy are done by the threads that say ``serve``
    strikes: int = 0  # how many interruptions may strike in one run, in callbacks and near readings and commits
    observed: int = 0

    def __str__(self) -> str:
        told = [f"{each.name}={getattr(self, each.name)}" for each in fields(self)]
        plain = [f"{each.name}={each.default}" for each in fields(self)]
        return " ".join(told[:1] + [text for text, usual in zip(told[1:], plain[1:], strict=True) if text != usual])


@dataclass(frozen=True)
class Program:
    """What each thread does, and to what pool."""

    threads: tuple[tuple[Operation, ...], ...]
    options: Options = Options()

    def __str__(self) -> str:
        return f"{self.options}: " + " | ".join(" ".join(map(str, each)) for each in self.threads)

    @staticmethod
    def parse(text: str) -> Program:
        """The program that *text* writes.

        Raises:
            ValueError: it writes none; the message says why.
        """
        head, colon, body = text.partition(":")
        if not colon:
            raise ValueError(f"no colon between the options and the threads in {text!r}")
        names = {each.name for each in fields(Options)}
        values: dict[str, int] = {}
        for word in head.split():
            name, _, value = word.partition("=")
            if name not in names or not re.fullmatch(r"-?\d+", value):
                raise ValueError(f"{word!r} is no option; there are {', '.join(sorted(names))}, each with a number")
            values[name] = int(value)
        return Program(tuple(tuple(map(operation, each.split())) for each in body.split("|")), Options(**values))


def operation(text: str) -> Operation:
    """The operation that *text* writes.

    Raises:
        ValueError: there is no such word.
    """
    match = _WORD.match(text)
    if match is None or match[1] not in WORDS:
        raise ValueError(f"{text!r} is no operation; there are {', '.join(sorted(WORDS))}")
    return Operation(match[1], None if match[2] is None else int(match[2]))
