"""The inputs of a rendered clip, chunk by chunk: the clip itself, and films for other roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from streamvace.control.parameters import Snapshot
from streamvace.live.director.layout import ROLES, Pictures
from streamvace.live.inputs.inputs import LEAD, PREFIX
from streamvace.live.offline.clip_cuts import marked
from streamvace.live.offline.timeline import Shown, Timeline, looped
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.video.film.decode import CutOff
from streamvace.video.film.source import FPS_LIMITS, FileOptions, parse_file, split_file, timed_frames


@dataclass(frozen=True)
class Findings:
    """What was found out about films while they were read: lines for the user.

    notes: how their pictures are converted. missing: which of them ended too early.
    """

    notes: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def and_notes(self, notes: set[str]) -> Findings:
        """With more notes."""
        return replace(self, notes=self.notes | notes)


@dataclass(frozen=True)
class Taken:
    """The inputs of one chunk of F frames.

    pictures: of every role. moments: F presentation times of the clip's frames in seconds. real: how many of the frames
    are the clip's; the rest repeat its last one. 0 after the end.
    """

    pictures: Pictures
    moments: tuple[float, ...] = ()
    real: int = 0


class ClipInputs:
    """Every frame of the clip once and in order, with the pictures of the other films at the same times."""

    def __init__(
        self,
        clip: Path,
        mask: Path | None,
        snapshot: Snapshot,
        media: MediaFolder,
        size: tuple[int, int],
        rate: float,
        frames: int | None,
    ) -> None:
        """mask: a video or picture for the mask. snapshot: `/streamvace/input/ROLE` names a file of the media folder,
        or any path; options follow it as for a live input, but it does not loop unless that is asked for: a film that
        ends before the clip is held. size: (width, height). rate: the clip's frames a second, which a sequence of
        pictures without a rate of its own takes over. frames: at most so many; None reads to the clip's end.

        Raises UserError for a file that is missing or cannot be read.
        """
        self.findings = Findings()
        shown = islice(_shown(clip, size, FileOptions(), self.findings), frames)
        follows = snapshot.text("/streamvace/follow_cuts") != "off"
        self._clip = marked(shown) if follows else ((each, False) for each in shown)
        self._next = next(self._clip, None)
        self._period = 1 / rate
        slowest, fastest = FPS_LIMITS
        defaults: dict[str, Any] = {"loop": False, "fps": min(max(rate, slowest), fastest)}
        films = {
            role: _address(role, text, media, defaults) for role in ROLES if (text := snapshot.text(f"{PREFIX}{role}"))
        }
        if mask is not None:
            if "mask" in films:
                raise UserError(
                    f"--mask {mask} and --input-mask {films['mask'][0]} both name the mask; keep one of them"
                )
            films["mask"] = mask, FileOptions(**defaults)
        self._others = {role: open_timeline(*film, size, self.findings) for role, film in films.items()}

    @property
    def at_cut(self) -> bool:
        """Whether the next frame is the first one after a cut."""
        return self._next is not None and self._next[1]

    def take(self, count: int) -> Taken:
        """The next `count` frames of the clip, fewer if a cut follows, and of every other role."""
        taken: list[Shown] = []
        while self._next is not None and len(taken) < count and not (taken and self.at_cut):
            taken.append(self._next[0])
            self._next = next(self._clip, None)
        if not taken:
            return Taken(Pictures())
        start, _, picture = taken[-1]
        missing = count - len(taken)
        shown = [*(each for *_, each in taken), *[picture] * missing]
        later = (start + number * self._period for number in range(1, missing + 1))
        moments = (*(each for each, *_ in taken), *later)
        others = {role: film.at(moments) for role, film in self._others.items()}
        return Taken(replace(Pictures.of_one(np.stack(shown)), **others), moments, len(taken))


def open_timeline(film: Path, options: FileOptions, size: tuple[int, int], findings: Findings) -> Timeline:
    """A film's pictures by time, fitted to `size` (width, height). Raises UserError if it cannot be opened."""
    play = partial(_shown, film, size, options, findings)
    return Timeline(looped(play) if options.loop else play(), film)


def _shown(film: Path, size: tuple[int, int], options: FileOptions, findings: Findings) -> Iterator[Shown]:
    """A film's pictures, opened now; one that is cut off ends where it ends."""
    frames = timed_frames(film, size, options, tell=findings.notes.add)

    def until_cut() -> Iterator[Shown]:
        try:
            yield from frames
        except CutOff as error:
            findings.missing.add(str(error))

    return until_cut()


def _address(role: str, text: str, media: MediaFolder, defaults: Mapping[str, Any]) -> tuple[Path, FileOptions]:
    """Any path, or a name in the media folder: offline, the user can read the file anyway."""
    option = f"--input-{role} {text}"
    if role == LEAD:
        raise UserError(f"{option}: render takes the {role} from its --input; name that clip there")
    path, options = parse_file(text, defaults)
    if path.exists():
        return path, options
    if text.isdecimal():
        raise UserError(f"{option}: only `run` has numbered inputs; for render, name a file")
    return media.find(split_file(text)[0]), options
