"""The token of the web page: who knows it may watch and steer a show that is open to the network.

It comes with the address (`?token=...`), and a browser keeps it as a cookie. It stays the same from show to show, so
that phones, bookmarks and OBS come back.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from pathlib import Path

from aiohttp import web

from streamvace.system.errors import UserError

_BYTES = 16
"""128 bits cannot be guessed over a network."""
_YEAR_S = 365 * 24 * 3600
_FORM = re.compile(r"[\w-]{16,128}", re.ASCII)


class Token:
    """A token and the requests that carry it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def carried_by(self, request: web.Request) -> bool:
        """Whether a request may be answered."""
        given = (request.query.get("token", ""), request.cookies.get(_cookie(request), ""))
        return any(hmac.compare_digest(each.encode(errors="replace"), self.text.encode()) for each in given)

    def remember(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let the browser send the token with everything else that the page asks for."""
        if "token" in request.query:
            response.set_cookie(_cookie(request), self.text, max_age=_YEAR_S, httponly=True, samesite="Strict")


def kept_token(file: Path) -> Token:
    """The token in a file that only its owner can read; made if there is none. Raises UserError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return Token(_checked(file, file.read_text(encoding="ascii", errors="replace").strip()))
        token = new_token()
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(f"{token.text}\n")
    except OSError as error:
        raise UserError(f"the web page's token cannot be kept in {file} ({error.strerror}); see --no-token") from error
    return token


def new_token() -> Token:
    """A token that nobody has seen."""
    return Token(secrets.token_urlsafe(_BYTES))


def _checked(file: Path, text: str) -> str:
    if not _FORM.fullmatch(text):
        raise UserError(f"{file} holds no token of the web page; delete it, and the next start makes a new one")
    return text


def _cookie(request: web.Request) -> str:
    """Cookies belong to a host and all its ports: two shows of one machine need two names."""
    port = request.host.rpartition(":")[2]
    return f"streamvace-{port}" if port.isdecimal() else "streamvace"
