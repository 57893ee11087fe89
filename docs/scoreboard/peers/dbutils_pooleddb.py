"""DBUtils' PooledDB, with connections to no database."""

from dbutils.pooled_db import PooledDB

from peers.connection import connects
from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    lacks = {
        "timeouts": "there is none; a caller waits for ever, or not at all",
        "fifo": "a condition; no order is promised",
        "misuse": "closing a connection twice is allowed, and does nothing",
    }

    def __init__(self, spec):
        self.pool = PooledDB(connects(spec), maxconnections=spec.max_size, blocking=True, ping=0, reset=False,
                             mincached=spec.min_size or 0, failures=(OSError,))  # fmt: skip

    def acquire(self, timeout):
        return self.pool.dedicated_connection()

    def release(self, lease):
        lease.close()

    def resource(self, lease):
        return lease._con._con.thing
