"""Which MIDI devices there are, asked in a process of its own: an error in the library's C++ can end the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from streamvace.midi.port_names import numbered, plain
from streamvace.system.child import own_pipes, start_child
from streamvace.system.console import one_line
from streamvace.system.errors import UserError

PATIENCE_S: Final = 20.0
"""Far more than the slowest driver takes."""


def found_devices() -> tuple[str, ...]:
    """The names of all devices that can be listened to. Raises UserError if MIDI cannot be used on this machine."""
    child = start_child("streamvace.midi.probe", quiet=True)
    try:
        said, _ = child.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise UserError(
            f"the MIDI drivers did not answer in {PATIENCE_S:.0f} s; unplug the devices one by one"
        ) from None
    found = json.loads(said) if child.returncode == 0 else f"the MIDI library ended with code {child.returncode}"
    if isinstance(found, str):
        fix = "; load the sequencer: sudo modprobe snd_seq" if sys.platform == "linux" else ""
        raise UserError(f"MIDI cannot be opened ({found}){fix}")
    return tuple(found)


def main() -> None:
    """The process: names as JSON, or a text with what is wrong."""
    _, out = own_pipes()
    import rtmidi2  # type: ignore[import-not-found,unused-ignore]

    found: list[str] | str
    try:
        found = numbered(plain(rtmidi2.get_in_ports()))
    except Exception as error:  # noqa: BLE001 - no sequencer, say
        found = one_line(error)
    os.write(out, json.dumps(found).encode())


if __name__ == "__main__":
    main()
