"""The stage process: puts the parts together, waits, and takes them apart again.

Threads: this runs on the main thread. All other work has a thread of its own: source, engine (supervisor and
director), presenter, osc, web.
"""

from __future__ import annotations

from contextlib import ExitStack

from streamvace.control.parameters import Change, Parameters
from streamvace.control.reference_list import EDITS
from streamvace.live.control_surfaces import ControlSurfaces, open_surfaces
from streamvace.live.director.stills import wishes
from streamvace.live.end_with import end_with
from streamvace.live.engine import Engine, make_engine
from streamvace.live.input_setup import open_inputs, open_shelf, open_signals
from streamvace.live.inputs.pictures import load_picture
from streamvace.live.inputs.reference_grab import GRAB, Grabber
from streamvace.live.main_loop import MainLoop, stop_on_signals
from streamvace.live.options import (
    RunOptions,
    check_factory,
    check_model,
    check_port,
    resolve_size,
)
from streamvace.live.output.outputs import check_outputs
from streamvace.live.output.presenter import Presenter
from streamvace.live.output_setup import make_presenter, prepare_outlets
from streamvace.live.show_log.writer import check_new
from streamvace.live.signals.views import check_views, split_views
from streamvace.live.stage import Stage
from streamvace.live.surfaces.greeting import greeting
from streamvace.live.surfaces.status_feed import publish_status
from streamvace.live.worker.model_switch import PIPELINE
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.system.files import check_writable
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter, say
from streamvace.telemetry.telemetry import Telemetry, write_json


def run(options: RunOptions) -> int:
    """Hold a live show until it is told to stop; returns the exit code: 0, or 1 when the generator would not start.

    Raises UserError for anything the user can mend before it starts. The order is: checks, ports, source, worker until
    its weights are loaded, outputs; so that whatever can be refused is refused before any output exists. It is taken
    apart in the opposite order, outputs first, so that their files are complete whatever else hangs.
    """
    size, outputs, views = _checked(options)
    media = MediaFolder(options.media)
    reporter = Reporter()
    grabber = Grabber(media, reporter)
    parameters = Parameters({PIPELINE: options.pipeline}, edits={**EDITS, GRAB: grabber.ask})
    parameters.apply_bundle([Change(coerced, "cli") for coerced in options.parameters.values()])
    for wish in wishes(parameters.snapshot()):
        load_picture(media.find(wish.name))  # a picture that was asked for at the start can still be mended
    with stop_on_signals() as stop, ExitStack() as closing:
        if options.end_with is not None:
            end_with(options.end_with, stop)
        stage = Stage(options, size, media, parameters, Telemetry(), reporter, closing)
        desk = open_surfaces(stage)
        inputs = open_inputs(stage)
        shelf = open_shelf(stage)
        outlets = prepare_outlets(stage, desk, outputs)
        signals = open_signals(stage, inputs, desk.web, views)
        presenter = make_presenter(stage, inputs, outlets)
        closing.callback(grabber.stop)
        grabber.start({"output": presenter.showing, "input": lambda: inputs.ring("control").newest()}, parameters.set)
        engine = make_engine(stage, desk, signals.second, shelf, presenter)
        made = (presenter, inputs, signals.lead, shelf, grabber, engine.director, engine.supervisor, engine.memory)
        for part in (*made, outlets.recorder):
            stage.telemetry.add(part.stats)
        desk.measure(stage)
        # Who plays from another machine sees no terminal: a missing picture must reach the controller.
        stage.telemetry.add(lambda: {"error": reporter.recent() or engine.supervisor.status.error})
        loop = MainLoop(
            stop,
            reporter,
            quit_asked=lambda: parameters.snapshot().fired["/streamvace/quit"] > 0,
            publish_status=lambda: publish_status(
                desk.osc.publish, stage.telemetry.stats(), (*presenter.outputs, *signals.shown.names)
            ),
            window=outlets.window,
        )
        if not _play(stage, desk, engine, presenter, loop):
            return 1
        figures = stage.telemetry.stats()
    if options.stats is not None:
        write_json(options.stats, {**figures, "faults": reporter.counts()})
    return 0


def _play(stage: Stage, desk: ControlSurfaces, engine: Engine, presenter: Presenter, loop: MainLoop) -> bool:
    """Start the worker, then the outputs, and hold the show to its end. False when the generator would not start.
    Raises UserError where it refuses."""
    options, supervisor = stage.options, engine.supervisor
    say(f"loading {options.pipeline} ...")
    stage.closing.callback(supervisor.stop)
    supervisor.start()
    loop.run_until(lambda: not supervisor.status.loading)
    if not (supervisor.status.failed or loop.ended):
        stage.closing.callback(presenter.stop)
        presenter.start()
        loop.run_until(lambda: supervisor.status.was_ready or supervisor.status.failed)
    if supervisor.status.refused:
        raise UserError(supervisor.status.error)
    if supervisor.status.failed:
        say(f"the generator does not start: {supervisor.status.error}; `streamvace --verbose run` says more")
        return False
    if not loop.ended:
        if desk.query is not None:
            say(f"OSCQuery at {desk.query.url}")
        for line in greeting(options.pipeline, stage.size, desk.osc.port, desk.web.url if desk.web else None):
            say(line)
    ready_ns = now_ns()
    loop.run_until(lambda: options.duration_s is not None and now_ns() - ready_ns >= options.duration_s * 1e9)
    return True


def _checked(options: RunOptions) -> tuple[tuple[int, int], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Everything that can be refused without opening anything: (size, outputs, outputs of what the model sees)."""
    size = resolve_size(options.pipeline, options.size)
    check_model(options.model)
    check_factory(options.factory)
    check_port(options.osc_port, "--osc-port")
    check_port(max(options.osc_tcp_port or 0, 0), "--osc-tcp-port")
    check_port(max(options.oscquery_port, 0), "--oscquery-port")
    check_port(max(options.web_port or 0, 0), "--web-port")
    if options.stats is not None:
        check_writable(options.stats, "stats file")
    if options.show_log is not None:
        check_new(options.show_log)
    web = options.web_port is None or options.web_port >= 0
    outputs, views = split_views(options.outputs)
    check_views(views, overwrite=options.overwrite)
    return size, check_outputs(outputs, web=web, overwrite=options.overwrite), views
