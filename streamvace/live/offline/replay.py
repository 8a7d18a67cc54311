"""A show that was held, made again frame by frame from its log: offline, as slowly as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import osc_schema
from streamvace.control.parameters import Change, Parameters
from streamvace.live.director.chunk_request import shape_chunk
from streamvace.live.director.compositing import Finish, finish
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.live.director.layout import Pictures, lay_out
from streamvace.live.director.stills import fit_still, stills
from streamvace.live.inputs.pictures import Wish, load_picture
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.options import context_blocks
from streamvace.live.show_log.reader import ShowFile, ShownChunk
from streamvace.live.show_log.writer import pictures_of
from streamvace.live.worker.model_switch import PIPELINE, RELOAD
from streamvace.live.worker.worker import ChunkMaker
from streamvace.records.chunk import Chunk, ChunkInput, Pixels
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.video.film.source import read_frames

FROM_INPUT = ("control", "mask", "source", "scale_map", "second_control")
"""Arrays of a chunk that come from an input; a clip must stand for it."""


class Replay:
    """Makes the chunks of a show again, one after the other."""

    def __init__(
        self,
        show: ShowFile,
        make: Callable[[str], ChunkMaker],
        media: MediaFolder,
        signals: OfflineSignals,
        clip: Path | None,
    ) -> None:
        """make: the generator of a pipeline. clip: stands for the live input and is played in a loop, every frame once
        and in order; None without one.

        Raises UserError for a clip that cannot be read.
        """
        self.notes: set[str] = set()
        """What could not be made again, for the user."""
        self._show = show
        self._make_generator = make
        self._reload_asked = False
        self._media = media
        self._signals = signals
        self._stills: dict[Wish, Pixels | None] = {}
        self._clip = _forever(clip, show.size) if clip is not None else iter(())
        self._parameters = Parameters()
        self._set(tuple(show.parameters.items()))
        self._re_anchor = DriftCorrection(Reporter())
        self._generator = make(show.pipeline)

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk, finished as it was for the output. Raises UserError where the model makes other chunks."""
        for number, shown in enumerate(self._show.chunks):
            self._set(shown.changes)
            yield self._make(number, shown)

    def _set(self, changes: tuple[tuple[str, Any], ...]) -> None:
        """What a newer or older version does not know is left out, and noted. So are actions with a value, in silence:
        what they set is in the log as well."""
        known = self._parameters.schema
        wishes = [
            Change(self._parameters.check(address, () if value is None else osc_schema.flat(value)), "show")
            for address, value in changes
            if address in known and not known[address].argument
        ]
        self.notes.update(f"{address} is unknown to this version" for address, _ in changes if address not in known)
        self.notes.update(result.line for result in self._parameters.apply_bundle(wishes) if result.line)

    def _make(self, number: int, shown: ShownChunk) -> Chunk:
        snapshot = self._parameters.snapshot()
        reset = number > 0 and shown.index == 0
        self._reload_asked |= any(address == RELOAD for address, _ in shown.changes)
        if reset and self._reload_asked:  # the old model goes on until the new one is loaded
            self._reload_asked = False
            self._generator = self._make_generator(snapshot.text(PIPELINE))
        elif reset:
            self._generator.reset()
        wanted = self._generator.frames_wanted()
        if wanted != shown.frames:
            raise UserError(f"chunk {number} had {shown.frames} frames, this model makes {wanted}; take the show's own")
        pixels = [next(self._clip) for _ in range(wanted)] if set(shown.pictures) & set(FROM_INPUT) else []
        shown_pictures = Pictures.of_one(np.stack(pixels)) if pixels else Pictures()
        layout = lay_out(snapshot, self._signals.made_of(shown_pictures, snapshot))
        blocks = context_blocks(snapshot.text(PIPELINE))
        anchored = bool({"first_frame", "last_frame"} & set(shown.pictures))
        given = shape_chunk(
            snapshot, layout, blocks, stills=stills(snapshot, self._still, anchored=anchored), reset=reset
        )
        given = self._re_anchor.apply(given, snapshot)
        known = {name: value for name, value in shown.shape.items() if name in ChunkInput.__dataclass_fields__}
        absent: dict[str, Any] = dict.fromkeys(set(pictures_of(given)) - set(shown.pictures))
        given = replace(given, **known, **absent)
        missing = set(shown.pictures) - set(pictures_of(given))
        if missing:
            self.notes.add(f"some chunks had pictures that cannot be made again: {', '.join(sorted(missing))}")
        chunk = self._generator.step(given)
        self._re_anchor.see(chunk)
        return finish(chunk, Finish.of(snapshot, layout))

    def _still(self, wish: Wish) -> Pixels | None:
        """A picture of the media folder; offline, it is waited for. One that is not there was left out live, too."""
        if wish not in self._stills:
            try:
                picture = load_picture(self._media.find(wish.name))
                self._stills[wish] = fit_still(picture, wish.use, self._show.size)
            except UserError as missing:
                self.notes.add(str(missing))
                self._stills[wish] = None
        return self._stills[wish]


def check_pictures(show: ShowFile, clip: Path | None) -> None:
    """Raises UserError where the show was shaped by pictures and no clip stands for them."""
    needed = sorted({name for chunk in show.chunks for name in chunk.pictures if name in FROM_INPUT})
    if needed and clip is None:
        raise UserError(
            f"this show was shaped by pictures ({', '.join(needed)}) from {', '.join(show.inputs)}; "
            "its log does not hold them: add --input CLIP"
        )


def _forever(clip: Path, size: tuple[int, int]) -> Iterator[Pixels]:
    frames = read_frames(clip, size)  # opened now: a missing clip is refused before the weights are loaded

    def looped() -> Iterator[Pixels]:
        nonlocal frames
        while True:
            count = 0
            for frame in frames:
                yield frame
                count += 1
            if count == 0:
                raise UserError(f"{clip} holds no frame; take another")
            frames = read_frames(clip, size)

    return looped()
