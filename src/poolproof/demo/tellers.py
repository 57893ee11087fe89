"""The tellers: threads that take a connection, transfer money, and give it back, until the bank closes."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

from poolproof import AcquireTimeout, CheckFailed, Pool, PoolClosed
from poolproof.demo.bank import CannotConnect, Connection, ConnectionBroken

PATIENCE = (0.01, 0.05, None, None)


class Teller(threading.Thread):
    """One worker. What it decides is drawn from the seed and its own number; only the interleaving is not."""

    def __init__(self, number: int, pool: Pool[Connection], seed: int) -> None:
        super().__init__(name=f"teller-{number}")
        self.pool = pool
        self.random = Random(f"{seed}/teller/{number}")
        self.tally: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while True:
                try:
                    self.tally[self.serve()] += 1
                except PoolClosed:
                    return
        except BaseException as error:
            self.failure = error

    def serve(self) -> str:
        """One customer; returns what became of the transfer."""
        try:
            with self.pool.acquire(self.random.choice(PATIENCE)) as connection:
                return connection.transfer(self.name, self.random)
        except AcquireTimeout:
            return "timed out"
        except CannotConnect:
            return "no connection"
        except ConnectionBroken:
            return "broken"
        except CheckFailed:
            return "check failed"
