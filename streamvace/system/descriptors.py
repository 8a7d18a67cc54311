"""How many files and connections this process may have open."""

from __future__ import annotations

import sys

MOST_DESCRIPTORS = 65_536
"""Enough for every limit of the show together. More is refused by macOS, and slows programs that loop over them all."""


def raise_descriptor_limit() -> None:
    """Raise the soft limit on descriptors to the hard one, at most `MOST_DESCRIPTORS`.

    A soft limit of 256 (macOS) or 1,024 (Linux) exists for old programs. Windows has none.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
