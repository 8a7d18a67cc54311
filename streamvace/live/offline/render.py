"""Renders a clip, or a show from its log: every frame once and in order, independent of time.

One thread and one process: a fault ends the command, and no show depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from streamvace.conditioning.controls.networks import Networks
from streamvace.control.coercion import Coerced
from streamvace.control.parameters import Change, Parameters, Snapshot
from streamvace.live.director.anchors import STANDING
from streamvace.live.director.stills import wishes
from streamvace.live.offline.clip_inputs import ClipInputs, Findings
from streamvace.live.offline.director import MakeGenerator, OfflineDirector, load_still
from streamvace.live.offline.film_time import FilmTime
from streamvace.live.offline.output import OfflineOutput
from streamvace.live.offline.replay import Replay, check_pictures
from streamvace.live.offline.signals import OfflineSignals
from streamvace.live.options import check_factory, check_model, resolve_size
from streamvace.live.show_log.reader import read_show
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.model_switch import PIPELINE
from streamvace.live.worker.worker import DEFAULT_FACTORY, resolve
from streamvace.models.manifest import models_folder
from streamvace.records.chunk import Pixels
from streamvace.records.model_options import ModelOptions
from streamvace.system.console import say
from streamvace.system.errors import UserError
from streamvace.system.files import check_output
from streamvace.system.media import MediaFolder
from streamvace.video.core.enlarge import Enlarger
from streamvace.video.film.format import parse_film
from streamvace.video.film.source import clip_info
from streamvace.video.film.writer import VideoWriter

_MASK_SOURCE = "/streamvace/mask_source"

INCOMPLETE = 1
"""Exit code if a film was written, but one that it was made from is cut off."""


@dataclass(frozen=True)
class RenderOptions:
    """One clip. mask: video or picture whose brightness is the mask. media: folder of the user's pictures.

    output: path of the film; options can follow it, as in an address. show: the log of a show to render again. Its
    pipeline and size are the default then, and `input` replaces the live input; it is needed if pictures shaped the
    show.
    upscale: factor from the generated size to the clip's. frames: None renders to the input's end.
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
    """Write the clip; returns the exit code, 0 or INCOMPLETE. Raises UserError, as far as possible before anything is
    written."""
    found = _from_clip(options) if options.show is None else _from_show(options, options.show)
    for note in sorted(found.notes):
        say(f"note: {note}")
    for line in sorted(found.missing):
        say(line)
    return INCOMPLETE if found.missing else 0


def _from_clip(options: RenderOptions) -> Findings:
    """Render every frame of the input with one set of parameters; returns what there is to say."""
    if options.input is None:
        raise UserError("nothing to render; name a clip with --input, or the log of a show with --show")
    size = _checked(options, options.pipeline, options.size)
    parameters = Parameters()
    parameters.apply_bundle([Change(coerced, "cli") for coerced in options.parameters.values()])
    if options.mask is not None:
        parameters.set(_MASK_SOURCE, ("input",), "cli")
    snapshot = parameters.snapshot()
    info = clip_info(options.input)
    time = FilmTime(info.rate)
    time.follow(snapshot)
    media = MediaFolder(options.media)
    inputs = ClipInputs(options.input, options.mask, snapshot, media, size, info.rate, options.frames)
    signals = _signals(options, media, options.pipeline)
    signals.prepare(snapshot)
    pictures = {wish: load_still(wish, media, size) for wish in wishes(snapshot)}
    make = _generator_maker(options, size)
    director = OfflineDirector(options.pipeline, options.model.latency, make, signals, pictures.get)
    total = min(info.frames or 0, options.frames or info.frames or 0) or options.frames
    _write(
        options,
        size,
        info.rate,
        total,
        _clip_frames(director, snapshot, inputs, time, OfflineOutput(info.rate, time, options.upscale)),
    )
    return inputs.findings.and_notes(director.notes)


def _clip_frames(
    director: OfflineDirector, snapshot: Snapshot, inputs: ClipInputs, time: FilmTime, output: OfflineOutput
) -> Iterator[Pixels]:
    """One frame for every frame of the clip."""
    starts, follow = True, snapshot.text("/streamvace/follow_cuts")
    while True:
        cut = follow if inputs.at_cut else ""
        if cut == "hard":
            director.generator.reset()
        taken = inputs.take(director.generator.frames_wanted())
        if not taken.real:
            return
        anchored = starts or snapshot.flag(STANDING)
        moved = time.of_chunk(snapshot, taken.real)
        built = director.build(moved, taken.pictures, taken.moments, anchored=anchored)
        chunk = director.step(replace(built, cut=cut))
        yield from islice(output.pictures(chunk, snapshot, taken.pictures.control), taken.real)
        starts = False


def _from_show(options: RenderOptions, log: Path) -> Findings:
    """Render a show from its log, at its own rate; returns what there is to say."""
    show = read_show(log)
    if set(options.parameters) - {PIPELINE} or options.mask:
        raise UserError("a show has its own parameters; render it without --mask and parameters")
    chosen = options.parameters.get(PIPELINE)
    pipeline = show.pipeline if chosen is None else str(chosen.value)
    size = _checked(options, pipeline, options.size or show.size)
    if options.model.precision == "auto" and pipeline == show.pipeline:
        options = replace(options, model=replace(options.model, precision=show.precision))
    show = replace(show, size=size, pipeline=pipeline)
    check_pictures(show, options.input)
    media = MediaFolder(options.media)
    signals = _signals(options, media, pipeline, show.lead)
    replay = Replay(show, _generator_maker(options, size), media, signals, options.input)
    total = min(show.frames, options.frames or show.frames)
    _write(options, size, show.content_rate, total, replay.pictures(options.upscale))
    return replay.findings.and_notes(replay.notes)


def _write(
    options: RenderOptions, size: tuple[int, int], rate: float, total: int | None, frames: Iterator[Pixels]
) -> None:
    """Write the output. frames: uint8 `[H, W, 3|4]`, already enlarged. size: (width, height) before that. total: of the
    frames, for the progress bar."""
    large = Enlarger(options.upscale).size(size)
    film, film_format = parse_film(str(options.output))
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), "frames", TimeRemainingColumn())
    with (
        VideoWriter(film, large, rate, film_format) as writer,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        for frame in progress.track(islice(frames, options.frames), total, description=film.name):
            writer.write(frame)


def _checked(options: RenderOptions, pipeline: str, asked: tuple[int, int] | None) -> tuple[int, int]:
    """The size (width, height). Raises UserError for options that cannot work; opens nothing."""
    size = resolve_size(pipeline, asked)
    check_model(options.model, pipeline)
    check_factory(options.factory)
    check_output(parse_film(str(options.output))[0], overwrite=options.overwrite)
    return size


def _generator_maker(options: RenderOptions, size: tuple[int, int]) -> MakeGenerator:
    make = resolve(options.factory)
    return lambda pipeline, latency: make(
        WorkerSetup(options.factory, pipeline, size, replace(options.model, latency=latency))
    )


def _signals(options: RenderOptions, media: MediaFolder, pipeline: str, address: str = "file:") -> OfflineSignals:
    return OfflineSignals(Networks(models_folder(), options.model.first_device, say=say), media, pipeline, address)
