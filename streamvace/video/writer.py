"""Writing a video file so that it is there whole, or not at all."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from streamvace.errors import UserError
from streamvace.video.rate import exact_rate

SUFFIXES = (".mp4", ".mov")
BT709 = 1
"""ISO 23091 number of BT.709, the same for matrix, primaries and transfer."""

ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"crf": "18", "preset": "veryfast"}),
    ("mpeg4", {"qscale": "3"}),
)
"""Encoders by preference, with their options; the first that this PyAV was built with is taken."""


class VideoWriter:
    """One file, frame by frame: blocking, nothing dropped. For offline work and for `FileSink`'s thread.

    Writes to `NAME.part.mp4` and renames when closed, so that the final name never holds half a film. Use as a context
    manager: an exception inside removes the part file.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None:
        """size: (width, height), an odd side loses its last pixel row; rate: frames a second.

        Raises UserError for another suffix than .mp4 or .mov, a missing folder, or one that cannot be written to.
        """
        if path.suffix.lower() not in SUFFIXES:
            raise UserError(
                f"cannot write {path.name}: a video file ends in {' or '.join(SUFFIXES)}; try {path.stem}.mp4"
            )
        if path.is_dir():
            raise UserError(f"cannot write {path}: it is a folder; choose another name")
        if not path.parent.is_dir():
            raise UserError(f"cannot write {path.name}: the folder {path.parent} does not exist; create it first")
        self.path = path
        self.part = path.with_name(f"{path.stem}.part{path.suffix}")
        self.frames = 0
        """Frames written."""
        self._width, self._height = size[0] & ~1, size[1] & ~1  # 4:2:0 colour needs even sides
        self._period = 1 / exact_rate(rate)
        encoder, options = next(row for row in ENCODERS if row[0] in av.codecs_available)
        self._container: Any = av.open(str(self.part), "w")
        self._stream: Any = self._container.add_stream(encoder, rate=1 / self._period, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = self._width, self._height, "yuv420p"
        # Unmarked files are guessed at by their height, and every player guesses differently.
        context = self._stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = int(ColorRange.MPEG)
        try:
            self._container.start_encoding()  # opens the file: a folder without room for it shows itself now
        except OSError as error:
            raise UserError(f"cannot write {self.part} ({error.strerror}); choose another name or folder") from error
        self._open = True

    def write(self, pixels: NDArray[np.uint8], index: int | None = None) -> None:
        """Append uint8 `[H, W, 3 or 4]` of the writer's size; alpha is left out.

        index: place of the frame in the film, counted in frames; by default the next. It may leave gaps: the frame
        before a gap is then shown longer.
        """
        rgb = np.ascontiguousarray(pixels[: self._height, : self._width, :3])
        picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.pts = self.frames if index is None else index
        picture.time_base = Fraction(self._period)
        self._container.mux(self._stream.encode(picture))
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name. Without a single frame there is no file. Idempotent."""
        if not self._open:
            return
        if self.frames == 0:
            self.abort()
            return
        self._open = False
        self._container.mux(self._stream.encode())
        self._container.close()
        os.replace(self.part, self.path)

    def abort(self) -> None:
        """Leave nothing behind. Idempotent, and without effect after `close`."""
        if self._open:
            self._open = False
            self._container.close()
            self.part.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
