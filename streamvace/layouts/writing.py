"""`streamvace surfaces DIR`: the files of all surfaces."""

from __future__ import annotations

from pathlib import Path

from streamvace.layouts import open_stage, touchosc
from streamvace.layouts.pages import pages
from streamvace.system.console import say
from streamvace.system.errors import UserError
from streamvace.system.files import new_file


def write_surfaces(folder: Path, reply_port: int, *, overwrite: bool) -> None:
    """Write the files into a folder, which is made. Raises UserError if one exists and is not to be overwritten.

    reply_port: the UDP port on which TouchOSC receives, 1..65535.
    """
    made = {
        touchosc.NAME: touchosc.layout(pages(), reply_port),
        open_stage.NAME: open_stage.session(pages()).encode("utf-8"),
    }
    for name in made:
        if (folder / name).exists() and not overwrite:
            raise UserError(f"{folder / name} exists; choose another folder, or add --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            with new_file(folder / name) as file:
                file.write(data)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    for name in made:
        say(f"wrote {folder / name}")
