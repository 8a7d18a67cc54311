"""The stage process: starts the parts of a show, waits, and shuts them down.

Threads: this runs on the main thread; docs/architecture.md lists the others.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from streamvace.control import random_seed, reference_list
from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.control_surfaces import ControlSurfaces, open_surfaces
from streamvace.live.director.stills import wishes
from streamvace.live.dmx_setup import check_host
from streamvace.live.end_with import end_with
from streamvace.live.engine import Engine, make_engine
from streamvace.live.input_setup import open_inputs, open_pictures, open_signals
from streamvace.live.inputs.pictures import load_picture
from streamvace.live.inputs.reference_grab import GRAB, Grabber
from streamvace.live.main_loop import MainLoop, stop_on_signals
from streamvace.live.options import RunOptions, check_factory, check_model, check_port, resolve_size
from streamvace.live.output.outputs import check_outputs
from streamvace.live.output.presenter import Presenter
from streamvace.live.output_setup import make_presenter, prepare_outlets
from streamvace.live.show_log.writer import check_new
from streamvace.live.signals.views import check_views, split_views
from streamvace.live.stage import Stage
from streamvace.live.surfaces.greeting import greeting
from streamvace.live.surfaces.qr import can_show, qr_lines
from streamvace.live.surfaces.show_state import ShowState
from streamvace.live.surfaces.status_feed import publish_status
from streamvace.live.worker.model_switch import PIPELINE
from streamvace.system.clock import fine_timer, now_ns
from streamvace.system.console import say
from streamvace.system.descriptors import raise_descriptor_limit
from streamvace.system.errors import UserError
from streamvace.system.files import check_writable
from streamvace.system.garbage import leaving_out_what_is_there
from streamvace.system.heaps import few_heaps
from streamvace.system.media import MediaFolder
from streamvace.telemetry.logs import warnings_announced
from streamvace.telemetry.memory import memory_figures
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry, write_json


@dataclass(frozen=True)
class _Checked:
    """What the checks found. size: (width, height). views: (view, output) pairs for what the model sees."""

    size: tuple[int, int]
    outputs: tuple[str, ...]
    views: tuple[tuple[str, str], ...]


def run(options: RunOptions) -> int:
    """Run a live show until it is stopped; returns the exit code: 0, or 1 if the generator does not start.

    Raises UserError for anything the user can fix before the start. The order is: checks, ports, source, worker until
    its weights are loaded, outputs. So everything that can be refused is refused before an output exists. The parts are
    shut down in the opposite order, outputs first, so that their files are complete even if something else hangs.
    """
    raise_descriptor_limit()
    few_heaps()
    checked = _check(options)
    media = MediaFolder(options.media)
    reporter = Reporter()
    grabber = Grabber(media, reporter)
    edits = {**reference_list.EDITS, **random_seed.EDITS, GRAB: grabber.ask}
    given = {coerced.address: coerced.value for coerced in options.parameters.values() if coerced.value is not None}
    parameters = Parameters({PIPELINE: options.pipeline, **given}, edits=edits)
    for wish in wishes(parameters.snapshot()):
        load_picture(media.find(wish.name))  # a picture named at the start is checked before the show
    with fine_timer(), stop_on_signals() as stop, ExitStack() as closing:
        closing.enter_context(warnings_announced(reporter.announce))
        if options.end_with is not None:
            end_with(options.end_with, stop)
        telemetry = Telemetry(partial(reporter.report, "figures"))
        refusals = Refusals(parameters, reporter)
        stage = Stage(options, checked.size, media, parameters, telemetry, reporter, refusals, closing)
        surfaces = open_surfaces(stage)
        surfaces.open_inputs.inputs = inputs = open_inputs(stage)
        pictures = open_pictures(stage)
        outlets = prepare_outlets(stage, surfaces, checked.outputs)
        signals = open_signals(stage, inputs, surfaces, checked.views)
        presenter = make_presenter(stage, inputs, outlets, surfaces.modulators.lane("next_tick"))
        surfaces.pictures.show(presenter.showing)
        closing.callback(grabber.stop)
        grabber.start({"output": presenter.showing, "input": lambda: inputs.ring("control").newest()}, parameters.set)
        engine = make_engine(stage, surfaces, signals.second, pictures, presenter)
        signals.film.pipeline = lambda: engine.supervisor.status.pipeline or options.pipeline
        parts = (presenter, inputs, signals.lead, pictures, grabber, engine.director, engine.supervisor)
        for part in (*parts, outlets.recorder):
            stage.telemetry.add(part.stats)
        state = ShowState(lambda: engine.supervisor.status, parameters.snapshot, telemetry.newest_ns, reporter)
        stage.telemetry.add(state.figures)
        stage.telemetry.add(lambda: {"fps_wanted": min(stage.options.content_rate, stage.rate)})
        stage.telemetry.add(lambda: memory_figures(engine.supervisor.status.pid))
        surfaces.add_figures(stage)
        # A performer on another machine sees no terminal: errors must reach the controller.
        stage.telemetry.add(
            lambda: {
                "error": reporter.recent() or engine.supervisor.status.error,
                "complaint": reporter.complaint(),
            }
        )
        surfaces.fill_web_page(stage, signals.lacks)  # last: a page may be open already, and reads every figure

        def publish() -> None:
            state.announce()
            publish_status(
                surfaces.osc.publish,
                stage.telemetry.stats(),
                outputs=(*presenter.outputs, *signals.shown.names),
                refused=refusals.newest(),
                cues=surfaces.cues.names,
            )

        loop = MainLoop(
            stop,
            reporter,
            quit_asked=lambda: parameters.snapshot().fired["/streamvace/quit"] > 0,
            publish_status=publish,
            window=outlets.window,
        )
        closing.enter_context(leaving_out_what_is_there())
        if not _play(stage, surfaces, engine, presenter, loop):
            return 1
        figures = stage.telemetry.stats()
    if options.stats is not None:
        write_json(options.stats, {**figures, "faults": reporter.counts()})
    return 0


def _play(stage: Stage, surfaces: ControlSurfaces, engine: Engine, presenter: Presenter, loop: MainLoop) -> bool:
    """Start the worker, then the outputs, and run the show to its end. False if the generator does not start.

    Raises UserError if the generator refuses.
    """
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
        if surfaces.query is not None:
            say(f"OSCQuery at {surfaces.query.url}")
        links = surfaces.web.links if surfaces.web else ()
        for line in greeting(options.pipeline, stage.size, surfaces.osc.port, links):
            say(line)
        if len(links) > 1 and can_show():
            for line in qr_lines(links[-1]):
                say(line)
    surfaces.commands.player.show_clock.start()
    ready_ns = now_ns()
    loop.run_until(lambda: options.duration_s is not None and now_ns() - ready_ns >= options.duration_s * 1e9)
    return True


def _check(options: RunOptions) -> _Checked:
    """Everything that can be refused without opening anything. Raises UserError."""
    size = resolve_size(options.pipeline, options.size)
    check_model(options.model, options.pipeline)
    check_factory(options.factory)
    check_host(options.dmx_host)
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
    return _Checked(size, check_outputs(outputs, web=web, overwrite=options.overwrite), views)
