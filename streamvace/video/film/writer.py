"""Writing a video file: complete, or not at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file
from streamvace.system.fix_hints import pip_command
from streamvace.video.core.rate import exact_rate
from streamvace.video.core.resize import with_alpha
from streamvace.video.film.format import FORMATS, FilmFormat, check_suffix

BT709 = 1
"""BT.709 in ISO 23091, the same number for matrix, primaries and transfer."""

KEY_SECONDS = 2.0
"""Between two key frames: an unfinished film loses at most this much at its end."""


def part_of(path: Path) -> Path:
    """The path of a film while it is being written."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def begin_part(path: Path, film_format: FilmFormat) -> Path:
    """Make the part file of a film, empty, and return its path.

    Raises UserError for a suffix that the format does not allow, and for a folder that is missing or not writable.
    """
    check_suffix(path, film_format)
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder; choose another name")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path.name}: the folder {path.parent} does not exist; create it first")
    part = part_of(path)
    try:
        new_file(part).close()
    except OSError as error:
        raise UserError(f"cannot write {part} ({error.strerror}); choose another name or folder") from error
    return part


class VideoWriter:
    """One file, frame by frame: blocking, without drops. For rendering and for the child of `FilmProcess`.

    Writes `NAME.part.mp4` and renames it when closed, so that the final name is always a complete film. As a context
    manager it removes the part file after an exception.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], rate: float, film_format: FilmFormat = FORMATS["h264"]
    ) -> None:
        """size: (width, height), an odd side loses its last row of pixels; rate: frames a second.

        Raises UserError for a suffix that the format does not allow, and for a folder that is missing or not writable.
        """
        self.path = path
        self.part = begin_part(path, film_format)
        self.frames = 0
        """Frames written."""
        self._width, self._height = size[0] & ~1, size[1] & ~1  # 4:2:0 colour needs even sides
        self._period = 1 / exact_rate(rate)
        self._format = film_format
        encoder = next((row for row in film_format.encoders if row[0] in av.codecs_available), None)
        if encoder is None:
            raise UserError(
                f"this PyAV has no {film_format.encoders[0][0]}; use another format, or run: {pip_command('-U', 'av')}"
            )
        # In fragments until it is closed: the part file of a killed process can be played.
        self._container: Any = av.open(str(self.part.absolute()), "w", options={"movflags": "hybrid_fragmented"})
        self._stream: Any = self._container.add_stream(encoder[0], rate=1 / self._period, options=dict(encoder[1]))
        self._stream.width, self._stream.height, self._stream.pix_fmt = self._width, self._height, film_format.pixels
        self._stream.codec_context.gop_size = max(1, round(KEY_SECONDS / self._period))
        # Without these marks every player guesses the colours differently.
        context = self._stream.codec_context
        context.color_primaries = context.color_trc = BT709
        if film_format.yuv:
            context.colorspace, context.color_range = BT709, int(ColorRange.MPEG)
        try:
            self._container.start_encoding()  # opens the file, which fails now if it cannot be written
        except OSError as error:
            raise UserError(f"cannot write {self.part} ({error.strerror}); choose another name or folder") from error
        self._open = True

    def write(self, pixels: NDArray[np.uint8], index: int | None = None) -> None:
        """Append uint8 `[H, W, 3 or 4]` of the writer's size, straight alpha, which formats without alpha drop.

        index: of the frame in the film; default: the next. After a gap the frame before it is shown longer.
        """
        self._encode(pixels[: self._height, : self._width], self.frames if index is None else index)
        self.frames += 1

    def _encode(self, pixels: NDArray[np.uint8], index: int) -> None:
        picture = self._picture(pixels)
        picture.pts = index
        picture.time_base = Fraction(self._period)
        self._container.mux(self._stream.encode(picture))

    def _picture(self, pixels: NDArray[np.uint8]) -> Any:
        if self._format.alpha and pixels.shape[2] == 3:
            pixels = with_alpha(np.ascontiguousarray(pixels))
        kept = np.ascontiguousarray(pixels if self._format.alpha else pixels[..., :3])
        picture = av.VideoFrame.from_ndarray(kept, format="rgba" if self._format.alpha else "rgb24")
        if not self._format.yuv:
            return picture.reformat(format=self._format.pixels)
        return picture.reformat(
            format=self._format.pixels, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )

    def close(self) -> None:
        """Finish the file and rename it. Without a frame there is no file. Idempotent.

        Raises UserError with the place of the film if it cannot be renamed, since another program has the old one open.
        """
        if not self._open:
            return
        if self.frames == 0:
            self.abort()
            return
        self._open = False
        self._container.mux(self._stream.encode())
        self._container.close()
        try:
            replace_file(self.part, self.path)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be replaced ({error.strerror}); the film is complete in {self.part}"
            ) from error

    def abort(self) -> None:
        """Remove the part file. Idempotent, and without effect after `close`."""
        if not self._open:
            return
        self._open = False
        try:
            # Closing FFmpeg's hybrid file without a packet crashes the process: write one.
            if self.frames == 0:
                self._encode(np.zeros((self._height, self._width, 4), np.uint8), 0)
            self._container.mux(self._stream.encode())
        finally:
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
