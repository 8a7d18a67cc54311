"""Run by test_real_library.py on Windows: our own SpoutSink on the real SpoutGL. Prints one line of JSON.

Wine shares no textures between programs, so what is checked is the sender's side: names, sizes, buffers, life cycle.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import SpoutGL

from streamvace.records.frame import Frame
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.sink import SpoutSink


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
