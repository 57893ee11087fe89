"""All orders in which the tasks of an `AsyncPool` can run: an event loop whose every choice is ours, and a search.

    print(explore([OPERATIONS["use"], OPERATIONS["close"]], SETTINGS["one slot"]))

What runs is the shipped pool on real tasks and futures of asyncio; only the loop is made for it. A loop of asyncio
serves its ready queue in order. Here any handle that is ready may be next, any timer may be due, and one task may be
cancelled before any step, so what is shown holds for every loop that keeps the rules of asyncio at all.
"""

from poolproof.conformance.aio.explore import Exploration, explore, replayed
from poolproof.conformance.aio.loop import ScheduledLoop
from poolproof.conformance.aio.stage import OPERATIONS, SETTINGS, Stage

__all__ = ["OPERATIONS", "SETTINGS", "Exploration", "ScheduledLoop", "Stage", "explore", "replayed"]
