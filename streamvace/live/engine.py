"""Sets up what makes the pictures: the director, and the worker under its supervisor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamvace.conditioning.controls import card_bytes
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.control_surfaces import ControlSurfaces
from streamvace.live.director.director import Director
from streamvace.live.inputs.frame_ring import Rings
from streamvace.live.inputs.pictures import PictureShelf
from streamvace.live.options import check_latency, context_blocks
from streamvace.live.output.presenter import Presenter
from streamvace.live.remarks import Remarks
from streamvace.live.show_log.writer import LoggedFeed, ShowLog
from streamvace.live.stage import Stage
from streamvace.live.worker.chunk_exchange import Feed
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.model_switch import ModelSwitch
from streamvace.live.worker.status import Status
from streamvace.live.worker.supervisor import Supervisor
from streamvace.models.manifest import models_folder


@dataclass(frozen=True)
class Engine:
    """The parts, not started."""

    director: Director
    supervisor: Supervisor


def make_engine(
    stage: Stage, surfaces: ControlSurfaces, rings: Rings, pictures: PictureShelf, presenter: Presenter
) -> Engine:
    """rings: sampled by the director. Raises UserError if the show log cannot be written."""
    options, parameters = stage.options, stage.parameters
    director = Director(
        size=stage.size,
        blocks=lambda: context_blocks(supervisor.status.pipeline or options.pipeline),
        inputs=rings,
        parameters=parameters,
        modulated=surfaces.modulators.lane("next_chunk", surfaces.look_ahead.read),
        backlog=presenter.backlog,
        deliver=presenter.offer,
        pictures=pictures,
        look_ahead=surfaces.look_ahead,
        reporter=stage.reporter,
    )
    # A live show continues with the old prompt while a new one is encoded.
    kept = card_bytes(Networks(models_folder()))
    model = replace(options.model, prompts="beside", for_controls=kept)
    setup = WorkerSetup(options.factory, options.pipeline, stage.size, model)
    feed: Feed = director if options.show_log is None else _logged(stage, director)
    remarks = Remarks(stage.refusals)

    def changed(status: Status) -> None:
        switch.settle(status)
        remarks.settle(status)

    supervisor = Supervisor(setup, feed, stage.telemetry, stage.reporter, on_change=changed)
    switch = ModelSwitch(parameters, stage.refusals, setup, supervisor.reload, check_latency)
    stage.closing.callback(parameters.listen(switch.follow))
    return Engine(director, supervisor)


def _logged(stage: Stage, director: Director) -> LoggedFeed:
    options = stage.options
    assert options.show_log is not None
    head = {"pipeline": options.pipeline, "size": stage.size, "content_rate": options.content_rate}
    show_log = ShowLog(options.show_log, {**head, "inputs": options.inputs}, stage.parameters.snapshot())
    stage.closing.callback(show_log.close)
    stage.parameters.listen(show_log.changed)
    return LoggedFeed(director, show_log.made)
