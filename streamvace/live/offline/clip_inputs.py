"""The inputs of a rendered clip, chunk by chunk: the clip itself, and files for other roles."""

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
    """Every frame of the clip once and in order, with as many of the other files, whose last frame is held."""

    def __init__(
        self,
        clip: Path,
        mask: Path | None,
        snapshot: Snapshot,
        media: MediaFolder,
        size: tuple[int, int],
        frames: int | None,
    ) -> None:
        """mask: a video or picture for the mask. snapshot: `/streamvace/input/ROLE` names a file of the media folder,
        or any path. size: (width, height). frames: at most so many; None reads to the clip's end.

        Raises UserError for a file that is missing or cannot be read.
        """
        self._clip = islice(read_frames(clip, size), frames)
        films = {
            role: _path(text, media) for role in ROLES if role != LEAD and (text := snapshot.text(f"{PREFIX}{role}"))
        }
        if mask is not None:
            films["mask"] = mask
        self._others = {role: _held(read_frames(film, size)) for role, film in films.items()}

    def take(self, count: int) -> tuple[Pictures, int]:
        """(`count` pictures of every role, number of real frames of the clip).

        The last chunk is filled up with the clip's last frame. After the end, the number is 0.
        """
        taken = list(islice(self._clip, count))
        if not taken:
            return Pictures(), 0
        pictures = Pictures.of_one(np.stack([*taken, *[taken[-1]] * (count - len(taken))]))
        others = {role: np.stack(list(islice(film, count))) for role, film in self._others.items()}
        return replace(pictures, **others), len(taken)


def _path(text: str, media: MediaFolder) -> Path:
    """Any path, or a name in the media folder: offline, the user can read the file anyway."""
    path = Path(text.removeprefix("file:")).expanduser()
    return path if path.is_file() else media.find(text)


def _held(frames: Iterator[Pixels]) -> Iterator[Pixels]:
    """The frames, then the last one without end."""
    last: Pixels | None = None
    for frame in frames:
        last = frame
        yield last
    while last is not None:
        yield last
