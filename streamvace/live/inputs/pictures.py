"""Pictures from the media folder, in memory when a chunk is built.

Disks are slow and network drives hang, so files are read and fitted on a thread of their own; a chunk takes what is
there and never waits. The newest wish wins: a performer who turns a knob through forty pictures waits for the last
one, not for forty. A file saved anew is read anew, so another program may draw the reference while the show runs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.telemetry.telemetry import Stats
from streamvace.video.film.decode import to_rgba

Pixels = NDArray[np.uint8]

MAX_FILE_BYTES = 64 * 2**20
"""A photograph of the largest cameras; a file beyond it is no reference picture."""

MAX_PIXELS = 50_000_000
"""200 MB as RGBA. Told to the decoder: a file of 100 KB can claim a picture of gigabytes."""

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        ".png": "png_pipe",
        ".jpg": "jpeg_pipe",
        ".jpeg": "jpeg_pipe",
        ".webp": "webp_pipe",
        ".bmp": "bmp_pipe",
        ".tif": "tiff_pipe",
        ".tiff": "tiff_pipe",
    }
)
"""Ending to FFmpeg's demuxer. Named, never guessed: a guess can find a playlist that leads to other files."""


def load_picture(path: Path) -> Pixels:
    """A still picture as uint8 `[H, W, 4]`, RGBA, straight alpha, upright.

    Raises UserError, one line, for another kind of file, one beyond the limits, or one that is damaged.
    """
    demuxer = FORMATS.get(path.suffix.lower())
    if demuxer is None:
        raise UserError(f"{path.name} is no picture: there is {', '.join(FORMATS)}; convert it to .png")
    limits = {"max_pixels": str(MAX_PIXELS)}
    try:
        nbytes = path.stat().st_size
        if nbytes > MAX_FILE_BYTES:
            raise UserError(f"{path.name} has {nbytes / 1e6:.0f} MB, at most {MAX_FILE_BYTES / 1e6:.0f} are possible")
        with av.open(str(path), format=demuxer, stream_options=[limits]) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = limits
            frame = next(container.decode(stream), None)
            if frame is None:
                raise UserError(f"{path.name} holds no picture; save it again")
            return to_rgba(frame)
    except (av.FFmpegError, OSError) as error:
        why = " ".join((error.strerror or str(error)).split())
        raise UserError(
            f"{path.name} cannot be read ({why}; at most {MAX_PIXELS / 1e6:.0f} megapixels); save it again as .png"
        ) from error


Use = Literal["reference", "frame"]
"""What a picture is for, which decides how it is brought to the show's size."""


@dataclass(frozen=True)
class Wish:
    """One picture that is needed. name: of a file in the media folder."""

    name: str
    use: Use


@dataclass(frozen=True)
class _Kept:
    """What a wish gave. stamp: size and time of the file when it was read or refused. pixels: None: never readable."""

    stamp: tuple[int, int]
    pixels: Pixels | None


class PictureShelf:
    """Pictures, read and fitted, for as long as they are wanted.

    Threads: a thread of its own reads; `want`, `take`, `settle` and `stats` may be called from any thread and never
    touch the disk.
    """

    LOOK_S = 1.0
    """Between two looks at the files that are wanted: for one that is missing, half-written or saved anew."""

    CLOSE_S = 2.0
    """A network drive that hangs is left behind after this."""

    def __init__(
        self,
        media: MediaFolder,
        fit: Callable[[Pixels, Use], Pixels],
        reporter: Reporter,
        load: Callable[[Path], Pixels] = load_picture,
    ) -> None:
        """fit: uint8 `[h, w, 4]` to what a chunk takes for that use; called on the shelf's thread."""
        self._media = media
        self._fit = fit
        self._reporter = reporter
        self._load = load
        self._wanted: tuple[Wish, ...] = ()
        self._asked = self._answered = 0  # how often `want` was called, and up to which call the shelf has read
        self._shelf: dict[Wish, _Kept] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._loads = 0
        self._faults = 0
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def want(self, wishes: Iterable[Wish]) -> None:
        """These, and no others, are needed from now on."""
        wanted = tuple(dict.fromkeys(wishes))
        with self._changed:
            if wanted != self._wanted:
                self._wanted = wanted
                self._asked += 1
                self._changed.notify_all()

    def take(self, wish: Wish) -> Pixels | None:
        """The fitted picture, never written to, or None: not read yet, refused, or not wanted."""
        with self._changed:
            kept = self._shelf.get(wish)
        return None if kept is None else kept.pixels

    @property
    def settled(self) -> bool:
        """Everything wanted has been read or refused."""
        with self._changed:
            return self._answered == self._asked

    def settle(self, timeout_s: float) -> bool:
        """Wait until it is settled; False when that took longer. For starts and tests, not for chunks."""
        with self._changed:
            return self._changed.wait_for(lambda: self._answered == self._asked, timeout_s)

    def stats(self) -> Stats:
        """Figures for telemetry."""
        with self._changed:
            return {"pictures": len(self._shelf), "picture_loads": self._loads, "picture_faults": self._faults}

    def stop(self) -> None:
        """End the thread. Idempotent."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(self.CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._answered != self._asked, self.LOOK_S)
                if self._stopped:
                    return
                wanted, asked = self._wanted, self._asked
                self._shelf = {wish: kept for wish, kept in self._shelf.items() if wish in wanted}
            for wish in wanted:
                if self._overtaken(asked):
                    break
                self._look(wish)
            else:
                with self._changed:
                    self._answered = asked
                    self._changed.notify_all()

    def _overtaken(self, asked: int) -> bool:
        """A newer wish makes the rest of this one void."""
        with self._changed:
            return self._stopped or self._asked != asked

    def _look(self, wish: Wish) -> None:
        """Read a file unless the one on the shelf is the same; what cannot be read is said once, not every look."""
        with self._changed:
            before = self._shelf.get(wish, _Kept((-1, -1), None))
            known = wish in self._shelf
        stamp, line, pixels = (-1, -1), "", before.pixels
        try:
            path = self._media.find(wish.name)
            entry = os.stat(path)
            stamp = (entry.st_size, entry.st_mtime_ns)
            if known and stamp == before.stamp:
                return
            pixels = self._fit(self._load(path), wish.use)
        except UserError as error:
            line = str(error)
        except Exception as error:  # noqa: BLE001 - decoders raise anything; counted and reported, the rest goes on
            line = one_line(error)
        said = known and stamp == before.stamp
        with self._changed:
            self._shelf[wish] = _Kept(stamp, pixels)
            self._loads += not line
            self._faults += bool(line) and not said
        if line and not said:
            self._reporter.report("picture", line)
