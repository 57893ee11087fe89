"""The bank: a sqlite3 database, connections to it, and an oracle that knows without the pool who uses which."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

ACCOUNTS = 20
OPENING_BALANCE = 1_000
CREATE_FAILS = 0.2
RESET_SECONDS = 0.003

# Never set: to wait for it is to let time pass, as a server or a disk would.
_NEVER = threading.Event()


def pass_time(seconds: float) -> None:
    _NEVER.wait(seconds)


class CannotConnect(Exception):
    """The server did not answer. It has no other server behind it: the demo makes this up."""


class ConnectionBroken(Exception):
    """The connection was lost in the middle of a transaction. The demo makes this up, too."""


class Oracle:
    """Who uses which connection, how often each was closed, and every breach of the rules.

    It has its own lock and its own book, and asks the pool nothing.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: list[Connection] = []
        self.uses = 0
        self.overlaps: list[str] = []
        self.wrong_closings: list[str] = []

    @property
    def closed(self) -> int:
        return sum(connection.closings > 0 for connection in self.opened)


class Connection:
    """A connection to the bank that notes who uses it, from begin to end of each use."""

    def __init__(self, path: Path, oracle: Oracle) -> None:
        self.oracle = oracle
        self.user: str | None = None
        self.closings = 0
        self.sql = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
        self.sql.execute("PRAGMA synchronous = OFF")
        with oracle.lock:
            oracle.opened.append(self)
            self.number = len(oracle.opened)

    @contextmanager
    def used_by(self, who: str) -> Iterator[sqlite3.Connection]:
        """Use the connection; two uses at a time, or a use after close, are breaches of exclusivity."""
        oracle = self.oracle
        with oracle.lock:
            oracle.uses += 1
            if self.user is not None:
                oracle.overlaps.append(f"connection {self.number} used by {who} while {self.user} uses it")
            if self.closings:
                oracle.overlaps.append(f"connection {self.number} used by {who} after it was closed")
            self.user = who
        try:
            yield self.sql
        finally:
            with oracle.lock:
                self.user = None

    def close(self) -> None:
        oracle = self.oracle
        with oracle.lock:
            self.closings += 1
            if self.user is not None:
                oracle.overlaps.append(f"connection {self.number} closed while {self.user} uses it")
            if self.closings > 1:
                oracle.wrong_closings.append(f"connection {self.number} closed {self.closings} times")
        self.sql.close()

    def works(self) -> bool:
        with self.used_by("check") as sql:
            return bool(sql.execute("SELECT 1").fetchone() == (1,))

    def reset(self) -> None:
        """Undo what the last holder left open; slowly, as servers do it."""
        with self.used_by("reset") as sql:
            if sql.in_transaction:
                sql.execute("ROLLBACK")
            sql.execute("PRAGMA foreign_keys = ON")
            pass_time(RESET_SECONDS)

    def transfer(self, who: str, random: Random) -> str:
        """Move money between two accounts; returns what became of it.

        Raises:
            ConnectionBroken: in the middle of it.
        """
        source, target = random.sample(range(ACCOUNTS), 2)
        amount, fate = random.randrange(1, 50), random.random()
        with self.used_by(who) as sql:
            sql.execute("SELECT balance FROM account WHERE id = ?", (source,)).fetchone()
            pass_time(random.uniform(0.001, 0.01))
            sql.execute("BEGIN IMMEDIATE")
            sql.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, source))
            if fate < 0.02:
                raise ConnectionBroken(f"connection {self.number} was lost")
            if fate < 0.08:
                return "left open"  # with one half of the transfer done: the reset has to undo it
            sql.execute("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, target))
            sql.execute("INSERT INTO transfer (source, target, amount) VALUES (?, ?, ?)", (source, target, amount))
            sql.execute("COMMIT")
            return "committed"


class Server:
    """Makes connections, and now and then does not. Which attempts fail is drawn from the seed."""

    def __init__(self, path: Path, oracle: Oracle, seed: int) -> None:
        self.path, self.oracle, self.seed = path, oracle, seed
        self.attempts = 0
        self.lock = threading.Lock()
        self.flaky = False

    def fails(self, attempt: int) -> bool:
        return Random(f"{self.seed}/create/{attempt}").random() < CREATE_FAILS

    def connect(self) -> Connection:
        with self.lock:
            self.attempts += 1
            fails = self.flaky and self.fails(self.attempts)
        pass_time(0.004)
        if fails:
            raise CannotConnect("the bank does not answer")
        return Connection(self.path, self.oracle)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the database says at the end."""

    accounts: int
    money: int
    transfers: int
    disagreeing: int


def open_bank(path: Path) -> None:
    """Make the database: accounts with equal balances, and the book of transfers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)")
        sql.execute("CREATE TABLE transfer (source INTEGER, target INTEGER, amount INTEGER)")
        accounts = [(number, OPENING_BALANCE) for number in range(ACCOUNTS)]
        sql.executemany("INSERT INTO account VALUES (?, ?)", accounts)


def audit(path: Path) -> Audit:
    """Count the money, and compare every balance with the book of transfers."""
    with closing(sqlite3.connect(path)) as sql:
        balances = dict(sql.execute("SELECT id, balance FROM account"))
        booked = dict.fromkeys(balances, OPENING_BALANCE)
        transfers = sql.execute("SELECT source, target, amount FROM transfer").fetchall()
    for source, target, amount in transfers:
        booked[source] -= amount
        booked[target] += amount
    disagreeing = sum(balances[number] != booked[number] for number in balances)
    return Audit(len(balances), sum(balances.values()), len(transfers), disagreeing)
