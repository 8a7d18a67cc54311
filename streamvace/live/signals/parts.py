"""The controls and masks of a signal chain: made when they are first wanted, kept, and never waited for.

A control whose network is downloaded later is made again with it. The one without stays in use meanwhile, and for good
if the network does not load.

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

Refuse = Callable[[str, Exception, bool], None]
"""Takes a kind that cannot be made, why, and whether an earlier one of this kind stays in use."""

Files = Callable[[str], frozenset[str]]
"""From a kind to those of the files it can use that are there. Must be quick."""

_AT_ONCE_S = 0.05
"""A part without a network is ready within this, so a switch to it shows nothing in between."""

DETECTOR = "detector"

CONTROL_KIND, SECOND_KIND = "/streamvace/control_kind", "/streamvace/second_control/kind"
MASK_SOURCES = ("/streamvace/mask_source", "/streamvace/mask/second")


class Parts(Generic[Part]):
    """Objects by key, each made once."""

    def __init__(
        self,
        make: Callable[[str], Part],
        refuse: Refuse,
        what: str,
        files: Files = lambda kind: frozenset(),
        note: Callable[[str], None] = lambda line: None,
    ) -> None:
        """make: makes the object of a key; may take seconds and raise. what: names the thread. refuse: takes failures,
        on the loading thread. files: with more of them, the object is made again. note: takes a line when that has made
        a difference, on the loading thread."""
        self._make: Callable[[str], Part] = make
        self._refuse = refuse
        self._files = files
        self._note = note
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"{what} loading")
        self._made: dict[str, Future[Part]] = {}
        self._earlier: dict[str, Part] = {}
        """Made with fewer files; used until the newer one is ready."""
        self._with: dict[str, frozenset[str]] = {}

    def get(self, key: str) -> Part | None:
        """The object; None while it is being made and when that failed, which `refuse` hears once."""
        self._take_new_files(key)
        future = self._made.get(key)
        if future is None:
            earlier = self._earlier.get(key)
            future = self._made[key] = self._pool.submit(self._make, key)
            if earlier is None:
                wait([future], _AT_ONCE_S)
            future.add_done_callback(lambda done: self._report(key, done, earlier))
        ready = future.done() and future.exception() is None
        return future.result() if ready else self._earlier.get(key)

    def _take_new_files(self, key: str) -> None:
        """Let the object of a key be made again if there are files that it was made without."""
        files = self._files(key)
        new = files - self._with.setdefault(key, files)
        made = self._made.get(key)
        if not new or made is None or not made.done():
            return
        self._with[key] |= new
        del self._made[key]
        if made.exception() is None:
            self._earlier[key] = made.result()

    def retry(self) -> None:
        """Forget failures, so that `get` tries again."""
        failed = [key for key, future in self._made.items() if future.done() and future.exception() is not None]
        for key in failed:
            del self._made[key]

    def close(self) -> None:
        """Make nothing more. An object that is being made finishes in the background."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _report(self, key: str, done: Future[Part], earlier: Part | None) -> None:
        if done.cancelled():
            return
        kind, error = key.partition(" ")[0], done.exception()
        if isinstance(error, Exception):
            self._refuse(kind, error, earlier is not None)
        elif error is None and earlier is not None and done.result().backend != earlier.backend:
            self._note(f"{kind} is made by {done.result().backend} now (before: {earlier.backend})")


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
        detector = detector_of(key)
        return MASKS[key.partition(" ")[0]](replace(networks, detector=media.find(detector)) if detector else networks)

    return make


def refusing(refusals: Refusals, what: str, *addresses: str) -> Refuse:
    """Takes failures to where they are shown. The parameters `addresses` return to the value before.

    A detector without its network stays chosen: the network is named after it. So does a kind that goes on without the
    network that does not load.
    """

    def refuse(kind: str, error: Exception, goes_on: bool) -> None:
        refusals.refuse(f"{what} {kind}", () if goes_on or kind == DETECTOR else addresses, kind, error)

    return refuse


def detector_of(key: str) -> str:
    """The file of a detector's key; empty for any other mask."""
    source, _, detector = key.partition(" ")
    return detector if source == DETECTOR else ""


def mask_key(source: str, detector: str) -> str:
    """The key of a mask: a detector with another file is another mask. detector: its file in the media folder."""
    return f"{source} {detector}".rstrip() if source == DETECTOR else source
