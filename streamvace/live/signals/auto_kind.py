"""Chooses the control kind of `auto`, once per input.

The shapes of film from a file, a camera or the screen are followed. A picture that was drawn to steer the model is
taken as it is. So is what other programs send (NDI, Spout, Syphon), because it usually is a control signal already; if
it looks like film, that is said once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from streamvace.conditioning.controls import DEPTH_FOLDER
from streamvace.conditioning.controls.base import Pixels, luma
from streamvace.conditioning.controls.networks import Networks, torch_device
from streamvace.conditioning.signals import ALPHA, RAW, SignalSettings
from streamvace.live.signals.film_look import looks_like_film
from streamvace.video.endpoints import SOURCES, split_uri

AUTO = "auto"

_OWN_CHOICE = {"embedded": "gray"}
"""What follows film for a pipeline, whatever networks there are. The filters of the embedded model repaint brightness
(docs/embedded.md: 0.74 of 0.84). Of films, it makes blocks from edges, and only an outline from depth."""

WITHOUT_DEPTH = "edges"
"""For the published pipelines: outlines leave brightness and colours to the prompt. The estimate of depth without a
network takes what differs from the picture's border as near, which is wrong for most films."""

LOOKS = 24
"""Pictures that are judged before an input counts as drawn: a second of film, so that a title does not decide."""

_OWN_PICTURES = ("pattern", "card", "none")
"""Sources of the program itself, drawn to steer the model. They are never judged: small, they can look like film."""

_TAKEN_RAW = (*_OWN_PICTURES, "ndi", "spout", "syphon")

REMARK = (
    "{address} looks like film and is used as control as it is; "
    "depth, edges and gray follow shapes (set /streamvace/control_kind)"
)
CHOSEN = "{address} looks like film: auto follows it by {kind} (/streamvace/status/control_kind)"

Seen = tuple[Pixels, Pixels | None]
"""A picture, and the region of it that is generated; see `looks_like_film`."""


def kind_for_film(networks: Networks, pipeline: str) -> str:
    """The kind that follows film: the pipeline's own, else depth if its network is there and runs on a GPU, else edges.

    On a CPU the network takes several tenths of a second per picture, in competition with the model. May import torch,
    which takes seconds.
    """
    if pipeline in _OWN_CHOICE:
        return _OWN_CHOICE[pipeline]
    fast = networks.place(DEPTH_FOLDER).is_dir() and torch_device(networks.device) != "cpu"
    return "depth" if fast else WITHOUT_DEPTH


class FilmKind:
    """`kind_for_film` of the pipeline that runs, found out in the background. Called on one thread."""

    def __init__(self, networks: Networks, pipeline: str, files: Callable[[str], frozenset[str]]) -> None:
        """pipeline: of the start. files: from a kind to those of its files that are there, quick; with other files of
        `depth`, the kind is found out again."""
        self.pipeline: Callable[[], str] = lambda: pipeline
        """Reads the pipeline that runs; set once the show can reload another."""
        self._networks = networks
        self._files = files
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="control choice")
        self._found: dict[tuple[str, frozenset[str]], Future[str]] = {}
        self._last: dict[str, str] = {}
        self()

    def __call__(self) -> str:
        """The kind; while it is not known, the pipeline's last one, or edges."""
        pipeline, files = self.pipeline(), self._files("depth")
        if (pipeline, files) not in self._found:
            self._found[pipeline, files] = self._pool.submit(kind_for_film, self._networks, pipeline)
        found = self._found[pipeline, files]
        if found.done():
            self._last[pipeline] = found.result()
        return self._last.get(pipeline, WITHOUT_DEPTH)

    def stop(self) -> None:
        """Find out nothing more; once nothing calls it any longer."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class AutoKind:
    """Judges one input at a time. Not thread-safe."""

    def __init__(
        self,
        film_kind: Callable[[], str],
        note: Callable[[str], None],
        remark: Callable[[str], None],
        chosen: Callable[[str], None] = lambda kind: None,
    ) -> None:
        """film_kind: the kind that follows film; must be quick. note: takes a line about a choice. remark: takes one
        about film that is used raw. chosen: takes the kind in place of `auto` when it is known or has changed."""
        self._film_kind = film_kind
        self._note = note
        self._remark = remark
        self._tell = chosen
        self._told = ""
        self._begin("")

    def resolve(self, asked: SignalSettings, address: str, look: Callable[[], Seen | None]) -> SignalSettings:
        """The settings with a kind in place of `auto`.

        address: of the input; another one is judged anew. look: returns a picture of it that was not judged before, or
        None; called only while the input is undecided.
        """
        if address != self._address:
            self._begin(address)
        if asked.control not in (AUTO, RAW):
            return asked
        if self._film is None and (seen := look()) is not None:
            self._judge(*seen)
        if asked.control == RAW:
            self._say_raw(address)
            return asked
        kind = RAW
        if _taken_raw(address):
            self._say_raw(address)
        elif self._film:
            kind = self._film_kind()
            self._say(self._note, CHOSEN.format(address=address, kind=kind))
        if kind != self._told and (self._film is not None or _taken_raw(address)):
            self._told = kind
            self._tell(kind)
        return replace(asked, control=kind)

    def _begin(self, address: str) -> None:
        self._address = address
        self._film: bool | None = False if _source(address) in _OWN_PICTURES else None
        self._left = LOOKS
        self._said: set[str] = set()

    def _judge(self, picture: Pixels, generated: Pixels | None) -> None:
        verdict = looks_like_film(picture, generated)
        self._left -= verdict is False
        if verdict or self._left == 0:
            self._film = bool(verdict)

    def _say_raw(self, address: str) -> None:
        if self._film:
            self._say(self._remark, REMARK.format(address=address))

    def _say(self, to: Callable[[str], None], line: str) -> None:
        """Once for each input and line: another pipeline may follow film by another kind."""
        if line not in self._said:
            self._said.add(line)
            to(line)


def seen(picture: Pixels, mask_picture: Pixels | None, settings: SignalSettings) -> Seen:
    """A picture as it is judged, with the region that the input itself marks as generated.

    picture, mask_picture: uint8 `[H, W, 3|4]`; see `SignalChain.update`. Other masks select parts of a picture that is
    film as a whole or not at all.
    """
    marks = picture if mask_picture is None else mask_picture
    region = None
    if ALPHA in settings.sources and marks.shape[2] == 4:
        region = np.ascontiguousarray(marks[..., 3])
    elif "input" in settings.sources and mask_picture is not None:
        region = luma(mask_picture)
    return picture, region if region is None or not settings.shaping.invert else 255 - region


def _taken_raw(address: str) -> bool:
    return _source(address) in _TAKEN_RAW


def _source(address: str) -> str:
    return split_uri(address, SOURCES)[0]
