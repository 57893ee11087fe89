"""The seam: everything of the outside world that a driver uses, as one small object with four primitives.

A driver shares nothing but through the *atom* and sleeps nowhere but in a *parker*. Whoever supplies these (threads
here; event loops, greenlets and a deterministic scheduler by the same protocol) runs the shipped driver unchanged.
"""

from __future__ import annotations

from poolproof.runtime.base import Atom, Parker, Runtime
from poolproof.runtime.threads import ThreadRuntime

__all__ = ["Atom", "Parker", "Runtime", "ThreadRuntime"]
