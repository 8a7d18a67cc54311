"""The controls and masks of a show: made when they are wanted, kept, and never waited for.

Threads: one thread calls `get` and `retry`; what is made is made on a thread of its own, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Generic, TypeVar

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks.base import Mask
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter, one_line

Part = TypeVar("Part", Control, Mask)

_AT_ONCE_S = 0.05
"""What needs no network is there within this, so that changing to it shows nothing in between."""

DETECTOR = "detector"


class Parts(Generic[Part]):
    """Objects by key, each made once."""

    def __init__(self, make: Callable[[str], Part], reporter: Reporter, what: str) -> None:
        """make: from a key; may take seconds and raise. what: of what kind they are, for the report of one that can't
        be made."""
        self._make: Callable[[str], Part] = make
        self._reporter = reporter
        self._what = what
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"{what} loading")
        self._made: dict[str, Future[Part]] = {}

    def get(self, key: str) -> Part | None:
        """The object; None while it is being made and when it can't be, which is reported once."""
        future = self._made.get(key)
        if future is None:
            future = self._made[key] = self._pool.submit(self._make, key)
            wait([future], _AT_ONCE_S)
            future.add_done_callback(lambda done: self._tell(key, done))
        return future.result() if future.done() and future.exception() is None else None

    def retry(self) -> None:
        """Try again what could not be made, when it is wanted next: somebody has chosen anew."""
        failed = [key for key, future in self._made.items() if future.done() and future.exception() is not None]
        for key in failed:
            del self._made[key]

    def close(self) -> None:
        """Make nothing more. What is being made is left to finish by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _tell(self, key: str, done: Future[Part]) -> None:
        if done.cancelled() or (error := done.exception()) is None:
            return
        line = str(error) if isinstance(error, UserError) else one_line(error)
        self._reporter.report(f"{self._what} {key.partition(' ')[0]}", line)


def control_maker(networks: Networks) -> Callable[[str], Control]:
    """From a kind of CONTROLS."""
    return lambda kind: CONTROLS[kind](networks)


def mask_maker(networks: Networks, media: MediaFolder) -> Callable[[str], Mask]:
    """From a key of `mask_key`."""

    def make(key: str) -> Mask:
        source, _, detector = key.partition(" ")
        return MASKS[source](replace(networks, detector=media.find(detector)) if detector else networks)

    return make


def mask_key(source: str, detector: str) -> str:
    """A detector of another file is another mask. detector: the name of its file in the media folder."""
    return f"{source} {detector}".rstrip() if source == DETECTOR else source
