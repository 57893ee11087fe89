"""In place of ``ProxyPatternPool`` (11.6, and names of 2.1): ``from poolproof.compat import proxypatternpool as ppp``.

What differs, and why, is told in docs/how-to/migrate/proxypatternpool.md.
"""

from __future__ import annotations

from poolproof.compat.proxypatternpool.errors import PoolException, PPPException, ProxyException, TimeOut
from poolproof.compat.proxypatternpool.hooks import log
from poolproof.compat.proxypatternpool.pool import Pool
from poolproof.compat.proxypatternpool.proxy import Proxy

__version__ = "11.6"  # of the library that this stands in for
__all__ = ["PPPException", "Pool", "PoolException", "Proxy", "ProxyException", "TimeOut", "log"]
