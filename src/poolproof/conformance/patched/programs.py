"""Small concurrent programs for any pool, written in one line.

    size=1 fails=1: acquire release | acquire(1) release

Before the colon stands what pool is wanted, behind it the operations of each thread, threads divided by ``|``.
``acquire(1)`` waits one second at most; ``fails=1`` says that the first call of create raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import NamedTuple

WORDS = {
    "acquire": "acquire a lease; with a number, wait so many seconds at most",
    "release": "end the latest lease",
    "discard": "end the latest lease, its resource is broken",
    "again": "end once more the lease that was ended last: it must be refused",
    "use": "one point while the latest lease is held",
    "close": "close the pool",
    "resize": "set the limit",
}
_WORD = re.compile(r"^([a-z_]+)(?:\((\d+)\))?$")


class Operation(NamedTuple):
    """One word of a program."""

    word: str
    number: int | None = None

    def __str__(self) -> str:
        return self.word if self.number is None else f"{self.word}({self.number})"


@dataclass(frozen=True)
class Wanted:
    """What pool a program is for."""

    size: int = 1
    fails: int = 0  # so many calls of create raise, the first ones
    bad: int = 0  # so many checks say no, the first ones
    breaks: int = 0  # so many calls of destroy raise, the first ones

    def __str__(self) -> str:
        told = [(each.name, getattr(self, each.name), each.default) for each in fields(self)]
        return " ".join(f"{name}={value}" for name, value, usual in told if name == "size" or value != usual)


@dataclass(frozen=True)
class Program:
    """What each thread does, and to what pool."""

    threads: tuple[tuple[Operation, ...], ...]
    wanted: Wanted = Wanted()

    def __str__(self) -> str:
        return f"{self.wanted}: " + " | ".join(" ".join(map(str, each)) for each in self.threads)

    @property
    def words(self) -> set[str]:
        return {each.word for thread in self.threads for each in thread}

    @property
    def needs(self) -> tuple[str, ...]:
        """The features that it needs of a pool, in the words of the adapter."""
        timed = any(each.word == "acquire" and each.number is not None for thread in self.threads for each in thread)
        lost = "discard" in self.words or self.wanted.fails or self.wanted.bad  # resources that have to be replaced
        asked = {
            "discard": "discard" in self.words, "close": "close" in self.words, "resize": "resize" in self.words,
            "misuse": "again" in self.words, "timeouts": timed, "create": lost, "check": self.wanted.bad,
            "destroy": self.wanted.breaks,
        }  # fmt: skip
        return tuple(feature for feature, needed in asked.items() if needed)

    @staticmethod
    def parse(text: str) -> Program:
        """The program that *text* writes.

        Raises:
            ValueError: it writes none; the message says why.
        """
        head, colon, body = text.partition(":")
        if not colon:
            raise ValueError(f"no colon between the pool and the threads in {text!r}")
        names = {each.name for each in fields(Wanted)}
        values: dict[str, int] = {}
        for word in head.split():
            name, _, value = word.partition("=")
            if name not in names or not re.fullmatch(r"\d+", value):
                raise ValueError(f"{word!r} is no option; there are {', '.join(sorted(names))}, each with a number")
            values[name] = int(value)
        return Program(tuple(tuple(map(operation, each.split())) for each in body.split("|")), Wanted(**values))


def operation(text: str) -> Operation:
    """The operation that *text* writes.

    Raises:
        ValueError: there is no such word.
    """
    match = _WORD.match(text)
    if match is None or match[1] not in WORDS:
        raise ValueError(f"{text!r} is no operation; there are {', '.join(sorted(WORDS))}")
    return Operation(match[1], None if match[2] is None else int(match[2]))
