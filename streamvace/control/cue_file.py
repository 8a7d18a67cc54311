"""The cue file on disk: read at the start and on request, written atomically, never over somebody else's edits.

Threads: any thread may call `write` and `load`; they return at once, and a thread of the file does the work.
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
from streamvace.control.look_pictures import with_pictures
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, read_text, replace_file
from streamvace.telemetry.reporter import Reporter

MOST_BYTES = 16 << 20
"""Enough for hundreds of cues with long prompts; a larger file is the wrong file."""

_BUILT_IN = {"embedded": files("streamvace.embedded").joinpath("looks.json")}
"""The cues of a pipeline, shipped beside its weights."""


class CueFile:
    """One file; it need not exist yet."""

    def __init__(self, path: Path, schema: Mapping[str, Parameter], reporter: Reporter) -> None:
        self.path = path
        self._schema = schema
        self._reporter = reporter
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cue file")
        self._known: str | None = None  # the text last read or written; None: there was no file
        self._wanted: tuple[Cue, ...] = ()

    def read(self) -> tuple[Cue, ...]:
        """The cues of the file; none if it does not exist. Raises UserError for an invalid file."""
        text = self._on_disk()
        cues = () if text is None else parse(text, self._schema, self.path.name)
        self._known = text
        return cues

    def load(self, take: Callable[[tuple[Cue, ...]], None]) -> None:
        """Read the file again, in the background. take: called with the cues, on the file's thread.

        An invalid file is reported and `take` is not called.
        """
        self._writer.submit(self._load, take)

    def write(self, cues: tuple[Cue, ...]) -> None:
        """Write these in the background. Of several waiting writes only the newest happens; errors are reported."""
        self._wanted = cues
        self._writer.submit(self._write, cues)

    def close(self) -> None:
        """Wait for the pending writes."""
        self._writer.shutdown()

    def _load(self, take: Callable[[tuple[Cue, ...]], None]) -> None:
        try:
            take(self.read())
        except UserError as error:
            self._reporter.report("cues", f"{error}; the cues are unchanged")

    def _write(self, cues: tuple[Cue, ...]) -> None:
        if cues is not self._wanted:
            return
        text = dump(cues)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self._back_up_edits()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(part) as file:
                file.write(text.encode("utf-8"))
            replace_file(part, self.path)
        except (OSError, UserError) as error:
            with suppress(OSError):  # an unwritable folder has no part file either
                part.unlink()
            why = error if isinstance(error, UserError) else error.strerror
            self._reporter.report("cues", f"cues are not written to {self.path} ({why}); the next store retries")
        else:
            self._known = text

    def _back_up_edits(self) -> None:
        """Keep a backup of a file that somebody edited during the show."""
        theirs = self._on_disk()
        if theirs is None or theirs == self._known:
            return
        backups = (self.path.with_name(f"{self.path.name}.bak{number}") for number in count(1))
        backup = next(path for path in backups if not path.exists())
        replace_file(self.path, backup)
        self._reporter.report("cues", f"{self.path.name} was edited during the show; the edit is kept as {backup.name}")

    def _on_disk(self) -> str | None:
        try:
            return read_text(self.path, MOST_BYTES, "a cue file")
        except FileNotFoundError:
            return None


def open_cues(
    path: Path, pipeline: str, schema: Mapping[str, Parameter], reporter: Reporter
) -> tuple[CueList, CueFile]:
    """The cues of a show: the user's from `path`, which need not exist yet, and the pipeline's built-in ones.

    Raises UserError for an invalid file.
    """
    file = CueFile(path, schema, reporter)
    return CueList(file.read(), built_in_cues(pipeline, schema), file.write), file


def built_in_cues(pipeline: str, schema: Mapping[str, Parameter]) -> tuple[Cue, ...]:
    """The cues that come with a pipeline's weights; most pipelines have none."""
    path = _BUILT_IN.get(pipeline)
    if path is None or not path.is_file():
        return ()
    return with_pictures(parse(path.read_text(encoding="utf-8"), schema, path.name))
