"""psycopg_pool, with connections to no database. Its workers build in the background."""

from functools import partial
from types import SimpleNamespace

from psycopg.pq import TransactionStatus
from psycopg_pool.base import AttemptWithBackoff
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from peers.connection import Connection, Lends, good

IDLE = SimpleNamespace(transaction_status=TransactionStatus.IDLE)
AttemptWithBackoff.INITIAL_DELAY = 0.01  # seconds before the second attempt; nobody needs to wait so long here


class make_pool(Lends):  # noqa: N801
    timeout_error, closed_error, misuse_error = (PoolTimeout, TooManyRequests), PoolClosed, ValueError
    lacks = {"lease-identity": "connections are returned by themselves",
             "abandoned-leases": "connections are handed over as they are",
             "errors-unchanged": "a worker builds, and tries again; what create raised is logged"}  # fmt: skip

    def __init__(self, spec):
        create, destroy, check = spec.create, spec.destroy, spec.check
        kind = type("Made", (Connection,), {"connect": lambda *_, **__: kind(create, destroy), "pgconn": IDLE})
        sizes = {"min_size": spec.min_size or 0, "max_size": spec.max_size, "max_waiting": spec.max_waiting or 0}
        looks = check and partial(look, check)
        self.pool = ConnectionPool(connection_class=kind, open=True, check=looks, num_workers=1, **sizes)
        self.close = self.pool.close

    def acquire(self, timeout):
        return self.pool.getconn(1e6 if timeout is None else timeout)

    def release(self, lease):
        self.pool.putconn(lease)


def look(check, lease):
    if not good(check, lease.thing):
        lease.pgconn = SimpleNamespace(transaction_status=TransactionStatus.UNKNOWN)  # as when a server has gone away
        lease.close()
        raise ValueError("the check says no")
