"""The inputs of an offline clip, chunk by chunk: the clip itself, and files that play other roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from streamvace.control.parameters import Snapshot
from streamvace.live.director.layout import ROLES, Pictures
from streamvace.live.inputs.inputs import LEAD, PREFIX
from streamvace.records.chunk import Pixels
from streamvace.system.media import MediaFolder
from streamvace.video.film.source import read_frames


class ClipInputs:
    """Every frame of the clip once and in order, and as many of the other files, whose last frame is held for ever."""

    def __init__(
        self,
        clip: Path,
        mask: Path | None,
        snapshot: Snapshot,
        media: MediaFolder,
        size: tuple[int, int],
        frames: int | None,
    ) -> None:
        """mask: a film or picture that plays the mask. snapshot: `/streamvace/input/ROLE` names a file of the
        media folder, or any path. size: (width, height). frames: None goes to the clip's end.

        Raises UserError for a file that is missing or cannot be read, before a frame is taken.
        """
        self._clip = islice(read_frames(clip, size), frames)
        films = {
            role: _path(text, media) for role in ROLES if role != LEAD and (text := snapshot.text(f"{PREFIX}{role}"))
        }
        if mask is not None:
            films["mask"] = mask
        self._others = {role: _held(read_frames(film, size)) for role, film in films.items()}

    def take(self, count: int) -> tuple[Pictures, int]:
        """(every role's `count` pictures, how many are real frames of the clip).

        The clip's last chunk is filled up by holding its last frame; at its end there are none.
        """
        taken = list(islice(self._clip, count))
        if not taken:
            return Pictures(), 0
        pictures = Pictures.of_one(np.stack([*taken, *[taken[-1]] * (count - len(taken))]))
        others = {role: np.stack(list(islice(film, count))) for role, film in self._others.items()}
        return replace(pictures, **others), len(taken)


def _path(text: str, media: MediaFolder) -> Path:
    """Offline, whoever names a file may read it anyway: any path will do, and a name of the media folder too."""
    path = Path(text.removeprefix("file:")).expanduser()
    return path if path.is_file() else media.find(text)


def _held(frames: Iterator[Pixels]) -> Iterator[Pixels]:
    last: Pixels | None = None
    for frame in frames:
        last = frame
        yield last
    while last is not None:
        yield last
