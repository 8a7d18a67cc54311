"""What a stored cue sets, for the page's editor.

GET /cue-values.json?cue=NAME    the values by address
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from osc_schema import Value
from streamvace.system.errors import UserError


class CueValues:
    """Answers from memory."""

    def __init__(self, read: Callable[[object], Mapping[str, Value]]) -> None:
        """read: what a cue sets, by address; any thread. Raises UserError for an unknown cue."""
        self._read = read

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_get("/cue-values.json", self._values)

    async def _values(self, request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(self._read(request.query.get("cue", "")))
        except UserError as error:
            raise web.HTTPNotFound(text=f"{error}\n") from None
