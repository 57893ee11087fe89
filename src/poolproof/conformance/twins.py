"""Threads with the same program are alike: two moments that differ only in which of them is which are one.

Such *twins* may change their numbers. A moment is written with the numbers that the twins get when they are put in
order by what tells them apart (where they stand, what they wait for and hold); so moments that differ in nothing but
numbers are mostly written alike, and those that are written alike differ in nothing else. If the order leaves two of
them level, their numbers stay as they are, which at worst finds a moment new that was seen.

Every number of a thread in a picture or a standing is the first half of a `Who`, and only there; what a thread has
*seen* in a loop is told with the numbers of that time, so while one is in a loop nobody is renamed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from poolproof.conformance.points import Who
from poolproof.conformance.programs import Operation

Numbers = tuple[int, ...]  # at each thread's number, the number that stands for it

# Words whose number is that of a thread: who says them is not alike to others.
POINTING = frozenset(("end_of",))


def twins_of(threads: tuple[tuple[Operation, ...], ...]) -> tuple[Numbers, ...]:
    """The groups of threads that do the same."""
    if any(operation.word in POINTING for each in threads for operation in each):
        return ()
    groups: dict[tuple[Operation, ...], list[int]] = {}
    for number, operations in enumerate(threads):
        groups.setdefault(operations, []).append(number)
    return tuple(tuple(each) for each in groups.values() if len(each) > 1)


def in_order(groups: Iterable[Numbers], told: list[Any]) -> Numbers:
    """The numbers that the threads get if the twins are put in the order of what is *told* of each."""
    numbers = list(range(len(told)))
    for group in groups:
        for new, old in zip(group, sorted(group, key=told.__getitem__), strict=True):
            numbers[old] = new
    return tuple(numbers)


def renamed(what: Any, numbers: Numbers) -> Any:
    """The same, each thread under its other number."""
    kind = type(what)
    if kind is Who:
        return Who(numbers[what.thread], what.operation) if what.thread >= 0 else what
    if kind is tuple:
        return tuple([renamed(each, numbers) for each in what])
    return frozenset([renamed(each, numbers) for each in what]) if kind is frozenset else what


def recoded(codes: Iterable[int], numbers: Numbers) -> frozenset[int]:
    """Choices of threads and of their timeouts, likewise."""
    size = len(numbers)
    return frozenset([numbers[code % size] + code // size * size for code in codes])


def inverse(numbers: Numbers) -> Numbers:
    return tuple(sorted(range(len(numbers)), key=numbers.__getitem__))
