"""The stage process: puts the parts together, waits, and takes them apart again.

Threads: this runs on the main thread. All other work has a thread of its own: source, engine (supervisor and
director), presenter, osc, web.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from streamvace.conditioning.networks import Networks
from streamvace.errors import UserError
from streamvace.live.beats import BeatGate
from streamvace.live.commands import Commands
from streamvace.live.cue_file import open_cues
from streamvace.live.director import Director
from streamvace.live.end_with import end_with
from streamvace.live.fades import CURVES
from streamvace.live.grabs import GRAB, Grabber
from streamvace.live.greeting import greeting, things_to_try
from streamvace.live.inputs import Inputs, open_confined
from streamvace.live.look_ahead import LookAhead
from streamvace.live.main_loop import MainLoop, stop_on_signals
from streamvace.live.media import MediaFolder
from streamvace.live.memory import ResidentMemory
from streamvace.live.messages import WorkerSetup
from streamvace.live.metrics import metrics
from streamvace.live.model_switch import PIPELINE, ModelSwitch
from streamvace.live.options import (
    DEFAULT_WEB_PORT,
    RunOptions,
    check_factory,
    check_model,
    check_port,
    check_writable,
    context_blocks,
    next_free_port,
    resolve_size,
)
from streamvace.live.outputs import Borrowed, check_outputs, prepare
from streamvace.live.parameters import Parameters
from streamvace.live.pictures import PictureShelf, load_picture
from streamvace.live.playhead import HoldMode
from streamvace.live.presenter import Presenter, Show
from streamvace.live.recorder import Recorder
from streamvace.live.reference_list import EDITS
from streamvace.live.reporter import Reporter, say
from streamvace.live.second_control import SecondControl
from streamvace.live.show_log import LoggedFeed, ShowLog, check_new
from streamvace.live.signal_outputs import VIEWS, SignalOutputs, check_views, split_views, view_openers
from streamvace.live.signal_parts import Parts, control_maker, mask_maker
from streamvace.live.signal_settings import second_settings
from streamvace.live.signal_stage import SECOND, SignalStage
from streamvace.live.sink_bank import SinkBank, SinkOpener
from streamvace.live.status_feed import osc_figures, publish_status, web_figures
from streamvace.live.stills import fit_still, wishes
from streamvace.live.supervisor import Feed, Supervisor
from streamvace.live.telemetry import Telemetry, write_json
from streamvace.live.window_keys import WindowKeys
from streamvace.models.manifest import models_folder
from streamvace.osc.query_server import OscQueryServer
from streamvace.osc.server import OscServer
from streamvace.video.endpoints import open_source
from streamvace.video.enlarge import Enlarger
from streamvace.video.frame import now_ns
from streamvace.web.hosts import host_allowed
from streamvace.web.panel import Panel
from streamvace.web.preview import WebPreview


def run(options: RunOptions) -> int:
    """Hold a live show until it is told to stop; returns the exit code: 0, or 1 when the generator would not start.

    Raises UserError for anything the user can mend before it starts. The order is: checks, ports, source, worker until
    its weights are loaded, outputs; so that whatever can be refused is refused before any output exists. It is taken
    apart in the opposite order, outputs first, so that their files are complete whatever else hangs.
    """
    size, outputs, views = _checked(options)
    media = MediaFolder(options.media)
    telemetry, reporter = Telemetry(), Reporter()
    grabber = Grabber(media, reporter)
    parameters = Parameters({PIPELINE: options.pipeline, **options.parameters}, edits={**EDITS, GRAB: grabber.ask})
    for wish in wishes(parameters.snapshot()):
        load_picture(media.find(wish.name))  # a picture that was asked for at the start can still be mended
    with stop_on_signals() as stop, ExitStack() as stack:
        if options.end_with is not None:
            end_with(options.end_with, stop)
        cue_path = options.cues or media.root / "cues.json"
        cues, cue_file = open_cues(cue_path, options.pipeline, parameters.schema, reporter)
        stack.callback(cue_file.close)
        commands = Commands(parameters, cues, partial(cue_file.load, cues.replace))
        look_ahead = LookAhead()
        gate = BeatGate(look_ahead_s=look_ahead.read)
        stack.callback(gate.close)
        gate.follow(parameters.snapshot().text("/streamvace/quantise"))
        osc = OscServer(
            parameters,
            options.host,
            options.osc_port,
            tcp_port=options.osc_tcp_port,
            commands=commands,
            gate=gate,
            look_ahead_s=look_ahead.read,
        )
        stack.callback(osc.close)
        query = _open_query(options, parameters, osc)
        if query is not None:
            stack.callback(query.close)
        web = _open_web(options, osc.port)
        if web is not None:
            stack.callback(web.close)
        inputs = Inputs(
            options.inputs,
            open_given=partial(open_source, size=size),
            open_asked=partial(open_confined, size=size, media=media),
            reporter=reporter,
        )
        stack.callback(inputs.stop)
        inputs.start()
        parameters.listen(lambda snapshot, changed: inputs.follow(snapshot.values))
        inputs.follow(parameters.snapshot().values)
        shelf = PictureShelf(media, lambda picture, use: fit_still(picture, use, size), reporter)
        stack.callback(shelf.stop)
        parameters.listen(lambda snapshot, changed: shelf.want(wishes(snapshot)))
        shelf.want(wishes(parameters.snapshot()))
        shown, rate = Enlarger(options.upscale).size(size), parameters.snapshot().number("/streamvace/output_rate")
        window, openers = prepare(outputs, shown, rate)
        if window is not None:
            stack.callback(window.close)
            keys = WindowKeys(parameters.snapshot, options.host, osc.port)
            window.bind(keys.actions(), keys.help)
        if web is not None:
            web.set_stats(lambda: web_figures(telemetry, parameters, osc.port))
            rows = parameters.schema.values()
            web.set_panel(Panel(rows, osc.doors, osc.values, osc.cues, glides=commands.glides, curves=CURVES))
            web.set_metrics(metrics(telemetry.stats))
            openers.append(lambda: Borrowed(web))

        recorder = Recorder(media, shown, rate, reporter)
        stack.callback(recorder.close)
        parameters.listen(lambda snapshot, changed: recorder.follow(snapshot))
        recorder.follow(parameters.snapshot())
        openers.append(lambda: recorder)

        looked_at = SignalOutputs(
            _views(web, view_openers(views, size, rate)),
            watched=lambda name: _is_watched(name, web, views),
            reporter=reporter,
            rate=lambda: parameters.snapshot().number("/streamvace/output_rate"),
        )
        second_control = SecondControl(reporter)
        parameters.listen(lambda snapshot, changed: second_control.follow(snapshot))
        second_control.follow(parameters.snapshot())
        networks = Networks(models_folder(), options.model.device, say=partial(reporter.report, "control"))
        signals = SignalStage(
            inputs=inputs,
            snapshot=parameters.snapshot,
            controls=Parts(control_maker(networks), reporter, "control"),
            masks=Parts(mask_maker(networks, media), reporter, "mask"),
            pipeline=options.pipeline,
            size=size,
            reporter=reporter,
            watched=lambda: looked_at.wanted,
        )
        second = SignalStage(
            inputs=signals,
            snapshot=parameters.snapshot,
            controls=Parts(control_maker(networks), reporter, "second control"),
            masks=Parts(mask_maker(networks, media), reporter, "mask"),
            pipeline=options.pipeline,
            size=size,
            reporter=reporter,
            roles=SECOND,
            wish=second_settings,
        )
        for stage in (signals, second):
            stack.callback(stage.stop)
            stage.start()
        stack.callback(looked_at.stop)
        looked_at.start(lambda: signals.view)
        presenter = Presenter(
            size=size,
            content_rate=options.content_rate,
            control=lambda: inputs.ring("control").newest(),
            show=lambda: _show(parameters),
            sinks=SinkBank(openers, reporter, options.upscale),
            telemetry=telemetry,
            reporter=reporter,
        )
        stack.callback(grabber.stop)
        grabber.start({"output": presenter.showing, "input": lambda: inputs.ring("control").newest()}, parameters.set)
        director = Director(
            size=size,
            blocks=lambda: context_blocks(supervisor.status.pipeline or options.pipeline),
            inputs=second,
            parameters=parameters,
            presenter=presenter,
            shelf=shelf,
            look_ahead=look_ahead,
            reporter=reporter,
        )
        # A show goes on with the old prompt while a new one is encoded.
        setup = WorkerSetup(options.factory, options.pipeline, size, replace(options.model, prompts="beside"))
        feed: Feed = director
        if options.show_log is not None:
            head = {"pipeline": options.pipeline, "size": size, "content_rate": options.content_rate}
            show_log = ShowLog(options.show_log, {**head, "inputs": options.inputs}, parameters.snapshot())
            stack.callback(show_log.close)
            parameters.listen(show_log.changed)
            feed = LoggedFeed(director, show_log.made)
        supervisor = Supervisor(setup, feed, telemetry, reporter, on_change=lambda status: switch.settle(status))
        switch = ModelSwitch(parameters, setup, supervisor.reload)
        stack.callback(parameters.listen(switch.follow))
        memory = ResidentMemory(lambda: supervisor.status.pid)
        for part in (presenter, inputs, signals, shelf, grabber, director, supervisor, memory, recorder):
            telemetry.add(part.stats)
        telemetry.add(lambda: osc_figures(osc.counters()))
        telemetry.add(gate.figures)
        # Who plays from another machine sees no terminal: a missing picture must reach the controller.
        telemetry.add(lambda: {"error": reporter.recent() or supervisor.status.error})
        telemetry.add(lambda: {"cue": cues.current, "cue_next": cues.following})
        loop = MainLoop(
            stop,
            reporter,
            quit_asked=lambda: parameters.snapshot().fired["/streamvace/quit"] > 0,
            publish_status=lambda: publish_status(
                osc.publish, telemetry.stats(), (*presenter.outputs, *looked_at.names)
            ),
            window=window,
        )

        say(f"loading {options.pipeline} ...")
        stack.callback(supervisor.stop)
        supervisor.start()
        loop.run_until(lambda: not supervisor.status.loading)
        if not (supervisor.status.failed or loop.ended):
            stack.callback(presenter.stop)
            presenter.start()
            loop.run_until(lambda: supervisor.status.was_ready or supervisor.status.failed)
        if supervisor.status.refused:
            raise UserError(supervisor.status.error)
        if supervisor.status.failed:
            say(f"the generator does not start: {supervisor.status.error}; `streamvace --verbose run` says more")
            return 1
        if not loop.ended:
            if query is not None:
                say(f"OSCQuery at {query.url}")
            for line in greeting(options.pipeline, size, osc.port, web.url if web else None):
                say(line)
        ready_ns = now_ns()
        loop.run_until(lambda: options.duration_s is not None and now_ns() - ready_ns >= options.duration_s * 1e9)
        figures = telemetry.stats()
    if options.stats is not None:
        write_json(options.stats, {**figures, "faults": reporter.counts()})
    return 0


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


def _views(
    web: WebPreview | None, openers: Mapping[str, tuple[SinkOpener, ...]]
) -> Mapping[str, tuple[SinkOpener, ...]]:
    """The outputs of every view, the web page's among them."""
    feeds = {} if web is None else web.views
    return {
        name: (*openers.get(name, ()), *((lambda feed=feeds[name]: feed,) if name in feeds else ())) for name in VIEWS
    }


def _is_watched(name: str, web: WebPreview | None, views: Sequence[tuple[str, str]]) -> bool:
    """Whether a view has an output, or a browser that looks at it."""
    return any(view == name for view, _ in views) or (web is not None and web.views[name].watchers > 0)


def _open_web(options: RunOptions, osc_port: int) -> WebPreview | None:
    """The preview on the port asked for; on the default port or the next free one when none was."""
    if options.web_port is not None and options.web_port < 0:
        return None
    port = options.web_port
    if port is None:
        port = next_free_port(options.host, DEFAULT_WEB_PORT)
        if port != DEFAULT_WEB_PORT:
            say(f"web port {DEFAULT_WEB_PORT} is in use, taking {port}")
    return WebPreview(options.host, port, things_to_try(osc_port))


def _open_query(options: RunOptions, parameters: Parameters, osc: OscServer) -> OscQueryServer | None:
    """OSCQuery; and a line where OSC over TCP did not get the number of the UDP port."""
    if osc.tcp_port not in (None, osc.port) and options.osc_tcp_port is None:
        say(f"TCP port {osc.port} is in use, OSC over TCP takes {osc.tcp_port}")
    if options.oscquery_port < 0:
        return None
    return OscQueryServer(parameters, osc, host_allowed, options.host, options.oscquery_port)


def _show(parameters: Parameters) -> Show:
    snapshot = parameters.snapshot()
    return Show(
        rate=snapshot.number("/streamvace/output_rate"),
        generation=snapshot.generation,
        hold_mode=HoldMode(snapshot.text("/streamvace/hold_mode")),
        paused=snapshot.flag("/streamvace/pause"),
    )
