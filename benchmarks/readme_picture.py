"""The moving picture of README: control beside output, prompts changing while the stream runs.

python benchmarks/readme_picture.py docs/streamvace.webp
python benchmarks/readme_picture.py out.webp --sheet frames.png    # a contact sheet too, one frame every half second
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.world.pattern_stream import PatternStream
from streamvace.world.scene import FPS

PATTERN = "light"
PATTERN_SEED = 6
BEGINS = 0.0
"""Seconds into the pattern."""
PROMPTS = (
    "neon cyan shapes on black and purple tunnel background",
    "neon orange shapes on black and red tunnel background",
    "glossy yellow shapes on purple and blue tunnel background",
    "metal white shapes on blue and black tunnel background",
)
SECONDS = 5.0
SEED = 42

SIDE = 384
"""Pixels of each picture on the page; both are enlarged by the same factor."""
GAP, STRIP = 16, 40
BACKDROP, TEXT, DIM = (13, 17, 23), (230, 237, 243), (139, 148, 158)
"""RGB, of GitHub's dark theme; the card looks the same on its light one."""
QUALITY = 72


def stream(seconds: float) -> list[tuple[Pixels, Pixels, str]]:
    """(control, output, prompt) of every frame of one uninterrupted stream; pictures uint8 `[H, W, 3]`."""
    generator = Generator.load("embedded", None, ModelOptions("cpu"))
    pattern = PatternStream(PATTERN, generator.size, PATTERN_SEED)
    shown: list[tuple[Pixels, Pixels, str]] = []
    total = round(seconds * FPS)
    while len(shown) < total:
        first = len(shown)
        prompt = PROMPTS[first * len(PROMPTS) // total]
        times = [BEGINS + (first + k) / FPS for k in range(generator.frames_wanted())]
        control = np.stack([pattern.frame(time) for time in times])
        made = generator.step(ChunkInput(prompt, seed=SEED, control=control)).frames
        shown += [(seen, picture, prompt) for seen, picture in zip(control, made, strict=True)]
    return shown[:total]


def card(control: Pixels, output: Pixels, prompt: str) -> Image.Image:
    """One frame: both pictures, and the OSC message in force below them."""
    page = Image.new("RGB", (2 * SIDE + GAP, SIDE + STRIP), BACKDROP)
    for column, picture in enumerate((control, output)):
        large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        page.paste(Image.fromarray(large), (column * (SIDE + GAP), 0))
    words, at = ImageDraw.Draw(page), SIDE + STRIP // 2
    font = ImageFont.load_default(17)
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
        given.out, save_all=True, append_images=cards[1:], duration=round(1000 / FPS), loop=0, quality=QUALITY, method=6
    )
    print(f"wrote {given.out}: {len(cards)} frames, {given.out.stat().st_size / 1e6:.2f} MB")
    if given.sheet:
        picked = [np.asarray(each) for each in cards[:: FPS // 2]]
        picked += [np.zeros_like(picked[0])] * (len(picked) % 2)
        rows = [np.concatenate(picked[k : k + 2], 1) for k in range(0, len(picked), 2)]
        Image.fromarray(np.concatenate(rows)).save(given.sheet)


if __name__ == "__main__":
    main()
