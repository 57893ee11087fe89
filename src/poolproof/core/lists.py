"""Lists that share their structure: () or (first, rest, length).

A push or pop makes one small tuple and leaves the old list as it was, which is what lets a transition be computed
outside the commit and thrown away when another thread was faster. Two of them back to back are a queue.
They are never compared with ``==`` and never printed: a long one would exhaust the recursion limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def push(first: Any, rest: Any) -> Any:
    """Put *first* in front.  Cost: O(1)."""
    return (first, rest, rest[2] + 1 if rest else 1)


def length(items: Any) -> int:
    """How many there are.  Cost: O(1)."""
    return items[2] if items else 0


def walk(items: Any) -> Iterator[Any]:
    """From the front to the end."""
    while items:
        yield items[0]
        items = items[1]


def from_iterable(items: Iterable[Any]) -> Any:
    """The list with *items* in their order.  Cost: O(n)."""
    result: Any = ()
    for item in reversed(list(items)):
        result = push(item, result)
    return result


def reverse(items: Any) -> Any:
    """The same, backwards.  Cost: O(n)."""
    result: Any = ()
    while items:
        result = push(items[0], result)
        items = items[1]
    return result


def normal(front: Any, back: Any) -> tuple[Any, Any]:
    """A queue whose front is empty only if all of it is.  Cost: O(1), paid for by the pushes."""
    if front or not back:
        return front, back
    return reverse(back), ()


def queue_items(front: Any, back: Any) -> list[Any]:
    """All items of a queue in order.  Cost: O(n)."""
    return [*walk(front), *reversed(list(walk(back)))]


def take_out(front: Any, back: Any, item: Any) -> tuple[Any, Any] | None:
    """The queue without *item*, which is told by identity; None if it is not there.

    Cost: O(1) in the long run for those who take from one end, be it the far one; else O(n).
    """
    if not back and length(front) > 1 and front[0] is not item:
        items = list(walk(front))  # half of it may be taken from the far end then, before it costs that much again
        half = len(items) // 2
        front, back = from_iterable(items[:half]), from_iterable(reversed(items[half:]))
    if front and front[0] is item:
        return normal(front[1], back)
    if back and back[0] is item:
        return front, back[1]
    kept = keep(front, back, lambda other: other is not item)
    return (kept, ()) if length(kept) < length(front) + length(back) else None


def keep(front: Any, back: Any, wanted: Callable[[Any], bool]) -> Any:
    """The queue's items that are *wanted*, in order, as one list.  Cost: O(n)."""
    return from_iterable(item for item in queue_items(front, back) if wanted(item))
