"""A connection to no database, for pools that call methods of what they lend."""

import functools
import os

from poolproof.conformance.suite.adapter import Adapter


class Lends(Adapter):
    """An adapter of a pool whose leases are connections like these."""

    def resource(self, lease):
        return lease.thing


class Connection:
    """Made of what the suite's create returns; closing it destroys that."""

    is_connected = True

    def __init__(self, create, destroy, *_, **__):
        self.destroy, self.thing = destroy, create()

    def close(self):
        if self.destroy:
            self.destroy(self.thing)

    def rollback(self):
        pass

    commit = cursor = rollback


def connects(spec):
    """A function that makes connections."""
    connect = functools.partial(Connection, spec.create, spec.destroy)
    connect.threadsafety = 1
    return connect


class Link:
    """A connection that is opened when it is used, and may be opened again: what it is made of comes and goes."""

    is_connected = False
    can_read = should_reconnect = staticmethod(lambda *_: False)

    def __init__(self, create, destroy, **_):
        self.create, self.destroy, self.pid = create, destroy, os.getpid()

    def connect(self):
        if not self.is_connected:
            self.thing, self.is_connected = self.create(), True

    def close(self, *_):
        was, self.is_connected = self.is_connected, False
        if was and self.destroy:
            self.destroy(self.thing)

    disconnect = close


def opened(link, discard):
    """*link*, opened; if that fails, it is discarded."""
    try:
        link.connect()
    except BaseException:
        discard(link)
        raise
    return link


def good(check, thing):
    """Whether the check says so, and does not raise."""
    try:
        return check(thing)
    except Exception:
        return False
