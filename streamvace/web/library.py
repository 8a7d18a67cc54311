"""What the page shows of the media folder and of the sources.

    GET /media.json                   the pictures and films in the media folder, newest first
    GET /media/thumbnail?name=NAME    a small JPEG of one
    GET /sources.json                 everything that can be an input; `?refresh=1` looks again
    GET /sources/thumbnail?address=A  a small JPEG of an input that is open, or of the pattern

Nothing here opens a camera, a screen or a connection to a sender.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder

Row = Mapping[str, object]
T = TypeVar("T")

MOST_FILES = 500
"""Files in the list; further ones, the oldest, are counted."""
MOST_THUMBNAILS = 256
"""Kept in memory, about 2 MB."""
MOST_WAITING = 64
"""Requests that may wait for a thread; further ones get a 503."""
_THREADS = 2


@dataclass(frozen=True)
class Shelf:
    """What the show gives to the page. Called on the library's threads; each may take seconds and raise UserError.

    kind_of: `picture`, `film` or "" by the name of a file. thumbnail: a JPEG of a file. sources: (what can be an input,
    why a kind could not be searched). look: a JPEG of an input without opening it, or None.
    """

    media: MediaFolder
    kind_of: Callable[[str], str]
    thumbnail: Callable[[Path], bytes]
    sources: Callable[[], tuple[Sequence[Row], Mapping[str, str]]]
    look: Callable[[str], bytes | None]


class Library:
    """Answers the page's questions, a few at a time and on threads of its own."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="library")
        self._waiting = 0
        self._thumbnails: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._sources: asyncio.Task[Row] | None = None

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/media.json", self._list)
        router.add_get("/media/thumbnail", self._thumbnail)
        router.add_get("/sources.json", self._list_sources)
        router.add_get("/sources/thumbnail", self._look)

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._on_thread(partial(listed, self._shelf)))

    async def _thumbnail(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("name", "")
        return _jpeg(await self._on_thread(partial(self._made, name)))

    async def _list_sources(self, request: web.Request) -> web.StreamResponse:
        """All pages share one search."""
        done = self._sources is not None and self._sources.done()
        if self._sources is None or (done and request.query.get("refresh")):
            self._sources = asyncio.ensure_future(self._on_thread(self._searched))
        return web.json_response(await asyncio.shield(self._sources))

    async def _look(self, request: web.Request) -> web.StreamResponse:
        picture = await self._on_thread(partial(self._shelf.look, request.query.get("address", "")))
        if picture is None:
            raise web.HTTPNotFound(text="this input is not open\n")
        return _jpeg(picture)

    def _searched(self) -> Row:
        rows, problems = self._shelf.sources()
        return {"sources": list(rows), "problems": dict(problems)}

    def _made(self, name: str) -> bytes:
        path = self._shelf.media.find(name)
        facts = path.stat()
        key = str(path), facts.st_mtime_ns, facts.st_size
        if key not in self._thumbnails:
            if not self._shelf.kind_of(path.name):
                raise UserError(f"{path.name} is neither a picture nor a film")
            self._thumbnails[key] = self._shelf.thumbnail(path)
            while len(self._thumbnails) > MOST_THUMBNAILS:
                self._thumbnails.popitem(last=False)
        return self._thumbnails[key]

    async def _on_thread(self, work: Callable[[], T]) -> T:
        """The result of work on the library's threads; an HTTP error for what cannot be done."""
        if self._waiting >= MOST_WAITING:
            raise web.HTTPServiceUnavailable(text="too many requests wait already; try again\n")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except (UserError, OSError) as error:
            raise web.HTTPNotFound(text=f"{error}\n") from error
        finally:
            self._waiting -= 1


def listed(shelf: Shelf) -> Row:
    """The pictures and films in the media folder. Links are not followed, hidden files and folders are left out."""
    root = shelf.media.root
    found: list[tuple[float, dict[str, object]]] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or ".part." in name or not (kind := shelf.kind_of(name)):
                continue
            path = Path(folder, name)
            try:
                facts = path.lstat()
            except OSError:  # deleted meanwhile
                continue
            row = {"name": path.relative_to(root).as_posix(), "kind": kind, "bytes": facts.st_size}
            found.append((facts.st_mtime, row))
    found.sort(key=itemgetter(0), reverse=True)
    rows = [{**row, "changed": changed} for changed, row in found[:MOST_FILES]]
    return {"folder": str(root), "files": rows, "more": max(0, len(found) - MOST_FILES)}


def _jpeg(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/jpeg")
