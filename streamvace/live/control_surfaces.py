"""The control surfaces of a show: cues, the beat, MIDI, a light desk, OSC, OSCQuery and the web page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from streamvace.control.beats import BeatGate
from streamvace.control.commands import Commands
from streamvace.control.cue_file import open_cues
from streamvace.control.cue_list import CueList
from streamvace.control.cue_player import CuePlayer
from streamvace.control.fades import CURVES
from streamvace.control.prompt_list import PromptList
from streamvace.control.tempo_commands import tempo_commands
from streamvace.control.transport import Transport
from streamvace.dmx.dmx_in import DmxIn
from streamvace.live.cue_pictures import CuePictures
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.dmx_setup import open_dmx
from streamvace.live.inputs.remote_devices import forbid_devices, forbid_nothing
from streamvace.live.media_parts import OpenInputs, media_parts
from streamvace.live.midi_setup import Midi
from streamvace.live.modulator_setup import open_modulators
from streamvace.live.options import DEFAULT_WEB_PORT, RunOptions, next_free_port
from streamvace.live.signals.kind_lacks import KindLacks
from streamvace.live.sound_setup import open_sound
from streamvace.live.stage import Stage
from streamvace.live.surfaces.greeting import things_to_try
from streamvace.live.surfaces.metrics import metrics
from streamvace.live.surfaces.status_feed import history_figures, osc_figures, web_figures
from streamvace.models.manifest import models_folder
from streamvace.modulators.modulators import Modulators
from streamvace.osc.query_server import OscQueryServer
from streamvace.osc.server import OscServer
from streamvace.sound.sound_in import SoundIn
from streamvace.system.clock import now_ns
from streamvace.system.console import say
from streamvace.system.network import AllowList, is_loopback
from streamvace.web.cue_values import CueValues
from streamvace.web.hosts import host_allowed
from streamvace.web.news import Beat
from streamvace.web.panel import Panel
from streamvace.web.preview import WebPreview
from streamvace.web.token import Token, kept_token


@dataclass(frozen=True)
class ControlSurfaces:
    """Everything that changes parameters during a show. query, web: None if switched off."""

    cues: CueList
    pictures: CuePictures
    commands: Commands
    look_ahead: LookAhead
    gate: BeatGate
    midi: Midi
    dmx: DmxIn
    sound: SoundIn
    modulators: Modulators
    osc: OscServer
    query: OscQueryServer | None
    web: WebPreview | None
    open_inputs: OpenInputs

    def fill_web_page(self, stage: Stage, lacks: KindLacks) -> None:
        """Add the figures and the panel to the web page."""
        if self.web is None:
            return
        osc, rows = self.osc, stage.parameters.schema.values()
        self.web.set_stats(lambda: web_figures(stage.telemetry, stage.parameters, osc.port))
        self.web.set_panel(
            Panel(
                rows,
                osc.local_clients,
                osc.values,
                osc.cues,
                osc.arrivals,
                stage.refusals.rows,
                self.cues.tiles,
                glides=self.commands.glides,
                curves=CURVES,
                lacking=lambda: lacks.rows,
                midi=self.midi.desk.state,
                waiting=osc.waiting,
                beat=self._beat,
                door=self.midi.pages,
                live=self.modulators.live,
                sound=self.sound.levels,
            )
        )
        self.web.set_cue_pictures(self.pictures.read)
        self.web.set_metrics(metrics(stage.telemetry.stats))

    def _beat(self) -> Beat:
        """For the page."""
        now = self.gate.transport.now()
        return Beat(now.beat, round(now.tempo, 1), now.running, now_ns() / 1e9)

    def add_figures(self, stage: Stage) -> None:
        """Add the figures of OSC, the beat, the web page and the cues to the show's."""
        stage.telemetry.add(lambda: osc_figures(self.osc.counters()))
        stage.telemetry.add(self.gate.figures)
        stage.telemetry.add(self.midi.figures)
        stage.telemetry.add(self.dmx.figures)
        stage.telemetry.add(self.sound.figures)
        stage.telemetry.add(self.modulators.figures)
        if self.web is not None:
            stage.telemetry.add(self.web.figures)
        stage.telemetry.add(partial(history_figures, stage.parameters))
        stage.telemetry.add(self.commands.figures)


def open_surfaces(stage: Stage) -> ControlSurfaces:
    """Read the cues and open the ports. Raises UserError for a port in use, and for cues that cannot be read."""
    options, parameters, closing = stage.options, stage.parameters, stage.closing
    cue_path = options.cues or stage.media.root / "cues.json"
    cues, cue_file = open_cues(cue_path, options.pipeline, parameters.schema, stage.reporter)
    closing.callback(cue_file.close)
    pictures = CuePictures(cue_path, stage.reporter)
    closing.callback(pictures.close)
    look_ahead = LookAhead()
    transport = Transport(lost=partial(stage.reporter.report, "tempo"))
    midi = Midi(stage, transport.midi, cue_path, lambda: cues.names)
    sound = open_sound(stage)
    modulators = open_modulators(stage, transport, sound)
    gate = BeatGate(transport, look_ahead.read)
    closing.callback(gate.close)
    gate.follow(parameters.snapshot())
    more = {**tempo_commands(transport, parameters), **midi.commands}
    player = CuePlayer(
        parameters, cues, moment=transport.now, timecode=midi.timecode_place, look_ahead_s=look_ahead.read
    )
    prompts = PromptList(parameters, moment=transport.now, look_ahead_s=look_ahead.read)
    load = partial(cue_file.load, cues.replace)
    commands = Commands(parameters, cues, load, pictures.take, more=more, player=player, prompts=prompts)
    allow = AllowList(options.allow)
    osc = OscServer(
        parameters,
        options.host,
        options.osc_port,
        tcp_port=options.osc_tcp_port,
        reports=stage.reporter,
        refusals=stage.refusals,
        commands=commands,
        gate=gate,
        look_ahead_s=look_ahead.read,
        forbids=forbid_nothing if options.remote_devices else forbid_devices,
        allow=allow,
        hears=modulators.hear,
    )
    closing.callback(osc.close)
    midi.play(osc.local_clients, osc.waiting)
    dmx = open_dmx(stage, osc.local_clients, lambda: cues.names, allow)
    inputs = OpenInputs()
    query, web = _open_query(stage, osc, allow), _open_web(stage, osc.port, allow, inputs, cues)
    for server in (query, web):
        if server is not None:
            closing.callback(server.close)
    return ControlSurfaces(
        cues, pictures, commands, look_ahead, gate, midi, dmx, sound, modulators, osc, query, web, inputs
    )


def _open_query(stage: Stage, osc: OscServer, allow: AllowList) -> OscQueryServer | None:
    """The OSCQuery server; reports if OSC over TCP did not get the number of the UDP port."""
    options = stage.options
    if osc.tcp_port not in (None, osc.port) and options.osc_tcp_port is None:
        say(f"TCP port {osc.port} is in use, OSC over TCP takes {osc.tcp_port}")
    if options.oscquery_port < 0:
        return None
    return OscQueryServer(
        stage.parameters,
        osc,
        host_allowed,
        options.host,
        options.oscquery_port,
        report=stage.reporter.note,
        allow=allow,
    )


def _open_web(stage: Stage, osc_port: int, allow: AllowList, inputs: OpenInputs, cues: CueList) -> WebPreview | None:
    """The web page on the port asked for, or on the default port or the next free one."""
    options = stage.options
    if options.web_port is not None and options.web_port < 0:
        return None
    port = options.web_port
    if port is None:
        port = next_free_port(options.host, DEFAULT_WEB_PORT)
        if port != DEFAULT_WEB_PORT:
            say(f"web port {DEFAULT_WEB_PORT} is in use, taking {port}")
    return WebPreview(
        options.host,
        port,
        things_to_try(osc_port),
        parts=(*media_parts(stage, inputs), CueValues(cues.values)),
        token=_token(options),
        allow=allow,
        report=stage.reporter.note,
    )


def _token(options: RunOptions) -> Token | None:
    """What the page asks of browsers; None for a page that only this machine reaches, and with `--no-token`."""
    if is_loopback(options.host):
        return None
    if not options.token:
        say("the web page is open to everyone who reaches this machine (--no-token)")
        return None
    return kept_token(models_folder().parent / "web-token")
