"""The recordings of the show: downloads, and their folder on the machine itself.

GET  /recordings?name=NAME    the film, in parts if the browser asks for them (Range)
POST /recordings/open         opens the folder, if the browser runs on this machine
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.system.network import is_this_machine
from streamvace.system.open_folder import open_folder

FOLDER = "recordings"
"""Where recordings without a name are stored in the media folder."""


class Recordings:
    """Belongs to the web server's event loop."""

    def __init__(
        self, media: MediaFolder, recorded: Callable[[], str], open_it: Callable[[Path], None] = open_folder
    ) -> None:
        """recorded: the name of the newest finished recording; empty without one."""
        self._media = media
        self._recorded = recorded
        self._open_it = open_it

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/recordings", self._download)
        router.add_post("/recordings/open", self._open)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("name", "")
        path = await asyncio.to_thread(self._finished, name)
        spelled = quote(path.name, safe="")
        return web.FileResponse(path, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{spelled}"})

    async def _open(self, request: web.Request) -> web.StreamResponse:
        if not is_this_machine(request.remote or ""):
            raise web.HTTPForbidden(text="the folder opens only for a browser on the machine of the show\n")
        newest = self._recorded()
        try:
            folder = self._media.find(newest).parent if newest else self._media.place(f"{FOLDER}/x").parent
            await asyncio.to_thread(self._open_it, folder)
        except UserError as error:
            return web.json_response({"error": str(error)}, status=501)
        return web.json_response({"folder": str(folder)})

    def _finished(self, name: str) -> Path:
        """The file of a recording. Other files of the media folder are not given away."""
        try:
            path = self._media.find(name)
        except UserError:
            raise web.HTTPNotFound(text="there is no such recording\n") from None
        stored = self._media.name_of(path)
        is_recording = stored.startswith(f"{FOLDER}/") or stored == self._recorded()
        if not is_recording or path.suffix.lower() not in (".mp4", ".mov") or path.stem.endswith(".part"):
            raise web.HTTPNotFound(text="there is no such recording\n")
        return path
