"""Renders every look of the embedded model: one film each, and a contact sheet.

python benchmarks/gallery.py OUT                        # 20 seconds each, on the built-in moving pattern
python benchmarks/gallery.py OUT --input camera.mp4     # on your own clip
python benchmarks/gallery.py OUT --seconds 4 --sheet docs/looks.jpg
python benchmarks/gallery.py OUT --input one.mp4 --input two.mp4 --control gray --only comic --sheet both.jpg
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from common import arguments

import osc_schema
from streamvace.control.coercion import coerce
from streamvace.control.cue_file import built_in_cues
from streamvace.embedded.train.sheets import write_sheet
from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.video.film.source import read_frames
from streamvace.video.film.writer import VideoWriter
from streamvace.world.pattern_stream import PatternStream
from streamvace.world.scene import FPS

SIZE = (256, 256)
CONTROL = "/streamvace/control_kind"
MOMENTS = {1: (0.25, 0.6, 0.95), 2: (0.35, 0.9)}
"""Positions in each film that the sheet shows, by the number of clips; of more clips, the middle."""
COLUMNS = 4


def pattern_clip(path: Path, seconds: float) -> Path:
    """The default pattern of a show without inputs, as a clip."""
    pattern = PatternStream("light", SIZE)
    with VideoWriter(path, SIZE, FPS) as film:
        for k in range(round(seconds * FPS)):
            film.write(pattern.frame(k / FPS))
    return path


def main() -> None:
    cues = built_in_cues("embedded", osc_schema.by_address())
    parser = arguments(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--input", type=Path, action="append", help="a clip; can be repeated")
    parser.add_argument("--control", default="auto", help="what is followed of the clips, such as gray")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--only", action="append", choices=[cue.name for cue in cues], help="a look; can be repeated")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    clips = given.input or [pattern_clip(given.out / "pattern.mp4", given.seconds)]
    frames, moments = round(given.seconds * FPS), MOMENTS.get(len(clips), (0.5,))
    tiles = []
    for cue in cues:
        if given.only and cue.name not in given.only:
            continue
        picked = []
        for clip in clips:
            film = given.out / f"{cue.name.replace(' ', '-')}{'' if len(clips) == 1 else '-' + clip.stem}.mp4"
            values = {**cue.values, CONTROL: coerce(osc_schema.by_address()[CONTROL], (given.control,))}
            render_clip(RenderOptions(clip, film, parameters=values, size=SIZE, frames=frames, overwrite=True))
            shown = [frame[..., :3] for frame in read_frames(film, SIZE)]
            picked += [shown[int(moment * (len(shown) - 1))] for moment in moments]
        picked = np.concatenate(picked, 1)
        strip = np.zeros((28, picked.shape[1], 3), np.uint8)
        cv2.putText(strip, cue.name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (235, 235, 235), 1, cv2.LINE_AA)
        tiles.append(np.concatenate([picked, strip]))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[k : k + COLUMNS], 1) for k in range(0, len(tiles), COLUMNS)]
    sheet = given.sheet or given.out / "looks.jpg"
    whole = cv2.resize(np.concatenate(rows), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    write_sheet(sheet, whole, quality=88)
    print(f"wrote {sheet} and {len(list(given.out.glob('*.mp4')))} films in {given.out}")


if __name__ == "__main__":
    main()
