"""The names of MIDI ports: those of the devices, each of them once."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def plain(found: Sequence[str], system: str = sys.platform) -> list[str]:
    """The names that the devices have. found: from rtmidi2, in its order.

    On Windows it adds the place of a port in the list to its name. The place changes with every device that is plugged
    in, and a device's input and output have different ones.
    """
    return [name.removesuffix(f" {place}") for place, name in enumerate(found)] if system == "win32" else list(found)


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which no two are equal: two devices of a kind may have the same."""
    return [name if name not in names[:i] else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)]


def out_name(name: str) -> str:
    """The output of a device with this input. Windows numbers the ports of a device as MIDIIN2 and MIDIOUT2."""
    return "MIDIOUT" + name[len("MIDIIN") :] if name.startswith("MIDIIN") else name
