"""Opening a video file or still picture, and what to say of one that cannot be opened."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import av

from streamvace.system.errors import UserError

_APPLE_DOUBLE = (b"\x00\x05\x16\x07", b"\x00\x05\x16\x00")
"""How the companions begin that macOS writes to foreign disks, `._clip.mp4` for `clip.mp4`."""

_ALPHA_DECODERS = {"vp9": "libvpx-vp9", "vp8": "libvpx"}
"""FFmpeg's own decoders of these leave the alpha out."""


def is_hidden(path: Path) -> bool:
    """Whether file managers hide it: by its name, as macOS's companions are, or by its attribute on Windows."""
    hidden_attribute = 2
    return path.name.startswith(".") or bool(getattr(path.stat(), "st_file_attributes", 0) & hidden_attribute)


def open_container(path: Path) -> tuple[Any, Any]:
    """The container and its video stream, of FFmpeg's choice if there are several. Raises UserError."""
    if not path.is_file():
        raise _missing(path)
    try:
        # FFmpeg reads a name once more: up to a colon as a protocol, unless it is a whole path, and `%d` as the numbers
        # of a sequence. Texts in other encodings than UTF-8 are no reason to refuse a film.
        container = av.open(str(path.absolute()), options={"pattern_type": "none"}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, error.strerror or str(error)) from error
    try:
        return container, _stream(path, container)
    except BaseException:
        container.close()
        raise


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
        raise unreadable(path, "its index is cut off")
    if stream.codec_context is None:
        converted = f'ffmpeg -i "{path}" -pix_fmt yuv420p "{path.stem}-converted.mp4"'
        raise UserError(f"{path} has a codec that cannot be decoded here; convert it with: {converted}")
    return stream


def decoder_of(stream: Any) -> Any:
    """The codec context that decodes the stream, its alpha as well."""
    name = _ALPHA_DECODERS.get(stream.codec_context.name, "")
    has_alpha = any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())
    decoder = av.CodecContext.create(name, "r") if name and has_alpha else stream.codec_context
    decoder.thread_type = "AUTO"
    return decoder


def unreadable(path: Path, why: str) -> UserError:
    """The refusal of a file that cannot be decoded. why: what FFmpeg says."""
    with path.open("rb") as file:
        head = file.read(12)
    if not head:
        return UserError(f"{path} is empty (0 bytes); copy or record it again")
    if head.startswith(_APPLE_DOUBLE):
        return UserError(
            f"{path} holds no picture: macOS keeps notes in it; name {path.name.removeprefix('._')} beside it"
        )
    if head[4:8] == b"ftyp" or head.startswith((b"RIFF", b"\x1aE\xdf\xa3")):
        return UserError(
            f"{path} is damaged or not complete ({_plain(why)}); copy it again, or finish the program that writes it"
        )
    return UserError(f"{path} is no video or picture that can be read here ({_plain(why)}); name another file")


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


def _plain(why: str) -> str:
    return " ".join(why.split())


def _missing(path: Path) -> UserError:
    folder = path.parent
    if not folder.is_dir():
        return UserError(f"no file {path}: the folder {folder} does not exist; check the path")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not is_hidden(entry))
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    there = f"similar there: {', '.join(near)}" if near else f"{len(names)} other files there"
    return UserError(f"no file {path.name} in {folder.resolve()} ({there}); check the name")
