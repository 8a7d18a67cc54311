"""Offline: a clip in, a clip out, every frame once and in order, nothing that depends on time.

One thread, one process: a fault here costs a command, not a show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streamvace.conditioning.controls.networks import Networks
from streamvace.control.coercion import Coerced
from streamvace.control.parameters import Change, Parameters, Snapshot
from streamvace.live.director.anchors import STANDING
from streamvace.live.director.chunk_request import shape_chunk
from streamvace.live.director.compositing import Finish, finish
from streamvace.live.director.drift_correction import DriftCorrection
from streamvace.live.director.layout import lay_out
from streamvace.live.director.stills import fit_still, stills, wishes
from streamvace.live.inputs.pictures import Wish, load_picture
from streamvace.live.offline.clip_inputs import ClipInputs
from streamvace.live.offline.replay import Replay, check_pictures
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.options import check_factory, check_model, context_blocks, resolve_size
from streamvace.live.show_log.reader import read_show
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.model_switch import PIPELINE
from streamvace.live.worker.worker import DEFAULT_FACTORY, ChunkMaker, resolve
from streamvace.models.manifest import models_folder
from streamvace.records.chunk import Chunk
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError
from streamvace.system.files import check_output
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter, say
from streamvace.video.core.enlarge import Enlarger
from streamvace.video.film.format import parse_film
from streamvace.video.film.source import clip_info
from streamvace.video.film.writer import VideoWriter

Pixels = NDArray[np.uint8]

_MASK_SOURCE = "/streamvace/mask_source"


@dataclass(frozen=True)
class RenderOptions:
    """One clip. mask: video or picture whose brightness is the mask. media: folder of the user's pictures.

    show: the log of a show to make again; the input, needed where pictures shaped it, stands for the live one then, and
    pipeline and size are the show's unless a parameter and `size` say otherwise.
    upscale: how much larger the clip is than what is generated. frames: None goes to the input's end.
    """

    input: Path | None
    output: Path
    show: Path | None = None
    mask: Path | None = None
    media: Path | None = None
    pipeline: str = "embedded"
    parameters: Mapping[str, Coerced] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    upscale: int = 1
    frames: int | None = None
    overwrite: bool = False
    model: ModelOptions = field(default_factory=ModelOptions)
    factory: str = DEFAULT_FACTORY


def render_clip(options: RenderOptions) -> int:
    """Write the clip; returns the exit code. Raises UserError before anything is written where it can be foreseen."""
    if options.show is not None:
        return _render_show(options, options.show)
    if options.input is None:
        raise UserError("nothing to render; name a clip with --input, or the log of a show with --show")
    size = _checked(options, options.pipeline, options.size)
    parameters = Parameters()
    parameters.apply_bundle([Change(coerced, "cli") for coerced in options.parameters.values()])
    if options.mask is not None:
        parameters.set(_MASK_SOURCE, ("input",), "cli")
    snapshot = parameters.snapshot()
    info = clip_info(options.input)
    media = MediaFolder(options.media)
    inputs = ClipInputs(options.input, options.mask, snapshot, media, size, options.frames)
    signals = OfflineSignals(
        Networks(models_folder(), options.model.device, say=say), media, options.pipeline, float(info.rate)
    )
    signals.prepare(snapshot)
    pictures = _pictures(snapshot, media, size)
    blocks = context_blocks(options.pipeline)
    setup = WorkerSetup(options.factory, options.pipeline, size, options.model)
    generator = resolve(options.factory)(setup)

    total = min(info.frames or 0, options.frames or info.frames or 0) or options.frames
    notes: set[str] = set()
    enlarge = Enlarger(options.upscale)
    film, film_format = parse_film(str(options.output))
    with VideoWriter(film, enlarge.size(size), info.rate, film_format) as writer, _progress() as progress:
        task = progress.add_task(film.name, total=total)
        for chunk, wanted in _chunks(generator, snapshot, inputs, signals, pictures, blocks):
            for frame in _pictures_of(chunk)[:wanted]:
                writer.write(enlarge(frame))
            progress.advance(task, wanted)
            notes.update(chunk.notes)
    for note in sorted(notes):
        say(f"note: {note}")
    return 0


def _render_show(options: RenderOptions, log: Path) -> int:
    """A show made again from its log, with its own rate."""
    show = read_show(log)
    if set(options.parameters) - {PIPELINE} or options.mask:
        raise UserError("a show has its own parameters; render it without --mask and parameters")
    chosen = options.parameters.get(PIPELINE)
    pipeline = show.pipeline if chosen is None else str(chosen.value)
    size = _checked(options, pipeline, options.size or show.size)
    show = replace(show, size=size, pipeline=pipeline)
    check_pictures(show, options.input)
    media, networks = MediaFolder(options.media), Networks(models_folder(), options.model.device, say=say)
    replay = Replay(
        show,
        lambda name: resolve(options.factory)(WorkerSetup(options.factory, name, size, options.model)),
        media,
        OfflineSignals(networks, media, pipeline, show.content_rate),
        options.input,
    )

    enlarge, left = Enlarger(options.upscale), min(show.frames, options.frames or show.frames)
    film, film_format = parse_film(str(options.output))
    with VideoWriter(film, enlarge.size(size), show.content_rate, film_format) as writer, _progress() as progress:
        task = progress.add_task(film.name, total=left)
        for chunk in replay.chunks():
            for frame in _pictures_of(chunk)[:left]:
                writer.write(enlarge(frame))
            progress.advance(task, min(left, len(chunk.frames)))
            left -= min(left, len(chunk.frames))
            if not left:
                break
    for note in sorted(replay.notes):
        say(f"note: {note}")
    return 0


def _checked(options: RenderOptions, pipeline: str, asked: tuple[int, int] | None) -> tuple[int, int]:
    size = resolve_size(pipeline, asked)
    check_model(options.model)
    check_factory(options.factory)
    check_output(parse_film(str(options.output))[0], overwrite=options.overwrite)
    return size


def _chunks(
    generator: ChunkMaker,
    snapshot: Snapshot,
    inputs: ClipInputs,
    signals: OfflineSignals,
    pictures: Mapping[Wish, Pixels],
    blocks: int,
) -> Iterator[tuple[Chunk, int]]:
    """Each chunk, and how many of its frames answer to a real input frame."""
    re_anchor = DriftCorrection(Reporter())
    starts = True
    while True:
        shown, real = inputs.take(generator.frames_wanted())
        if not real:
            return
        layout = lay_out(snapshot, signals.made_of(shown, snapshot))
        given = stills(snapshot, pictures.get, anchored=starts or snapshot.flag(STANDING))
        chunk = generator.step(re_anchor.apply(shape_chunk(snapshot, layout, blocks, stills=given), snapshot))
        re_anchor.see(chunk)
        yield finish(chunk, Finish.of(snapshot, layout)), real
        starts = False


def _pictures_of(chunk: Chunk) -> Pixels:
    """The chunk's frames with their alpha, where they have one; a film without alpha leaves it out."""
    return chunk.frames if chunk.alpha is None else np.concatenate((chunk.frames, chunk.alpha[..., None]), axis=-1)


def _pictures(snapshot: Snapshot, media: MediaFolder, size: tuple[int, int]) -> Mapping[Wish, Pixels]:
    """Every picture that the parameters name. Raises UserError for one that is missing: offline, all are waited for."""
    return {wish: fit_still(load_picture(media.find(wish.name)), wish.use, size) for wish in wishes(snapshot)}


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
