"""What can be found wrong with a trace."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong with a trace: the clause it breaks, the version where it shows, and what it is."""

    clause: str
    version: int
    what: str
