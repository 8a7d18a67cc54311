"""The controls and masks of a signal chain: made when they are first wanted, kept, and never waited for.

Threads: the chain's thread calls everything here; a loading thread makes the parts, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Generic, TypeVar

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS, NO_MASK
from streamvace.conditioning.masks.base import Mask
from streamvace.conditioning.signals import SignalSettings
from streamvace.control.refusals import Refusals
from streamvace.system.media import MediaFolder

Part = TypeVar("Part", Control, Mask)

Refuse = Callable[[str, Exception], None]
"""Takes a kind that cannot be made, and why."""

_AT_ONCE_S = 0.05
"""A part without a network is ready within this, so a switch to it shows nothing in between."""

DETECTOR = "detector"

CONTROL_KIND, SECOND_KIND = "/streamvace/control_kind", "/streamvace/second_control/kind"
MASK_SOURCES = ("/streamvace/mask_source", "/streamvace/mask/second")


class Parts(Generic[Part]):
    """Objects by key, each made once."""

    def __init__(self, make: Callable[[str], Part], refuse: Refuse, what: str) -> None:
        """make: makes the object of a key; may take seconds and raise. what: names the thread. refuse: takes failures,
        on the loading thread."""
        self._make: Callable[[str], Part] = make
        self._refuse = refuse
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"{what} loading")
        self._made: dict[str, Future[Part]] = {}

    def get(self, key: str) -> Part | None:
        """The object; None while it is being made and when that failed, which `refuse` hears once."""
        future = self._made.get(key)
        if future is None:
            future = self._made[key] = self._pool.submit(self._make, key)
            wait([future], _AT_ONCE_S)
            future.add_done_callback(lambda done: self._report(key, done))
        return future.result() if future.done() and future.exception() is None else None

    def retry(self) -> None:
        """Forget failures, so that `get` tries again."""
        failed = [key for key, future in self._made.items() if future.done() and future.exception() is not None]
        for key in failed:
            del self._made[key]

    def close(self) -> None:
        """Make nothing more. An object that is being made finishes in the background."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _report(self, key: str, done: Future[Part]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, Exception):
            self._refuse(key.partition(" ")[0], error)


class Kinds:
    """The kinds of control and mask that a chain can use now."""

    def __init__(self, controls: Parts[Control], masks: Parts[Mask]) -> None:
        self._controls = controls
        self._masks = masks
        self._detector = ""
        self._wanted: tuple[str, ...] = ()

    def ready(self, wanted: SignalSettings, detector: str, used: SignalSettings) -> SignalSettings:
        """The wanted settings; a kind that is not ready is replaced by the one in use. detector: see `mask_key`."""
        self._detector = detector
        names = (wanted.control, wanted.mask, wanted.second_mask, detector)
        if names != self._wanted:
            self._wanted = names
            self._controls.retry()
            self._masks.retry()
        return replace(
            wanted,
            control=used.control if self.control(wanted.control) is None else wanted.control,
            mask=self._ready_mask(wanted.mask, used.mask),
            second_mask=self._ready_mask(wanted.second_mask, used.second_mask),
        )

    def control(self, kind: str) -> Control | None:
        """The control; None while it is not ready."""
        return self._controls.get(kind)

    def mask(self, source: str) -> Mask | None:
        """The mask; None while it is not ready."""
        return self._masks.get(mask_key(source, self._detector))

    def close(self) -> None:
        """Load nothing more."""
        self._controls.close()
        self._masks.close()

    def _ready_mask(self, wanted: str, used: str) -> str:
        return wanted if wanted == NO_MASK or self.mask(wanted) is not None else used


def control_maker(networks: Networks) -> Callable[[str], Control]:
    """Makes a control from a kind of CONTROLS."""
    return lambda kind: CONTROLS[kind](networks)


def mask_maker(networks: Networks, media: MediaFolder) -> Callable[[str], Mask]:
    """Makes a mask from a key of `mask_key`."""

    def make(key: str) -> Mask:
        source, _, detector = key.partition(" ")
        return MASKS[source](replace(networks, detector=media.find(detector)) if detector else networks)

    return make


def refusing(refusals: Refusals, what: str, *addresses: str) -> Refuse:
    """Takes failures to where they are shown. The parameters `addresses` return to the value before.

    A detector without its network stays chosen: the network is named after it.
    """
    return lambda kind, error: refusals.refuse(f"{what} {kind}", () if kind == DETECTOR else addresses, kind, error)


def mask_key(source: str, detector: str) -> str:
    """The key of a mask: a detector with another file is another mask. detector: its file in the media folder."""
    return f"{source} {detector}".rstrip() if source == DETECTOR else source
