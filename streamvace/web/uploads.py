"""Pictures and films that a page sends into the media folder.

    POST /media?name=clip.mp4      the file's bytes as the body; Content-Length is required

The answer is JSON: `{"name": "uploads/clip.mp4", "kind": "film"}` with status 201, or `{"error": "..."}`. The name is
the one that parameters take. A file appears under its name only after it was received whole and could be decoded.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from streamvace.system.console import in_one_line
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file
from streamvace.system.media import MediaFolder, safe_name

FOLDER = "uploads"
"""Where uploads are stored in the media folder."""
MOST_BYTES = {"picture": 64 << 20, "film": 2 << 30}
MOST_AT_ONCE = 2
MOST_STORED = 20 << 30
"""Bytes of all uploads together."""
LEAST_FREE = 1 << 30
"""Bytes that stay free on the disk, for recordings and the cue file."""

_PART = ".upload-"
"""How the name of a file begins while it is received: hidden, and offered nowhere."""
_CHUNK = 1 << 20
_SILENCE_S = 30.0
"""A page that sends nothing for so long is given up, so that its place is free again."""
_LEFT_S = 600.0
"""A part that nobody has written to for so long belongs to no upload, of this show or of another with this folder."""

Check = Callable[[Path], None]
"""Decodes the beginning of a file; raises UserError for one that cannot be used. Called on a thread of its own."""


class Uploads:
    """Receives uploads. Belongs to the web server's event loop; disk and decoder are used on other threads."""

    def __init__(self, media: MediaFolder, kind_of: Callable[[str], str], check: Check) -> None:
        """kind_of: a file name's kind, `picture`, `film` or an empty string for neither."""
        self._media = media
        self._kind_of = kind_of
        self._check = check
        self._announced = 0
        """Bytes of the uploads in progress."""
        self._open = 0
        self._swept = False

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_post("/media", self.receive)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Store one file."""
        try:
            name = safe_name(request.query.get("name", ""))
            kind = self._kind_of(name)
            if not kind:
                return _refused(415, f"{name} is neither a picture nor a film; convert it to .png or .mp4")
            length = request.content_length
            if length is None:
                return _refused(411, "the request does not say how long the file is (Content-Length)")
            if not 0 < length <= MOST_BYTES[kind]:
                return _refused(413, f"{name} has {_mb(length)}; a {kind} may have 1 byte to {_mb(MOST_BYTES[kind])}")
            if self._open >= MOST_AT_ONCE:
                return _refused(429, f"{MOST_AT_ONCE} files are being received already; send {name} after them")
            self._open += 1
            self._announced += length
            try:
                stored = await self._store(request, name, length)
            finally:
                self._open -= 1
                self._announced -= length
        except UserError as error:
            return _refused(422, str(error))
        except OSError as error:
            return _refused(507, f"the media folder cannot be written ({error.strerror})")
        return web.json_response({"name": stored, "kind": kind}, status=201)

    async def _store(self, request: web.Request, name: str, length: int) -> str:
        folder = await asyncio.to_thread(self._folder, length)
        part = folder / f"{_PART}{secrets.token_hex(8)}{Path(name).suffix.lower()}"
        try:
            await _received(request, part, length)
            await asyncio.to_thread(self._check_named, part, name)
            return await asyncio.to_thread(self._keep, part, name)
        finally:
            with suppress(OSError):  # kept, or never begun
                await asyncio.to_thread(part.unlink, missing_ok=True)

    def _folder(self, length: int) -> Path:
        """The folder of the uploads, with room for `length` more bytes. Raises UserError."""
        folder = self._media.place(f"{FOLDER}/x").parent
        if not self._swept:  # what an earlier show left when it was killed
            self._swept = True
            for part in folder.glob(f"{_PART}*"):
                if time.time() - part.stat().st_mtime > _LEFT_S:
                    part.unlink(missing_ok=True)
        stored = sum(entry.stat().st_size for entry in folder.iterdir() if not entry.name.startswith(_PART))
        if stored + self._announced > MOST_STORED:
            raise UserError(f"{folder} holds {_mb(stored)} of at most {_mb(MOST_STORED)}; delete what is not needed")
        free = shutil.disk_usage(folder).free
        if free - self._announced < LEAST_FREE:
            raise UserError(f"the disk of {folder} has {_mb(free)} left, of which {_mb(LEAST_FREE)} stay free")
        return folder

    def _check_named(self, part: Path, name: str) -> None:
        try:
            self._check(part)
        except UserError as error:
            raise UserError(str(error).replace(str(part), name).replace(part.name, name)) from error

    def _keep(self, part: Path, name: str) -> str:
        """Give the file its name, or the first free one like it; returns the name in the media folder."""
        wanted = self._media.place(f"{FOLDER}/{name}")
        number, free = 1, wanted
        while True:
            try:
                free.open("xb").close()  # claims the name: nothing is overwritten
                break
            except FileExistsError:
                number += 1
                free = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        try:
            replace_file(part, free)
        except OSError:
            free.unlink()
            raise
        return f"{FOLDER}/{free.name}"


async def _received(request: web.Request, part: Path, length: int) -> None:
    """Write the body to a file. Raises UserError for one that is cut off."""
    left = length
    file = await asyncio.to_thread(new_file, part)
    try:
        while left > 0:
            try:
                data = await asyncio.wait_for(request.content.read(min(_CHUNK, left)), _SILENCE_S)
            except (asyncio.TimeoutError, ConnectionError, web.HTTPException) as error:
                raise UserError("the upload was cut off; send the file again") from error
            if not data:
                raise UserError("the upload was cut off; send the file again")
            await asyncio.to_thread(file.write, data)
            left -= len(data)
    finally:
        await asyncio.to_thread(file.close)


def _refused(status: int, line: str) -> web.Response:
    return web.json_response({"error": in_one_line(line)}, status=status)


def _mb(count: int) -> str:
    return f"{count / (1 << 20):,.1f} MB"
