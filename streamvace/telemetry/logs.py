"""Where log records go: to the console, escaped, one line each, and within limits.

Log records carry foreign text as well, in the names of senders and in the messages of libraries. A web page can make a
server's library log thousands of them.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from streamvace.system.allowance import Allowance
from streamvace.system.clock import now_ns
from streamvace.system.console import in_one_line, say
from streamvace.telemetry.reporter import LONGEST_LINE, OWN_LINES

CHATTY = ("asyncio", "libav", "PIL")
"""Loggers whose debug records are about their own insides."""

log = logging.getLogger(__name__)


class ConsoleHandler(logging.Handler):
    """Prints warnings within an allowance for each logger, and says how many it left out; debug records all."""

    def __init__(self, write: Callable[[str], None] = say, clock: Callable[[], int] = now_ns) -> None:
        super().__init__()
        self._write = write
        self._clock = clock
        self._allowances: dict[str, Allowance] = {}
        self._left_out: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record, and the traceback of its exception indented below it."""
        name = record.name
        # The names of loggers are those of modules, so the tables are bounded.
        allowance = self._allowances.setdefault(name, Allowance(*OWN_LINES))
        if record.levelno >= logging.WARNING and not allowance.take(self._clock() / 1e9):
            self._left_out[name] = self._left_out.get(name, 0) + 1
            return
        line = _line(record)
        left_out = self._left_out.pop(name, 0)
        self._write(f"{record.levelname} {name}: {line}" + (f" ({left_out} more before)" if left_out else ""))
        if record.exc_info and record.exc_info[0] is not None:
            for part in "".join(traceback.format_exception(*record.exc_info)).splitlines():
                self._write(f"  {part[:LONGEST_LINE]}")


class NewsHandler(logging.Handler):
    """Passes the lines of warnings on, for the surfaces where no console is seen."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._announce = announce

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record's line on."""
        self._announce(_line(record))


@contextmanager
def warnings_announced(announce: Callable[[str], None]) -> Iterator[None]:
    """While this is open, the line of every warning of streamvace's own loggers is announced as well."""
    ours, handler = logging.getLogger("streamvace"), NewsHandler(announce)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)


def _line(record: logging.LogRecord) -> str:
    try:
        return in_one_line(record.getMessage())[:LONGEST_LINE]
    except (TypeError, ValueError) as error:  # a library's own mistake in its arguments
        return f"{in_one_line(str(record.msg))[:LONGEST_LINE]} (cannot be formatted: {error})"


def log_to_console(*, verbose: bool) -> None:
    """Send the records of this process to the console, warnings or all, and errors that end a thread with them."""
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=[ConsoleHandler()])
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = _ended
    threading.excepthook = _thread_ended


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("the program ends because of an error of its own", exc_info=(kind, error, trace))


def _thread_ended(end: threading.ExceptHookArgs) -> None:
    name = "a thread" if end.thread is None else f"the thread {end.thread.name!r}"
    log.critical(
        "%s ended because of an error of its own",
        name,
        exc_info=(end.exc_type, end.exc_value or end.exc_type(), end.exc_traceback),
    )
