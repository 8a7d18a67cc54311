"""The cue file on disk: read at the start and when asked, written whole or not at all, and never over others' work.

Threads: `write` and `load` may be called from any thread and do not wait for the disk; one thread of its own does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from itertools import count
from pathlib import Path

from osc_schema import Parameter
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue, dump, parse
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter

MOST_BYTES = 16 << 20
"""Hundreds of cues of long prompts; anything larger is another file by mistake."""

_BUILT_IN = {"embedded": files("streamvace.embedded").joinpath("looks.json")}
"""Looks that a pipeline ships beside its weights."""


class CueFile:
    """One file; it need not exist yet."""

    def __init__(self, path: Path, schema: Mapping[str, Parameter], reporter: Reporter) -> None:
        self.path = path
        self._schema = schema
        self._reporter = reporter
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cue file")
        self._known: str | None = None  # what the file holds as far as we know; None: it is not there
        self._wanted: tuple[Cue, ...] = ()

    def read(self) -> tuple[Cue, ...]:
        """Its cues; none where there is no file yet. Raises UserError for one that is no cue file."""
        text = self._on_disk()
        cues = () if text is None else parse(text, self._schema, self.path.name)
        self._known = text
        return cues

    def load(self, take: Callable[[tuple[Cue, ...]], None]) -> None:
        """Have it read again soon. take: gets its cues, on this file's thread; a file that is wrong is reported."""
        self._writer.submit(self._load, take)

    def write(self, cues: tuple[Cue, ...]) -> None:
        """Have these written soon. Of several that wait, only the newest are; what goes wrong is reported."""
        self._wanted = cues
        self._writer.submit(self._write, cues)

    def close(self) -> None:
        """Wait until everything is written."""
        self._writer.shutdown()

    def _load(self, take: Callable[[tuple[Cue, ...]], None]) -> None:
        try:
            take(self.read())
        except UserError as error:
            self._reporter.report("cues", f"{error}; the cues stay as they were")

    def _write(self, cues: tuple[Cue, ...]) -> None:
        if cues is not self._wanted:
            return
        text = dump(cues)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self._keep_theirs()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, self.path)
        except (OSError, UserError) as error:
            with suppress(OSError):  # where nothing can be written, nothing is to be removed either
                part.unlink()
            why = error if isinstance(error, UserError) else error.strerror
            self._reporter.report("cues", f"cues are not written to {self.path} ({why}); the next store tries again")
        else:
            self._known = text

    def _keep_theirs(self) -> None:
        """Somebody edited the file during the show: their version is kept beside it."""
        theirs = self._on_disk()
        if theirs is None or theirs == self._known:
            return
        spare = next(
            path for number in count(1) if not (path := self.path.with_name(f"{self.path.name}.bak{number}")).exists()
        )
        os.replace(self.path, spare)
        self._reporter.report(
            "cues", f"{self.path.name} was changed by someone else; their version is {spare.name} now"
        )

    def _on_disk(self) -> str | None:
        try:
            with self.path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"cues {self.path}: cannot be read ({error.strerror}); name another file") from error
        if len(data) > MOST_BYTES:
            raise UserError(f"cues {self.path}: more than {MOST_BYTES >> 20} MB; that is no cue file")
        try:
            # utf-8-sig: Windows' Notepad puts a mark in front. Its line ends are all the same to JSON.
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"cues {self.path}: no UTF-8 text (byte {error.start}); save it as UTF-8") from None


def open_cues(
    path: Path, pipeline: str, schema: Mapping[str, Parameter], reporter: Reporter
) -> tuple[CueList, CueFile]:
    """The cues of a show: the user's from `path`, which need not exist yet, and the pipeline's own.

    Raises UserError for a file that is no cue file: at the start there is time to mend it.
    """
    file = CueFile(path, schema, reporter)
    return CueList(file.read(), built_in_cues(pipeline, schema), file.write), file


def built_in_cues(pipeline: str, schema: Mapping[str, Parameter]) -> tuple[Cue, ...]:
    """The cues that come with a pipeline's weights; none for most. In the format of docs/cues.md."""
    path = _BUILT_IN.get(pipeline)
    if path is None or not path.is_file():
        return ()
    return parse(path.read_text(encoding="utf-8"), schema, path.name)
