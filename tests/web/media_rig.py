"""A page's server with a media folder, and a client that speaks HTTP by hand."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.web.library import Library, Shelf
from streamvace.web.preview import Routes, WebPreview
from streamvace.web.recordings import Recordings
from streamvace.web.token import Token
from streamvace.web.uploads import Uploads
from tests.patience import PATIENCE_S

KINDS = {".png": "picture", ".mp4": "film", ".mov": "film"}
GOOD = b"good"
"""How a file begins that this rig's decoder takes."""


def kind_of(name: str) -> str:
    return KINDS.get(Path(name).suffix.lower(), "")


def check(path: Path) -> None:
    if not path.read_bytes().startswith(GOOD):
        raise UserError(f"{path} is damaged; save it again")


class MediaRig:
    """What a server serves of a media folder.

    looked: how often the sources were searched. opened: folders that were shown. headless: why none can be shown.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.media = MediaFolder(root)
        self.looked = 0
        self.opened: list[Path] = []
        self.headless = ""
        self.recorded = ""
        self.uploads = Uploads(self.media, kind_of, check)
        shelf = Shelf(self.media, kind_of, self._thumbnail, self._sources, lambda address: {"1": b"one"}.get(address))
        self.library = Library(shelf)
        recordings = Recordings(self.media, lambda: self.recorded, self._open)
        self.parts: tuple[Routes, ...] = (self.uploads, self.library, recordings)

    def stored(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def _open(self, folder: Path) -> None:
        if self.headless:
            raise UserError(self.headless)
        self.opened.append(folder)

    def _thumbnail(self, path: Path) -> bytes:
        check(path)
        return b"small " + path.name.encode()

    def _sources(self) -> tuple[list[dict[str, object]], dict[str, str]]:
        self.looked += 1
        return [{"kind": "NDI", "address": "ndi:PC (Out)", "about": ""}], {"screen": "no display"}


class MediaServer(MediaRig):
    """The same with a server of its own."""

    def __init__(self, root: Path, token: Token | None = None) -> None:
        super().__init__(root)
        self.web = WebPreview(port=0, parts=self.parts, token=token)

    def close(self) -> None:
        self.web.close()
        self.library.close()

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=PATIENCE_S)
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data, answer.headers

    def json(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, Any]:
        status, data, _ = self.ask(path, method, body)
        return status, json.loads(data)
