"""Sets up what comes into a show: inputs, pictures of the media folder, and the signals made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.controls.networks import Networks
from streamvace.control.parameters import Snapshot
from streamvace.live.control_surfaces import ControlSurfaces
from streamvace.live.director.stills import fit_still, picture_lacks, wishes
from streamvace.live.inputs.inputs import Inputs, open_confined
from streamvace.live.inputs.pictures import PictureProcess, PictureShelf
from streamvace.live.output.sinks import SinkOpener
from streamvace.live.signals.auto_kind import AutoKind, FilmKind
from streamvace.live.signals.kind_lacks import KindLacks
from streamvace.live.signals.parts import (
    CONTROL_KIND,
    MASK_SOURCES,
    SECOND_KIND,
    Parts,
    control_maker,
    mask_maker,
    refusing,
)
from streamvace.live.signals.second_control import SecondControl
from streamvace.live.signals.settings import second_settings
from streamvace.live.signals.signal_stage import SECOND, SignalStage
from streamvace.live.signals.views import VIEWS, SignalOutputs, view_openers
from streamvace.live.stage import Stage
from streamvace.models.manifest import models_folder
from streamvace.video.endpoints import open_source
from streamvace.web.preview import WebPreview

_MODULATED_S = 0.04
"""How long the value of a modulated control or mask holds: each new one makes the signal anew."""


@dataclass(frozen=True)
class Signals:
    """The signals that the model sees. lead: control and mask. second: the second control, stacked on `lead`; the
    director samples this one. shown: outputs that show signals. lacks: kinds that cannot run. film: chooses
    what follows film."""

    lead: SignalStage
    second: SignalStage
    shown: SignalOutputs
    lacks: KindLacks
    film: FilmKind


def open_inputs(stage: Stage) -> Inputs:
    """Open the inputs of the command line, then follow the parameters. Raises UserError if one cannot be opened."""
    inputs = Inputs(
        stage.options.inputs,
        open_given=partial(open_source, size=stage.size),
        open_asked=partial(open_confined, size=stage.size, media=stage.media),
        reporter=stage.reporter,
        refuse=lambda address, text, error: stage.refusals.refuse("input", (address,), text, error),
    )
    stage.refusals.watch(inputs.lacks)
    stage.closing.callback(inputs.stop)
    inputs.start()
    stage.followed_by(lambda snapshot: inputs.follow(snapshot.values))
    return inputs


def open_pictures(stage: Stage) -> PictureShelf:
    """Load the pictures that the parameters name, now and after every change."""
    decoder = PictureProcess(in_background=True)
    stage.closing.callback(decoder.close)
    fit = partial(fit_still, size=stage.size)
    pictures = PictureShelf(stage.media, fit, stage.reporter, decoder.load_picture)
    stage.closing.callback(pictures.stop)
    stage.followed_by(lambda snapshot: pictures.want(wishes(snapshot)))
    stage.refusals.watch(lambda: picture_lacks(stage.parameters.snapshot(), pictures.faults()))
    return pictures


def open_signals(stage: Stage, inputs: Inputs, surfaces: ControlSurfaces, views: Sequence[tuple[str, str]]) -> Signals:
    """Start the signals made of the inputs, and their outputs. views: (view, output) pairs as asked for."""
    web = surfaces.web
    shown = SignalOutputs(
        _with_web(web, view_openers(views, stage.size, stage.rate)),
        watched=lambda name: _is_watched(name, web, views),
        reporter=stage.reporter,
        rate=lambda: stage.rate,
    )
    second_control = SecondControl(stage.reporter)
    stage.followed_by(second_control.follow)
    networks = Networks(
        models_folder(), stage.options.model.first_device, say=partial(stage.reporter.report, "control")
    )
    signal_stage = partial(
        SignalStage,
        pipeline=stage.options.pipeline,
        size=stage.size,
        reporter=stage.reporter,
    )
    controls, masks = control_maker(networks), mask_maker(networks, stage.media)
    lacks = KindLacks(networks, stage.media.find)
    film = FilmKind(networks, stage.options.pipeline, lacks.files)

    def parts_for(what: str, kind: str) -> Parts[Control]:
        refuse, note = refusing(stage.refusals, what, kind), lambda line: stage.reporter.note(what, line, "")
        return Parts(controls, refuse, what, lacks.files, note)

    mask_parts = partial(
        Parts,
        masks,
        refusing(stage.refusals, "mask", *MASK_SOURCES),
        "mask",
        lacks.mask_files,
        lambda line: stage.reporter.note("mask", line, ""),
    )
    stage.closing.callback(film.stop)
    lead = signal_stage(
        inputs=inputs,
        snapshot=_modulated(stage, surfaces),
        controls=parts_for("control", CONTROL_KIND),
        masks=mask_parts(),
        watched=lambda: shown.wanted,
        auto=AutoKind(
            film,
            note=lambda line: stage.reporter.note("control", line, ""),
            remark=partial(stage.reporter.report, "control"),
            chosen=second_control.chose,
        ),
        address=lambda: inputs.lead,
    )
    second = signal_stage(
        inputs=lead,
        snapshot=_modulated(stage, surfaces),
        controls=parts_for("second control", SECOND_KIND),
        masks=mask_parts(),
        roles=SECOND,
        wish=second_settings,
    )
    for each in (lead, second, lacks):
        stage.closing.callback(each.stop)
        each.start()
    stage.closing.callback(shown.stop)
    shown.start(lambda: lead.view)
    return Signals(lead, second, shown, lacks, film)


def _modulated(stage: Stage, surfaces: ControlSurfaces) -> Callable[[], Snapshot]:
    """The parameters with what modulators add when a chunk that is built now is seen, for one thread."""
    lane = surfaces.modulators.lane("next_chunk", surfaces.look_ahead.read, _MODULATED_S)
    return lambda: lane(stage.parameters.snapshot())


def _with_web(
    web: WebPreview | None, openers: Mapping[str, tuple[SinkOpener, ...]]
) -> Mapping[str, tuple[SinkOpener, ...]]:
    """The outputs of every view, including the web page's."""
    feeds = {} if web is None else web.views
    return {
        name: (*openers.get(name, ()), *((lambda feed=feeds[name]: feed,) if name in feeds else ())) for name in VIEWS
    }


def _is_watched(name: str, web: WebPreview | None, views: Sequence[tuple[str, str]]) -> bool:
    """Whether a view has an output, or a browser that waits for its next picture: a page takes five a second."""
    return any(view == name for view, _ in views) or (web is not None and web.views[name].wanted)
