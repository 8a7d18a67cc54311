"""Finding sources: senders on the network and on this machine, cameras, screens. One table."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from streamvace.records.frame import Frame
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.video.endpoints import open_source

LOOK_SIZE = (64, 36)
"""(width, height) of a first picture: enough for a thumbnail in a terminal."""

ASK_SECONDS = 0.25
"""How long each of several NDI finders waits; a program on this machine answers in a few hundredths of a second."""


@dataclass(frozen=True)
class Found:
    """A source. address: for --input. about: what else is known of it."""

    kind: str
    address: str
    about: str = ""


@dataclass(frozen=True)
class Look:
    """The first picture of a source. frame: of LOOK_SIZE, or None. size: (width, height) as sent, 0 if unknown.
    error: why there is no picture."""

    frame: Frame | None = None
    size: tuple[int, int] = (0, 0)
    error: str = ""


def find_ndi(seconds: float) -> list[Found]:
    """NDI senders that answer within `seconds`. Raises UserError without the package."""
    from streamvace.video.ndi.runtime import NdiFinder

    patient, urls = NdiFinder(), dict[str, str]()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        brief = NdiFinder()  # a new one: without mDNS each finder is answered by one program only
        time.sleep(min(left, ASK_SECONDS))
        urls.update((each.full_name, each.url) for each in brief.addresses())
        brief.close()
    urls.update((each.full_name, each.url) for each in patient.addresses())
    patient.close()
    return [Found("NDI", f"ndi:{name}", url) for name, url in sorted(urls.items())]


def find_spout(seconds: float) -> list[Found]:
    """Spout senders. Raises UserError on systems other than Windows and without the package."""
    from streamvace.video.spout.api import load_spout

    return [Found("Spout", f"spout:{name}") for name in load_spout("").SpoutReceiver().getSenderList()]


def known_syphon(seconds: float) -> list[Found]:
    """Syphon servers that the show's main loop has heard of. Raises as `find_syphon`."""
    from streamvace.video.syphon.api import load_syphon, servers

    servers.use(load_syphon())
    return [Found("Syphon", f"syphon:{server.name or server.app_name}", server.app_name) for server in servers.known]


def find_syphon(seconds: float) -> list[Found]:
    """Syphon servers; on the main thread. Raises UserError on systems other than macOS and without the package."""
    from streamvace.video.syphon.api import load_syphon, servers

    servers.use(load_syphon())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        servers.pump()
        time.sleep(0.05)
    return known_syphon(0)


def find_cameras(seconds: float) -> list[Found]:
    """Cameras that can be opened now."""
    from streamvace.video.camera import PROBED, camera_opens

    return [Found("camera", f"camera:{index}") for index in PROBED if camera_opens(index)]


def find_screens(seconds: float) -> list[Found]:
    """Displays. Raises UserError without the package or without a screen."""
    from streamvace.video.screen import open_grabber

    with open_grabber() as grabber:
        sizes = [(each["width"], each["height"]) for each in grabber.monitors[1:]]
    return [Found("screen", f"screen:{number}", f"{w}x{h}") for number, (w, h) in enumerate(sizes, 1)]


FINDERS: Mapping[str, Callable[[float], list[Found]]] = {
    "NDI": find_ndi,
    "Spout": find_spout,
    "Syphon": find_syphon,
    "camera": find_cameras,
    "screen": find_screens,
}
"""By kind; each may wait for the seconds given."""


def known_cameras(seconds: float) -> list[Found]:
    """Cameras by the system's list, not opened: a camera that is opened lights up. Other systems than Linux have no
    list that can be read without more packages; there the first two numbers are named."""
    if platform.system() != "Linux":
        return [Found("camera", f"camera:{number}", "not looked at") for number in range(2)]
    names = (device.name.removeprefix("video") for device in Path("/dev").glob("video*"))
    return [
        Found("camera", f"camera:{number}", f"/dev/video{number}")
        for number in sorted(map(int, filter(str.isdecimal, names)))
    ]


QUIET_FINDERS: Mapping[str, Callable[[float], list[Found]]] = {
    **FINDERS,
    "Syphon": known_syphon,
    "camera": known_cameras,
}
"""The same for a search during a show: no device is opened."""

ONLY_ON: Mapping[str, str] = {"Spout": "win32", "Syphon": "darwin"}
"""Kinds that other systems do not have; there they are not mentioned."""


def find_all(
    seconds: float, finders: Mapping[str, Callable[[float], list[Found]]] | None = None
) -> tuple[list[Found], dict[str, str]]:
    """(sources, why a kind could not be searched). finders: None: FINDERS, on the main thread; QUIET_FINDERS on any."""
    found: list[Found] = []
    problems: dict[str, str] = {}
    for kind, find in (FINDERS if finders is None else finders).items():
        if ONLY_ON.get(kind, sys.platform) != sys.platform:
            continue
        try:
            found += find(seconds)
        except UserError as error:
            problems[kind] = str(error)
    return found, problems


def look_at(address: str, seconds: float) -> Look:
    """Open the source, wait for its first picture, and close it. Errors of the source become `Look.error`."""
    try:
        source = open_source(address, LOOK_SIZE)
    except UserError as error:
        return Look(error=str(error))
    try:
        end = time.monotonic() + seconds
        frame = source.poll()
        while frame is None and time.monotonic() < end:
            time.sleep(0.02)
            frame = source.poll()
        size: tuple[int, int] = getattr(source, "sender_size", (0, 0))
        return Look(frame, size, "" if frame is not None else f"no picture within {seconds:g} s")
    except Exception as error:  # noqa: BLE001 - a driver raises anything
        return Look(error=one_line(error))
    finally:
        source.close()
