"""SQLAlchemy's QueuePool, without a database. Its timeout is one for all; here it is the caller's."""

import threading

from sqlalchemy.exc import InvalidRequestError, TimeoutError
from sqlalchemy.pool import QueuePool

from peers.connection import connects
from poolproof.conformance.suite.adapter import Adapter


class Pool(QueuePool):
    seconds = threading.local()
    _timeout = property(lambda self: self.seconds.value, lambda self, value: None)


class make_pool(Adapter):  # noqa: N801
    timeout_error, misuse_error = TimeoutError, InvalidRequestError
    lacks = {"fifo": "a condition; no order is promised"}

    def __init__(self, spec):
        size = spec.max_size
        self.pool = Pool(connects(spec), pool_size=size, max_overflow=0, use_lifo=spec.order == "lifo")

    def acquire(self, timeout):
        self.pool.seconds.value = timeout
        return self.pool.connect()

    def release(self, lease):
        lease.close()

    def discard(self, lease):
        lease.invalidate()

    def resource(self, lease):
        return lease.dbapi_connection.thing
