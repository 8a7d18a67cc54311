"""Renders a show again from its log, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import osc_schema
from streamvace.control.parameters import Change, Parameters
from streamvace.live.director.layout import Pictures
from streamvace.live.inputs.pictures import Wish
from streamvace.live.offline.clip_inputs import Findings, open_timeline
from streamvace.live.offline.director import MakeGenerator, OfflineDirector, load_still
from streamvace.live.offline.film_time import FilmTime
from streamvace.live.offline.output import OfflineOutput
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.show_log.reader import LEAD_INPUT, ShowFile, ShownChunk
from streamvace.live.show_log.writer import pictures_of
from streamvace.live.worker.model_switch import LATENCY, PIPELINE, RELOAD
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.video.film.source import FileOptions

FROM_INPUT = ("control", "mask", "source", "scale_map", "second_control")
"""Arrays of a chunk that come from an input, which a clip must replace."""


class Replay:
    """Makes the chunks of a show again, in order."""

    def __init__(
        self, show: ShowFile, make: MakeGenerator, media: MediaFolder, signals: OfflineSignals, clip: Path | None
    ) -> None:
        """clip: replaces the live input, if there is one; looped, at its own speed.

        Raises UserError for a clip that cannot be read.
        """
        self._show = show
        self._media = media
        # A sequence of pictures has no rate of its own.
        how = FileOptions(fps=show.content_rate)
        self.findings = Findings()
        self._clip = None if clip is None else open_timeline(clip, how, show.size, self.findings)
        self._played = 0
        self._signals = signals
        latency = str(show.parameters.get(LATENCY, ModelOptions.latency))
        self._director = OfflineDirector(show.pipeline, latency, make, signals, cache(self._still))
        self.notes = self._director.notes
        self._reload_asked = False
        self._resets = 0
        self._control: Pixels | None = None
        self._time = FilmTime(show.content_rate)
        self._parameters = Parameters(clock=self._time.clock)
        self._set(tuple(show.parameters.items()))

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk, finished for the output. Raises UserError if the model makes chunks of another length."""
        for number, shown in enumerate(self._show.chunks):
            self._set(shown.changes)
            yield self._make(number, shown)

    def pictures(self, upscale: int) -> Iterator[Pixels]:
        """The same as pictures of the output, each uint8 `[H, W, 4]`. upscale: factor to their size."""
        output = OfflineOutput(self._show.content_rate, self._time, upscale)
        for chunk in self.chunks():
            self._time.follow(self._parameters.snapshot())
            yield from output.pictures(chunk, self._parameters.snapshot(), self._control, self._resets)

    def _set(self, changes: tuple[tuple[str, Any], ...]) -> None:
        """Apply changes. Addresses unknown to this version are noted. Triggers with a value are skipped: the parameters
        that they set are in the log as well."""
        known = self._parameters.schema
        wishes = [
            Change(self._parameters.check(address, () if value is None else osc_schema.flat(value)), "show")
            for address, value in changes
            if address in known and not known[address].argument
        ]
        self.notes.update(f"{address} is unknown to this version" for address, _ in changes if address not in known)
        self.notes.update(result.line for result in self._parameters.apply_bundle(wishes) if result.line)

    def _make(self, number: int, shown: ShownChunk) -> Chunk:
        snapshot, director = self._parameters.snapshot(), self._director
        reset = number > 0 and shown.index == 0
        self._resets += reset
        self._reload_asked |= any(address == RELOAD for address, _ in shown.changes)
        # Until a new model begins, the old one was in use; a cut in the control does not load one.
        if reset and self._reload_asked and shown.shape.get("cut") != "hard":
            self._reload_asked = False
            director.load(snapshot.text(PIPELINE), snapshot.text(LATENCY))
        elif reset:
            director.generator.reset()
        self._signals.shows(self._show.address(snapshot.text(LEAD_INPUT)))
        wanted = director.generator.frames_wanted()
        if wanted != shown.frames:
            raise UserError(f"chunk {number} had {shown.frames} frames, this model makes {wanted}; use the show's own")
        pictures, moments = Pictures(), [(self._played + index) / self._show.content_rate for index in range(wanted)]
        if self._clip is not None and set(shown.pictures) & set(FROM_INPUT):
            pictures = Pictures.of_one(self._clip.at(moments))
        self._played += wanted
        self._control = pictures.control
        anchored = bool({"first_frame", "last_frame"} & set(shown.pictures))
        built = director.build(snapshot, pictures, moments, anchored=anchored, reset=reset)
        try:
            return director.step(self._as_logged(built, shown))
        except ValueError as error:
            raise UserError(
                f"chunk {number} cannot be made: {error}; the log is damaged, or of another model"
            ) from error

    def _as_logged(self, given: ChunkInput, shown: ShownChunk) -> ChunkInput:
        """The input with the values of the log, and without pictures that the show did not have."""
        known = {name: value for name, value in shown.shape.items() if name in ChunkInput.__dataclass_fields__}
        pictures, logged = set(pictures_of(given)), set(shown.pictures)
        absent: dict[str, Any] = dict.fromkeys(pictures - logged)
        if missing := logged - pictures:
            self.notes.add(f"some chunks had pictures that cannot be reproduced: {', '.join(sorted(missing))}")
        return replace(given, **known, **absent)

    def _still(self, wish: Wish) -> Pixels | None:
        """A picture of the media folder. A missing one was left out in the show, too."""
        try:
            return load_still(wish, self._media, self._show.size)
        except UserError as missing:
            self.notes.add(str(missing))
            return None


def check_pictures(show: ShowFile, clip: Path | None) -> None:
    """Raises UserError if pictures shaped the show and no clip replaces them."""
    needed = sorted({name for chunk in show.chunks for name in chunk.pictures if name in FROM_INPUT})
    if needed and clip is None:
        raise UserError(
            f"this show was shaped by pictures ({', '.join(needed)}) from {', '.join(show.inputs)}; "
            "its log does not hold them: add --input CLIP"
        )
