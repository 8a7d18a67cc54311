"""The moving picture of README: control beside output, prompts changing while the stream runs.

python benchmarks/readme_picture.py docs/streamvace.webp
python benchmarks/readme_picture.py out.webp --sheet frames.png    # a contact sheet too, one frame every half second
"""

from __future__ import annotations

import argparse
from pathlib import Path

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # as `streamvace run` does, and before torch is loaded

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.stream.loading import load_generator
from streamvace.world.pattern_stream import PatternStream
from streamvace.world.scene import FPS

PATTERN = "light"
PATTERN_SEED = 9
BEGINS = 17.0
"""Seconds into the pattern: a heart that circles in front of rings that come closer."""
PROMPTS = (
    "glossy pink shapes on purple and blue tunnel background",
    "metal yellow shapes on purple and red tunnel background",
    "flat white shapes on red and black tunnel background",
    "contour cyan",
)
SECONDS = 5.0
LEAD_IN = 21
"""Frames that are generated but not shown: the first two chunks, which are softer than the rest."""
SEED = 42

SIDE = 408
"""Pixels of each picture on the page; both are enlarged by the same factor."""
GAP, STRIP = 16, 40
BACKDROP, TEXT, DIM = (13, 17, 23), (230, 237, 243), (139, 148, 158)
"""RGB, of GitHub's dark theme; the card looks the same on its light one."""
QUALITY = 72


def stream(seconds: float) -> list[tuple[Pixels, Pixels, str]]:
    """(control, output, prompt) of every frame of one uninterrupted stream; pictures uint8 `[H, W, 3]`."""
    generator = load_generator("embedded", None, ModelOptions("cpu"))
    pattern = PatternStream(PATTERN, generator.size, PATTERN_SEED)
    shown: list[tuple[Pixels, Pixels, str]] = []
    total = round(seconds * FPS)
    while len(shown) < LEAD_IN + total:
        first = len(shown) - LEAD_IN
        prompt = PROMPTS[max(0, first) * len(PROMPTS) // total]
        times = [BEGINS + (first + k) / FPS for k in range(generator.frames_wanted())]
        control = np.stack([pattern.frame(time) for time in times])
        made = generator.step(ChunkInput(prompt, seed=SEED, control=control)).frames
        shown += [(seen, picture, prompt) for seen, picture in zip(control, made, strict=True)]
    return shown[LEAD_IN : LEAD_IN + total]


def card(control: Pixels, output: Pixels, prompt: str) -> Image.Image:
    """One frame: both pictures, and the OSC message in force below them."""
    page = Image.new("RGB", (2 * SIDE + GAP, SIDE + STRIP), BACKDROP)
    words, at = ImageDraw.Draw(page), SIDE + STRIP // 2
    font = ImageFont.load_default(17)
    for name, picture, left in (("control in", control, 0), ("video out", output, SIDE + GAP)):
        large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        page.paste(Image.fromarray(large), (left, 0))
        words.text((left + 10, 10), name, TEXT, font, stroke_width=2, stroke_fill=BACKDROP)
    words.text((4, at), "/streamvace/prompt", DIM, font, anchor="lm")
    words.text((4 + words.textlength("/streamvace/prompt  ", font), at), f'"{prompt}"', TEXT, font, anchor="lm")
    return page


def main() -> None:
    """Generate, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    cards = [card(*moment) for moment in stream(SECONDS)]
    cards[0].save(
        given.out, save_all=True, append_images=cards[1:], duration=round(1000 / FPS), loop=0, quality=QUALITY
    )
    print(f"wrote {given.out}: {len(cards)} frames, {given.out.stat().st_size / 1e6:.2f} MB")
    if given.sheet:
        picked = [np.asarray(each) for each in cards[:: FPS // 2]]
        picked += [np.zeros_like(picked[0])] * (len(picked) % 2)
        rows = [np.concatenate(picked[k : k + 2], 1) for k in range(0, len(picked), 2)]
        Image.fromarray(np.concatenate(rows)).save(given.sheet)


if __name__ == "__main__":
    main()
