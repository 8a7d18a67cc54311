"""The other side of test_ndi.py, in a process of its own, with the plain NDI library and none of our code.

`send NAMES WIDTH HEIGHT RATE`: sends a picture whose every pixel tells where it is, numbered in the metadata, until
killed. Several names, as in a|b, are as many senders; several sizes, as in 64,96, take turns every 20 pictures.
`receive NAME COUNT`: receives so many frames and tells what they were, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import NDIlib as ndi
import numpy as np
from numpy.typing import NDArray


def chart(width: int, height: int) -> NDArray[np.uint8]:
    """Red grows to the right, green to the bottom; alpha grows to the right in the upper half and is full in the lower
    one. uint8 `[H, W, 4]`."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 0] = np.linspace(30, 220, width)[None, :]
    pixels[..., 1] = np.linspace(220, 30, height)[:, None]
    pixels[..., 2] = 90
    pixels[..., 3] = np.linspace(0, 255, width)[None, :]
    pixels[height // 2 :, :, 3] = 255
    return pixels


def send(names: str, width: str, height: str, rate: str) -> None:
    senders = []
    for name in names.split("|"):
        settings = ndi.SendCreate()
        settings.ndi_name, settings.clock_video = name, False
        senders.append(ndi.send_create(settings))
    sizes = [(int(w), int(h)) for w, h in zip(width.split(","), height.split(","), strict=True)]
    charts = [chart(*size) for size in sizes]
    picture = ndi.VideoFrameV2()
    picture.FourCC = ndi.FOURCC_VIDEO_TYPE_RGBA
    picture.frame_rate_N, picture.frame_rate_D = int(rate), 1
    print("sending", flush=True)
    number = 0
    while True:
        picture.data = charts[number // 20 % len(charts)]
        for stream, sender in enumerate(senders):
            picture.metadata = f'<test number="{number}" stream="{stream}"/>'
            ndi.send_send_video_v2(sender, picture)
        number += 1
        time.sleep(1 / float(rate))


def receive(name: str, count: str) -> None:
    search = ndi.FindCreate()
    search.extra_ips = "127.0.0.1"
    finder = ndi.find_create_v2(search)
    found: list[Any] = []
    while not found:
        ndi.find_wait_for_sources(finder, 200)
        found = [s for s in ndi.find_get_current_sources(finder) if s.ndi_name.endswith(f"({name})")]
    settings = ndi.RecvCreateV3()
    settings.color_format = ndi.RECV_COLOR_FORMAT_BGRX_BGRA
    receiver = ndi.recv_create_v3(settings)
    ndi.recv_connect(receiver, found[0])
    frames: list[dict[str, object]] = []
    while len(frames) < int(count):
        kind, video, *_ = ndi.recv_capture_v2(receiver, 500)
        if kind == ndi.FRAME_TYPE_VIDEO:
            middle = video.data[video.yres // 2, video.xres // 2].tolist()
            rate = [video.frame_rate_N, video.frame_rate_D]
            size = [video.xres, video.yres]
            frames.append(
                {"bgra": middle, "rate": rate, "size": size, "metadata": video.metadata, "timecode": video.timecode}
            )
            ndi.recv_free_video_v2(receiver, video)
    print(json.dumps(frames), flush=True)


if __name__ == "__main__":
    assert ndi.initialize()
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
