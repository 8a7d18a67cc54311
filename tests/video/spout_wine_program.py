"""Run by a Windows Python under Wine: our own SpoutSink on the real SpoutGL. Prints one line of JSON.

Wine shares no textures between programs, so what is checked is the sender's side: names, sizes, buffers, life cycle.
Only the standard library, numpy, SpoutGL and streamvace are there.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import SpoutGL

# OpenCV does not load under Wine 8 (it wants Windows' Media Foundation); straight alpha is sent without it.
sys.modules["cv2"] = types.ModuleType("cv2")

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "plugin"))

from streamvace_td.launch import split_options

from streamvace.records.frame import Frame
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.sink import SpoutSink
from tests.touchdesigner.windows_words import WINDOWS_WORDS


def picture(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 4), 128, np.uint8)


def main() -> None:
    report: dict[str, Any] = {}
    lister = SpoutGL.SpoutReceiver()
    first = SpoutSink("sv", TextureOptions(), (640, 368))
    second = SpoutSink("sv", TextureOptions(), (640, 368))
    report["names"] = [first.name, second.name]
    report["listed"] = sorted(lister.getSenderList())
    report["opened_size"] = size_of(lister, "sv")
    for number in range(40):
        width, height = (640, 368) if number % 2 else (832, 480)
        first.publish(Frame(picture(width, height), 0, "test", number))
        while first.sent + first.faults + first.dropped <= number:
            time.sleep(0.001)
    report["resized"] = size_of(lister, "sv")
    report["sent"], report["faults"], report["last_fault"] = first.sent, first.faults, first.last_fault
    report["listed_after_resizing"] = sorted(lister.getSenderList())
    first.close()
    second.close()
    report["listed_after_closing"] = sorted(lister.getSenderList())
    report["refusals"] = [refusal(width) for width in (640, 641)]
    report["words"] = [split_options(text) for text, _ in WINDOWS_WORDS]
    try:
        split_options('--prompt "open')
    except ValueError as error:
        report["open_quote"] = str(error)
    print(json.dumps(report), flush=True)


def size_of(lister: Any, name: str) -> list[int]:
    info = lister.getSenderInfo(name)
    return [info.width, info.height] if info is not None else []


def refusal(width: int) -> str:
    """What the binding says of a buffer for 640 pixels that is told to hold so many, and of one with gaps."""
    sender = SpoutGL.SpoutSender()
    buffer = picture(640, 8) if width > 640 else picture(1280, 8)[:, ::2]
    try:
        sender.sendImage(buffer, width, 8, SpoutGL.enums.GL_RGBA, False, 0)
    except BufferError as error:
        return str(error)
    return "taken"


if __name__ == "__main__":
    main()
