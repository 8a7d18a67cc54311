"""Addresses of other programs that mean commands about cues. Data, and one look-up. docs/cues.md lists them."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from streamvace.control.coercion import pressed

ROW: Final = "/streamvace/qlab_addresses"
GO: Final = "/streamvace/cue/go"

QLAB: Final = (
    ("/go", "cue/go"),
    ("/cue/selected/start", "cue/go"),
    ("/cue/selected/go", "cue/go"),
    ("/cue/{cue}/start", "cue/recall"),
    ("/cue/{cue}/go", "cue/recall"),
    ("/playhead/next", "cue/standby_next"),
    ("/playhead/previous", "cue/standby_previous"),
    ("/playhead/{cue}", "cue/standby"),
    ("/stop", "cue/stop"),
    ("/panic", "cue/stop"),
)
"""An address of QLab, the first that fits -> the command. {cue} is a number or a name, and becomes its argument."""

Given = TypeVar("Given")

_WORKSPACE: Final = re.compile(r"/workspace/[^/]+(?=/)")
_PATTERNS: Final = tuple(
    (re.compile(re.escape(theirs).replace(r"\{cue\}", "([^/]+)")), f"/streamvace/{ours}") for theirs, ours in QLAB
)


def meant(address: str, arguments: tuple[Given, ...]) -> tuple[str, tuple[Given | str, ...]] | None:
    """The command and its arguments that a message of another program means; None if it means none.

    `/workspace/ID` in front is left out. A button that is released presses nothing: the command then is Go, which takes
    no notice of a release.
    """
    path = _WORKSPACE.sub("", address, count=1)
    for pattern, command in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is not None:
            if not found.groups():
                return command, arguments
            return (GO, arguments) if pressed(arguments) is False else (command, found.groups())
    return None
