"""What a server says about its clients: one line for each kind, counted and limited by the show's reporter.

aiohttp and asyncio log a traceback for every bad request. A web page can send thousands, by an `<img>` with a long
address.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from streamvace.system.connections import Report
from streamvace.system.console import in_one_line, one_line

_LONGEST = 200
"""Characters of a line: it can hold what a stranger has sent."""

log = logging.getLogger(__name__)


def server_log(kind: str, report: Report) -> logging.Logger:
    """A logger for aiohttp: problems become lines of this kind, and tracebacks appear with `--verbose` only."""
    logger = logging.Logger(kind, logging.WARNING)
    logger.addHandler(_Reporting(kind, report))
    return logger


def report_loop_errors(loop: asyncio.AbstractEventLoop, kind: str, report: Report) -> None:
    """The same for what the event loop cannot raise: above all a full table of descriptors. asyncio then accepts no
    connection for a second, and tries again."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.debug("%s", context.get("message"), exc_info=error)
        report(kind, _line(str(context.get("message")), error), "")

    loop.set_exception_handler(handle)


class _Reporting(logging.Handler):
    def __init__(self, kind: str, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._kind = kind
        self._say = report

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.debug("%s", record.getMessage(), exc_info=error)
        host = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""  # aiohttp names it first
        self._say(self._kind, _line(record.getMessage(), error), host)


def _line(message: str, error: object) -> str:
    said = f"{message}: {one_line(error)}" if isinstance(error, BaseException) else message
    return in_one_line(said)[:_LONGEST]
