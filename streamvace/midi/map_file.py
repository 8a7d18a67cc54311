"""The map file on disk: read when it changes, written atomically, never over an edit that was not read. One thread."""

from __future__ import annotations

import os
from collections.abc import Mapping as Dict
from contextlib import suppress
from pathlib import Path
from typing import Final

from osc_schema import Parameter
from streamvace.midi.map_format import MidiMap, dump, parse
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, read_text, replace_file

NAME: Final = "midi.json"
"""Its name, beside the cue file."""
MOST_BYTES: Final = 1 << 20
"""More than the rows of a map can take; a larger file is the wrong file."""

_Stamp = tuple[int, int]


class MapFile:
    """One file; it need not exist."""

    def __init__(self, path: Path, schema: Dict[str, Parameter]) -> None:
        self.path = path
        self._schema = schema
        self._stamp: _Stamp | None = None

    def news(self) -> MidiMap | None:
        """The map of a file that has changed since the last call; None if it has not. Without a file, an empty map.

        Raises UserError for a file that cannot be used, once for each change.
        """
        stamp = self._seen()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        return MidiMap() if stamp is None else self.read()

    def read(self) -> MidiMap:
        """The map of the file as it is now; an empty one without a file. Raises UserError."""
        try:
            text = read_text(self.path, MOST_BYTES, "a MIDI map")
        except FileNotFoundError:
            return MidiMap()
        return parse(text, self._schema, self.path.name)

    def write(self, midi_map: MidiMap) -> None:
        """Replace the file. Raises UserError if that is impossible."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(part) as file:
                file.write(dump(midi_map).encode("utf-8"))
            replace_file(part, self.path)
        except OSError as error:
            with suppress(OSError):  # an unwritable folder has no part file either
                part.unlink()
            raise UserError(f"{self.path}: cannot be written ({error.strerror}); the map is unchanged") from error
        self._stamp = self._seen()

    def _seen(self) -> _Stamp | None:
        try:
            seen = self.path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size
