"""Opening a video file or still picture, and what to say of one that cannot be opened."""

from __future__ import annotations

import difflib
import struct
from pathlib import Path
from typing import Any

import av

from streamvace.system.errors import UserError
from streamvace.video.film.limits import FileLimits, file_limits

FILM_FORMATS: tuple[str, ...] = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "mxf", "ogg", "asf", "gif", "apng", "dv", "nut"),
    *("ivf", "obu", "h264", "hevc", "m4v", "mjpeg"),
)
PICTURE_FORMATS: tuple[str, ...] = (
    *("png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "exr_pipe", "dpx_pipe", "hdr_pipe", "pfm_pipe"),
    *("phm_pipe", "jpegxl_pipe", "j2k_pipe", "ppm_pipe", "pgm_pipe", "pam_pipe", "psd_pipe"),
)
"""FFmpeg's demuxers of files that hold all of themselves. Playlists (HLS, DASH, concat, SDP) name other files and
addresses, and are not read."""

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr", ".dpx", ".hdr", ".pfm", ".phm", ".tga"}
    | {".jxl", ".jp2", ".j2k", ".ppm", ".pgm", ".pam", ".psd"}
)
"""A file with one of these is opened as a picture, any other as a film."""

_JPEG = b"\xff\xd8\xff"
"""How a JPEG begins. FFmpeg looks for its end within 2 kB; without it, the suffix names the demuxer of sequences."""

_PICTURE_MARKS = {
    b"\x89PNG": ".png",
    _JPEG: ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"BM": ".bmp",
    b"v/1\x01": ".exr",
    b"#?": ".hdr",
    b"SDPX": ".dpx",
    b"XPDS": ".dpx",
    b"8BPS": ".psd",
}
"""How pictures begin."""

_APPLE_DOUBLE = (b"\x00\x05\x16\x07", b"\x00\x05\x16\x00")
"""How the companions begin that macOS writes to foreign disks, `._clip.mp4` for `clip.mp4`."""

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"v=0", b"[playlist]", b"RTSP", b"ASF ")

_ALPHA_DECODERS = {"vp9": "libvpx-vp9", "vp8": "libvpx"}
"""FFmpeg's own decoders of these leave the alpha out."""


def is_hidden(path: Path) -> bool:
    """Whether file managers hide it: by its name, as macOS's companions are, or by its attribute on Windows."""
    hidden_attribute = 2
    return path.name.startswith(".") or bool(getattr(path.stat(), "st_file_attributes", 0) & hidden_attribute)


def open_container(path: Path) -> tuple[Any, Any]:
    """The container and its video stream, of FFmpeg's choice if there are several.

    Raises UserError for anything that is not a film or picture within the limits.
    """
    if not path.is_file():
        raise _missing(path)
    limits = file_limits()
    limits.check_file(path)
    try:
        container = _open(path, limits)
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, error) from error
    try:
        stream = _stream(path, container)
        if not is_picture_file(path):
            limits.check_film(path, stream.width, stream.height)
        return container, stream
    except BaseException:
        container.close()
        raise


_ANY_TEXT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Texts in other encodings than UTF-8 are no reason to refuse a film. PyAV 19 reads them without being told to."""


def _open(path: Path, limits: FileLimits) -> Any:
    """Only local files, and only of kinds that name no others. The whole path is given: FFmpeg would take a colon in a
    name for a protocol."""
    named: dict[str, Any] = {}
    formats = PICTURE_FORMATS if is_picture_file(path) else FILM_FORMATS
    options = {"max_pixels": str(_most_pixels(path, limits))}
    # TGA has no mark that it could be recognized by, and FFmpeg takes a `%` for the numbers of a sequence.
    if path.suffix.lower() == ".tga" or (is_picture_file(path) and "%" in path.name):
        named, formats, options["pattern_type"] = {"format": "image2"}, ("image2",), "none"
    elif is_picture_file(path) and _begins(path, _JPEG):
        named = {"format": "jpeg_pipe"}
    options |= {"protocol_whitelist": "file", "format_whitelist": ",".join(formats)}
    return av.open(str(path.absolute()), options=options, **_ANY_TEXT, **named)


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def is_picture_file(path: Path) -> bool:
    """Whether the name is that of a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def _most_pixels(path: Path, limits: FileLimits) -> int:
    return limits.pixels if is_picture_file(path) else limits.side**2


def _stream(path: Path, container: Any) -> Any:
    if not container.streams.video:
        what = "only sound" if container.streams.audio else "no picture"
        raise UserError(f"{path} holds {what}; name a film or a picture")
    tiles = [stream for stream in container.streams.video if stream.disposition & av.stream.Disposition.dependent]
    if len(tiles) > 1:
        raise UserError(
            f"{path} is stored in {len(tiles)} tiles, which cannot be assembled here; save it as .jpg or .png"
        )
    stream = container.streams.best("video") or container.streams.video[0]
    if stream.codec_context is None and _is_torn(path):
        raise _incomplete(path, "its index is cut off")
    if stream.codec_context is None:
        converted = f'ffmpeg -i "{path}" -pix_fmt yuv420p "{path.stem}-converted.mp4"'
        raise UserError(f"{path} has a codec that cannot be decoded here; convert it with: {converted}")
    return stream


def decoder_of(path: Path, stream: Any) -> Any:
    """The codec context that decodes the stream, its alpha as well, within the limits."""
    name = _ALPHA_DECODERS.get(stream.codec_context.name, "")
    has_alpha = any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())
    decoder = av.CodecContext.create(name, "r") if name and has_alpha else stream.codec_context
    # A film may change its size in the middle.
    decoder.options = {"max_pixels": str(_most_pixels(path, file_limits()))}
    decoder.thread_type = "AUTO"
    return decoder


def unreadable(path: Path, error: av.FFmpegError | OSError) -> UserError:
    """The refusal of a file that cannot be decoded."""
    why = " ".join((error.strerror or str(error)).split())
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as denied:
        return UserError(f"{path} cannot be opened ({denied.strerror}); check its permissions")
    if not head:
        return UserError(f"{path} is empty (0 bytes); copy or record it again")
    if head.startswith(_APPLE_DOUBLE):
        return UserError(
            f"{path} holds no picture: macOS keeps notes in it; name {path.name.removeprefix('._')} beside it"
        )
    if head.startswith(_PLAYLISTS):
        return UserError(f"{path} is a playlist, and those are not read; name the film itself")
    known = ".webp" if head[8:12] == b"WEBP" else ""
    mark = next((suffix for mark, suffix in _PICTURE_MARKS.items() if head.startswith(mark)), known)
    if isinstance(error, av.ArgumentError) and mark and not is_picture_file(path):
        return UserError(f"{path} holds a picture and has the name of a film; name it {path.stem}{mark}")
    if isinstance(error, av.ArgumentError) and mark:
        return UserError(
            f"{path} {_claim(head)}, or is damaged; at most {file_limits().megapixels:g} megapixels are read, "
            "make it smaller or raise the limit with --max-megapixels"
        )
    if head[4:8] == b"ftyp" or head.startswith((b"RIFF", b"\x1aE\xdf\xa3")):
        return _incomplete(path, why)
    return UserError(f"{path} is no video or picture that can be read here ({why}); name another file")


def _claim(head: bytes) -> str:
    """How large the picture says that it is, if it is a PNG."""
    if not head.startswith(b"\x89PNG") or len(head) < 24:
        return "has too many pixels"
    width, height = struct.unpack(">II", head[16:24])
    return f"has {width * height / 1e6:.0f} megapixels ({width}x{height})"


def _incomplete(path: Path, why: str) -> UserError:
    return UserError(f"{path} is damaged or not complete ({why}); copy it again, or finish the program that writes it")


def _is_torn(path: Path) -> bool:
    """Whether the last box of a film in ISO 14496-12 (MP4, MOV) ends after the file does."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while 0 <= at < size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # the length is in the next eight bytes
                length = int.from_bytes(head[8:16], "big")
            at += max(length, 8) if length else size - at
    return at > size


def _missing(path: Path) -> UserError:
    folder = path.parent
    if not folder.is_dir():
        return UserError(f"no file {path}: the folder {folder} does not exist; check the path")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not is_hidden(entry))
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    there = f"similar there: {', '.join(near)}" if near else f"{len(names)} other files there"
    return UserError(f"no file {path.name} in {folder.resolve()} ({there}); check the name")
