"""The cost and stability of every control and mask: `python benchmarks/controls.py [--size 640x368]`.

Cost: the median time of one `update` on one thread, on a moving scene, after a warm-up, and its CPU time, which a busy
machine distorts less. Stability: the change from frame to frame on a still scene with camera noise (standard deviation
4 of 255), next to the change of the camera picture itself. Both use the embedded model's procedural world, so they are
reproducible; the pose control uses a swaying photograph from scikit-image. Controls that need networks are measured
only after `streamvace models pull vision`.

`--clip FILE` measures the cost on a film instead. `--sheet OUT.jpg --clip A.mp4 --clip B.mp4` draws a contact sheet of
every control and mask on each film; `--hue 0` sets the key colour of the chroma mask, once per film.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
from common import arguments
from numpy.typing import NDArray

from streamvace.conditioning.controls import CONTROLS, RAFT_FILE
from streamvace.conditioning.controls.base import Control, ControlSettings, three
from streamvace.conditioning.controls.flow import Flow
from streamvace.conditioning.controls.network_flow import RaftSearch
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.shape import MaskShaper, Shaping
from streamvace.doctor.hardware import processor
from streamvace.embedded.train.sheets import write_sheet
from streamvace.live.options import parse_size
from streamvace.models.manifest import models_folder
from streamvace.system.errors import UserError
from streamvace.video.film.source import clip_info, read_frames
from streamvace.world.pattern_stream import PatternStream

Pixels = NDArray[np.uint8]
Step = Callable[[Pixels, float], Pixels]

RATE = 24.0
NOISE = 4.0
WARM_UP = 8
TARGETS = {
    "control gray": 4,
    "control edges": 4,
    "mask luma": 4,
    "mask chroma": 4,
    "mask motion": 4,
    "control flow": 15,
}
"""The target in milliseconds at 640x368 on a CPU."""

POSES = {"control pose, body only": "none", "control pose, face and hands": "all"}
"""Details of the pose control that are measured besides the default, the face."""


def steps(settings: MaskSettings) -> Mapping[str, Step]:
    """Every control and mask available on this machine, by name."""
    networks, found = Networks(models_folder(), say=print), {}
    for kind in CONTROLS:
        found[f"control {kind}"] = _control(kind, networks)
    if networks.place(RAFT_FILE).exists():
        search = RaftSearch.load(networks.place(RAFT_FILE), networks.device)
        found["control flow, RAFT"] = _step(Flow(search), ControlSettings())
    for name, details in POSES.items():
        found[name] = _control("pose", networks, ControlSettings(pose_details=details, pose_people=1))
    for source in MASKS:
        found[f"mask {source}"] = _mask(source, networks, settings)
    shaper, shaping = MaskShaper(), Shaping(grow=8, feather=12, hold=0.3)
    luma = _mask("luma", networks, settings)
    found["mask luma, grown, feathered, held"] = lambda picture, seconds: shaper.update(
        luma(picture, seconds), seconds, shaping
    )
    return {name: step for name, step in found.items() if step is not None}


def _control(kind: str, networks: Networks, settings: ControlSettings = ControlSettings()) -> Step | None:  # noqa: B008 - frozen
    try:
        return _step(CONTROLS[kind](networks), settings)
    except UserError as error:
        print(f"control {kind} is skipped: {error}")
        return None


def _step(control: Control, settings: ControlSettings) -> Step:
    return lambda picture, seconds: control.update(picture, seconds, settings)


def _mask(source: str, networks: Networks, settings: MaskSettings) -> Step | None:
    try:
        mask = MASKS[source](networks)
    except UserError as error:
        print(f"mask {source} is skipped: {error}")
        return None
    return lambda picture, seconds: mask.update(picture, seconds, settings)


def moving(size: tuple[int, int], count: int) -> list[Pixels]:
    """The `scene` pattern, RGBA."""
    stream = PatternStream("scene", size)
    return [_opaque(stream.frame(k / RATE)) for k in range(count)]


def standing(size: tuple[int, int], count: int) -> list[Pixels]:
    """One frame of the `scene` pattern with camera noise."""
    return noisy(PatternStream("scene", size).frame(1.0), count)


def somebody(size: tuple[int, int], count: int) -> list[Pixels]:
    """A photograph of a person on grey, swaying by 5 % of the width, RGBA."""
    from skimage import data

    side = min(size)
    person = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    stage = np.full((size[1], size[0], 3), 96, np.uint8)
    frames = []
    for k in range(count):
        at = (size[0] - side) / 2 + side / 20 * np.sin(2 * np.pi * k / RATE)
        to_stage = np.array([[1, 0, at], [0, 1, size[1] - side]])
        frames.append(_opaque(cv2.warpAffine(person, to_stage, size, stage.copy(), borderMode=cv2.BORDER_TRANSPARENT)))
    return frames


def noisy(picture: Pixels, count: int) -> list[Pixels]:
    """The picture with camera noise, RGBA."""
    rng = np.random.default_rng(0)
    still = picture[..., :3].astype(np.float32)
    return [_opaque(np.clip(still + rng.normal(0, NOISE, still.shape), 0, 255).astype(np.uint8)) for _ in range(count)]


def _opaque(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), dtype=np.uint8)


def cost_ms(step: Step, pictures: list[Pixels]) -> tuple[float, float]:
    """Medians of one update in ms: (wall time, CPU time)."""
    spent = []
    for k, picture in enumerate(pictures):
        started = time.perf_counter(), time.thread_time()
        step(picture, k / RATE)
        spent.append((time.perf_counter() - started[0], time.thread_time() - started[1]))
    clock, processor_time = zip(*spent[WARM_UP:], strict=True)
    return statistics.median(clock) * 1e3, statistics.median(processor_time) * 1e3


def unsteady(step: Step, pictures: list[Pixels]) -> float:
    """Mean change from frame to frame, of 255, in the second half."""
    made = [step(picture, k / RATE).astype(np.int16) for k, picture in enumerate(pictures)]
    return float(np.mean([np.abs(a - b).mean() for a, b in pairwise(made[len(made) // 2 :])]))


def measure(size: tuple[int, int], frames: int, clip: Path | None) -> dict[str, dict[str, float]]:
    """By name: cost in ms, and change from frame to frame on a still scene."""
    film = list(islice(read_frames(clip, size), frames)) if clip else None
    world, person = film or moving(size, frames), film or somebody(size, frames)
    still_world, still_person = standing(size, frames), noisy(somebody(size, 1)[0], frames)
    costs, changes = {}, {}
    for name, step in steps(MaskSettings()).items():
        costs[name] = cost_ms(step, person if _POSE in name else world)
    for name, step in steps(MaskSettings()).items():
        changes[name] = unsteady(step, still_person if _POSE in name else still_world)
    return {
        name: {"ms": round(clock, 2), "cpu_ms": round(busy, 2), "change": round(changes[name], 3)}
        for name, (clock, busy) in costs.items()
    }


_POSE = "control pose"


def table(figures: Mapping[str, Mapping[str, float]], size: tuple[int, int]) -> Iterator[str]:
    """As Markdown."""
    yield f"| {size[0]}x{size[1]} | cost per frame | CPU time | target | change on a still scene |"
    yield "| --- | --- | --- | --- | --- |"
    for name, figure in figures.items():
        target = f"{TARGETS[name]} ms" if name in TARGETS and size == (640, 368) else ""
        yield f"| {name} | {figure['ms']:.1f} ms | {figure['cpu_ms']:.1f} ms | {target} | {figure['change']:.2f} |"


SHEET_WIDTH, TILE_HEIGHT, CAPTION = 1200, 132, 16


def sheet(clips: list[Path], hues: list[float], frames: int) -> Pixels:
    """A contact sheet of every control and mask on each film, uint8 `[H, W, 3]`."""
    blocks = []
    for number, clip in enumerate(clips):
        info = clip_info(clip)
        tall = info.height > info.width
        settings = MaskSettings(chroma_hue=hues[number] if number < len(hues) else 120.0, chroma_tolerance=0.3)
        blocks.append(_block(list(islice(read_frames(clip, (416, 592) if tall else (640, 368)), frames)), settings))
    return np.concatenate(blocks)


def _block(pictures: list[Pixels], settings: MaskSettings) -> Pixels:
    settings = replace(settings, luma_low=0.55)
    shown = {"picture": pictures[-1][..., :3]}
    for name, step in steps(settings).items():
        for k, picture in enumerate(pictures):
            made = step(picture, k / RATE)
        shown[name] = made if made.ndim == 3 else three(made)
    shown = {
        name: picture
        for name, picture in shown.items()
        if name not in ("control raw", "mask alpha", "mask input", *POSES)
    }
    tiles = [_tile(name.removeprefix("control "), picture) for name, picture in shown.items()]
    across = max(1, SHEET_WIDTH // tiles[0].shape[1])
    rows = [tiles[start : start + across] for start in range(0, len(tiles), across)]
    blank = np.full_like(tiles[0], 24)
    whole = [np.concatenate([*row, *[blank] * (across - len(row))], axis=1) for row in rows]
    block = np.concatenate(whole)
    return np.pad(block, ((0, 0), (0, max(0, SHEET_WIDTH - block.shape[1])), (0, 0)), constant_values=24)


def _tile(name: str, picture: Pixels) -> Pixels:
    width = round(picture.shape[1] * TILE_HEIGHT / picture.shape[0])
    tile = np.full((TILE_HEIGHT + CAPTION, width + 4, 3), 24, np.uint8)
    tile[CAPTION:, 2:-2] = cv2.resize(picture, (width, TILE_HEIGHT), interpolation=cv2.INTER_AREA)
    shown = name.replace("grown, feathered, held", "shaped")
    cv2.putText(tile, shown, (3, CAPTION - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (235, 235, 235), 1, cv2.LINE_AA)
    return tile


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--size", type=parse_size, default="640x368")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--clip", type=Path, action="append", default=[])
    parser.add_argument("--hue", type=float, action="append", default=[])
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    if chosen.sheet:
        write_sheet(chosen.sheet, sheet(chosen.clip, chosen.hue, chosen.frames), quality=82)
        print(f"{chosen.sheet}: {chosen.sheet.stat().st_size / 1000:.0f} kB")
        return
    size = chosen.size
    figures = measure(size, chosen.frames, chosen.clip[0] if chosen.clip else None)
    print(f"{processor()}, 1 thread | OpenCV {cv2.__version__} | {chosen.frames} frames\n")
    print("\n".join(table(figures, size)))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
