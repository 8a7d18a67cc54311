"""Offline: a clip in, a clip out, every frame once and in order, nothing that depends on time.

One thread, one process: a fault here costs a command, not a show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from osc_schema import Value
from streamvace.chunk import Chunk
from streamvace.live.anchors import STANDING
from streamvace.live.compositing import Finish, finish
from streamvace.live.layout import Pictures, lay_out
from streamvace.live.media import MediaFolder
from streamvace.live.messages import WorkerSetup
from streamvace.live.options import check_factory, check_model, check_video_output, resolve_size
from streamvace.live.parameters import Parameters, Snapshot
from streamvace.live.pictures import Wish, load_picture
from streamvace.live.reporter import say
from streamvace.live.shaping import shape_chunk
from streamvace.live.stills import fit_still, stills, wishes
from streamvace.live.worker import DEFAULT_FACTORY, ChunkMaker, resolve
from streamvace.model_options import ModelOptions
from streamvace.video.enlarge import Enlarger
from streamvace.video.file import clip_info, read_frames
from streamvace.video.writer import VideoWriter

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class RenderOptions:
    """One clip. mask: video or picture whose brightness is the mask. media: folder of the user's pictures.

    upscale: how much larger the clip is than what is generated. frames: None goes to the input's end.
    """

    input: Path
    output: Path
    mask: Path | None = None
    media: Path | None = None
    pipeline: str = "embedded"
    parameters: Mapping[str, Value] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    upscale: int = 1
    frames: int | None = None
    overwrite: bool = False
    model: ModelOptions = field(default_factory=ModelOptions)
    factory: str = DEFAULT_FACTORY


def render_clip(options: RenderOptions) -> int:
    """Write the clip; returns the exit code. Raises UserError before anything is written where it can be foreseen."""
    size = _checked(options)
    snapshot = Parameters(options.parameters).snapshot()
    info = clip_info(options.input)
    control = read_frames(options.input, size)
    mask = _mask_frames(options.mask, size) if options.mask else None
    pictures = _pictures(snapshot, MediaFolder(options.media), size)
    setup = WorkerSetup(options.factory, options.pipeline, size, options.model)
    generator = resolve(options.factory)(setup)

    total = min(info.frames or 0, options.frames or info.frames or 0) or options.frames
    notes: set[str] = set()
    enlarge = Enlarger(options.upscale)
    with VideoWriter(options.output, enlarge.size(size), info.rate) as writer, _progress() as progress:
        task = progress.add_task(options.output.name, total=total)
        for chunk, wanted in _chunks(generator, snapshot, islice(control, options.frames), mask, pictures):
            for frame in chunk.frames[:wanted]:
                writer.write(enlarge(frame))
            progress.advance(task, wanted)
            notes.update(chunk.notes)
    for note in sorted(notes):
        say(f"note: {note}")
    return 0


def _checked(options: RenderOptions) -> tuple[int, int]:
    size = resolve_size(options.pipeline, options.size)
    check_model(options.model)
    check_factory(options.factory)
    check_video_output(options.output, overwrite=options.overwrite)
    return size


def _chunks(
    generator: ChunkMaker,
    snapshot: Snapshot,
    control: Iterator[Pixels],
    mask: Iterator[Pixels] | None,
    pictures: Mapping[Wish, Pixels],
) -> Iterator[tuple[Chunk, int]]:
    """Each chunk, and how many of its frames answer to a real input frame: the last chunk is filled up by holding."""
    starts = True
    while True:
        wanted = generator.frames_wanted()
        taken = list(islice(control, wanted))
        if not taken:
            return
        held = [*taken, *[taken[-1]] * (wanted - len(taken))]
        pixels = np.stack(held)
        masks = np.stack(list(islice(mask, wanted))) if mask is not None else None
        layout = lay_out(snapshot, Pictures.of_one(pixels), masks)
        given = stills(snapshot, pictures.get, anchored=starts or snapshot.flag(STANDING))
        chunk = generator.step(shape_chunk(snapshot, layout, stills=given))
        yield finish(chunk, Finish.of(snapshot, layout)), len(taken)
        starts = False


def _pictures(snapshot: Snapshot, media: MediaFolder, size: tuple[int, int]) -> Mapping[Wish, Pixels]:
    """Every picture that the parameters name. Raises UserError for one that is missing: offline, all are waited for."""
    return {wish: fit_still(load_picture(media.find(wish.name)), wish.use, size) for wish in wishes(snapshot)}


def _mask_frames(path: Path, size: tuple[int, int]) -> Iterator[Pixels]:
    """Brightness of every frame, uint8 `[H, W]`; the last one is held for ever, so a picture is a still mask."""
    luma = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    frames = read_frames(path, size)  # opens the file now: a missing one is refused before the weights are loaded

    def forever() -> Iterator[Pixels]:
        last: Pixels | None = None
        for frame in frames:
            last = np.rint(frame[..., :3].astype(np.float32) @ luma).astype(np.uint8)
            yield last
        while last is not None:
            yield last

    return forever()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
