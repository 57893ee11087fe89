"""A name for an object that comes later, or that is another one in each thread or task.

`Proxy` behaves as its target does, so none of its own operations is a method of it: they are the functions here.
"""

from __future__ import annotations

from poolproof.proxy.forwarding import Proxy
from poolproof.proxy.scopes import ProxyUnset
from poolproof.proxy.steering import holds, release, set_pool, set_target, target_of, unset, use

__all__ = ["Proxy", "ProxyUnset", "holds", "release", "set_pool", "set_target", "target_of", "unset", "use"]
