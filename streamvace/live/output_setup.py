"""Sets up the outputs of a show: window, web page, recorder, every other sink, and the presenter that serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from streamvace.control.parameters import Snapshot
from streamvace.effects.look import Look
from streamvace.live.control_surfaces import ControlSurfaces
from streamvace.live.inputs.inputs import Inputs
from streamvace.live.output.outputs import Borrowed, Window, prepare
from streamvace.live.output.playhead import HoldMode
from streamvace.live.output.presenter import Presenter, Show
from streamvace.live.output.recorder import Recorder
from streamvace.live.output.sinks import SinkOpener, Sinks
from streamvace.live.stage import Stage
from streamvace.live.surfaces.window_keys import WindowKeys
from streamvace.modulators.modulators import Lane
from streamvace.video.core.enlarge import Enlarger


@dataclass(frozen=True)
class Outlets:
    """The outputs. window: None without one. openers: one per sink, called when the presenter starts."""

    window: Window | None
    recorder: Recorder
    openers: tuple[SinkOpener, ...]


def prepare_outlets(stage: Stage, surfaces: ControlSurfaces, outputs: Sequence[str]) -> Outlets:
    """Prepare every output, and open those that do not need a picture. Raises UserError."""
    shown = Enlarger(stage.options.upscale).size(stage.size)
    window, openers = prepare(outputs, shown, stage.rate)
    if window is not None:
        stage.closing.callback(window.close)
        keys = WindowKeys(stage.parameters.snapshot, stage.options.host, surfaces.osc.port)
        window.bind(keys.actions(), keys.help)
    if (web := surfaces.web) is not None:
        openers.append(lambda: Borrowed(web))
    refuse = partial(stage.refusals.take_back, "/streamvace/record", True)
    recorder = Recorder(stage.media, shown, stage.rate, stage.reporter, refuse)
    stage.closing.callback(recorder.close)
    stage.followed_by(recorder.follow)
    openers.append(lambda: recorder)
    return Outlets(window, recorder, tuple(openers))


def make_presenter(stage: Stage, inputs: Inputs, outlets: Outlets, modulated: Lane) -> Presenter:
    """The output clock, not started. modulated: adds what modulators do at this tick."""
    parameters = stage.parameters
    return Presenter(
        size=stage.size,
        content_rate=stage.options.content_rate,
        control=lambda moment_ns: inputs.ring("control").beside(moment_ns),
        show=lambda: show_of(modulated(parameters.snapshot().showing(parameters.fading()))),
        sinks=Sinks(outlets.openers, stage.reporter),
        upscale=stage.options.upscale,
        telemetry=stage.telemetry,
        reporter=stage.reporter,
    )


def show_of(snapshot: Snapshot) -> Show:
    """What the presenter reads of the parameters."""
    return Show(
        rate=snapshot.number("/streamvace/output_rate"),
        generation=snapshot.generation,
        hold_mode=HoldMode(snapshot.text("/streamvace/hold_mode")),
        paused=snapshot.flag("/streamvace/pause"),
        frozen=snapshot.flag("/streamvace/freeze"),
        black=snapshot.flag("/streamvace/blackout"),
        motion=snapshot.text("/streamvace/output_motion"),
        reset_fade=snapshot.number("/streamvace/reset_fade"),
        hard=snapshot.hard,
        look=Look.of(snapshot.number, snapshot.text),
    )
