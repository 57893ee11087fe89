"""ProxyPatternPool: the pool beneath its proxies."""

from ProxyPatternPool import Pool, PoolException, TimeOut

from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    timeout_error, closed_error = TimeOut, PoolException
    lacks = {
        "fifo": "a semaphore; no order is promised",
        "abandoned-leases": "objects are handed over as they are",
        "lease-identity": "objects are returned by themselves",
        "odd-resources": "objects are kept in sets",
    }

    def __init__(self, spec):
        create = spec.create
        self.pool = Pool(lambda n: create(), max_size=spec.max_size, min_size=spec.min_size or 0,
                         max_use=spec.max_uses or 0, closer=spec.destroy, retter=spec.reset)  # fmt: skip
        self.close = self.pool.shutdown

    def acquire(self, timeout):  # 0 stands for the pool's own timeout, which is to wait for ever
        return self.pool.get(-1 if timeout == 0 else timeout)

    def release(self, lease):
        self.pool.ret(lease)
