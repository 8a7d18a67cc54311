"""What there is to take pictures from: senders on the network and on this machine, cameras, screens. One table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.video.endpoints import open_source

LOOK_SIZE = (64, 36)
"""(width, height) of a first look: enough for a thumbnail in a terminal."""

ASK_SECONDS = 0.25
"""How long one NDI finder of several is given; a program on this machine answers in a few hundredths."""

CAMERAS = range(4)
"""Numbers that are tried. Asking for one that is not there takes up to a second, on some systems."""


@dataclass(frozen=True)
class Found:
    """One source. address: for --input. about: what else is known of it."""

    kind: str
    address: str
    about: str = ""


@dataclass(frozen=True)
class Look:
    """What a first look saw. frame: of LOOK_SIZE, None when none came. size: (width, height) as it is sent, 0 unknown.
    error: why there is no picture."""

    frame: Frame | None = None
    size: tuple[int, int] = (0, 0)
    error: str = ""


def find_ndi(seconds: float) -> list[Found]:
    """NDI senders that answer within so many seconds. Raises UserError without the package."""
    from streamvace.video.ndi.runtime import NdiFinder

    patient, told = NdiFinder(), dict[str, str]()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        asking = NdiFinder()  # anew: without mDNS one program answers a finder, and another one the next
        time.sleep(min(left, ASK_SECONDS))
        told.update((each.full_name, each.url) for each in asking.addresses())
        asking.close()
    told.update((each.full_name, each.url) for each in patient.addresses())
    patient.close()
    return [Found("NDI", f"ndi:{name}", url) for name, url in sorted(told.items())]


def find_spout(seconds: float) -> list[Found]:
    """Spout senders. Raises UserError elsewhere than on Windows, and without the package."""
    from streamvace.video.spout.api import load_spout

    return [Found("Spout", f"spout:{name}") for name in load_spout("").SpoutReceiver().getSenderList()]


def find_syphon(seconds: float) -> list[Found]:
    """Syphon servers; on the main thread. Raises UserError elsewhere than on macOS, and without the package."""
    from streamvace.video.syphon.api import load_syphon, servers

    servers.use(load_syphon())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        servers.pump()
        time.sleep(0.05)
    return [Found("Syphon", f"syphon:{server.name or server.app_name}", server.app_name) for server in servers.known]


def find_cameras(seconds: float) -> list[Found]:
    """Cameras that can be opened now."""
    from streamvace.video.camera import open_camera

    found = []
    for index in CAMERAS:
        capture = open_camera(index)
        if capture.isOpened():
            found.append(Found("camera", f"camera:{index}"))
        capture.release()
    return found


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
"""By kind; each waits as long as it is told where an answer takes time."""

ONLY_ON: Mapping[str, str] = {"Spout": "win32", "Syphon": "darwin"}
"""Kinds that other systems do not have, and need not hear of."""


def find_all(seconds: float) -> tuple[list[Found], dict[str, str]]:
    """(what there is, why a kind could not be asked). On the main thread."""
    found: list[Found] = []
    problems: dict[str, str] = {}
    for kind, find in FINDERS.items():
        if ONLY_ON.get(kind, sys.platform) != sys.platform:
            continue
        try:
            found += find(seconds)
        except UserError as error:
            problems[kind] = str(error)
    return found, problems


def look_at(address: str, seconds: float) -> Look:
    """Open the source, wait for its first picture, and close it. Never raises for what a source does."""
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
    except Exception as error:  # noqa: BLE001 - a driver raises anything; it becomes the line of this source
        return Look(error=" ".join(str(error).split()) or type(error).__name__)
    finally:
        source.close()
