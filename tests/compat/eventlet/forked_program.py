"""Run as a program: a pool is used on both sides of a fork.

Argument: the module of the pool. Prints whether the child got an item of the parent's.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any


class Thing:
    """What two processes must not share."""

    def __init__(self) -> None:
        self.process = os.getpid()


def main(name: str) -> None:
    pools: Any = importlib.import_module(name)
    pool = pools.Pool(max_size=2, create=Thing)
    pool.put(pool.get())
    with pool.item() as held:
        child = os.fork()
        if not child:
            item = pool.get() if pool.free() else held
            pool.put(held)  # as if the child left the block
            print("own" if item.process == os.getpid() and held not in pool.free_items else "shared", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    print(len(pool.free_items), pool.free())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
