"""What a reload asks of the supervisor, and what the parameters say when it does not start."""

from __future__ import annotations

from dataclasses import replace

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.options import check_latency
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.model_switch import LATENCY, PIPELINE, RELOAD, ModelSwitch
from streamvace.live.worker.status import Status
from streamvace.model.specs import LATENCIES, PIPELINES
from streamvace.records.model_options import ModelOptions
from streamvace.telemetry.reporter import Reporter

SETUP = WorkerSetup("x:y", "embedded", (64, 64), ModelOptions(device="cpu", codec="tiny"))


def refusals(parameters: Parameters) -> Refusals:
    return Refusals(parameters, Reporter(lambda line: None))


def test_the_choices_are_the_pipelines_there_are() -> None:
    assert set(osc_schema.by_address()[PIPELINE].choices) == set(PIPELINES)


def test_a_pipeline_is_only_chosen_until_the_reload_and_keeps_the_size_and_the_machine() -> None:
    asked: list[WorkerSetup] = []
    parameters = Parameters()
    parameters.listen(ModelSwitch(parameters, refusals(parameters), SETUP, asked.append, check_latency).follow)
    parameters.set(PIPELINE, ("longlive",), "test")
    assert asked == []
    parameters.set(RELOAD, (), "test")
    [setup] = asked
    assert (setup.pipeline, setup.size, setup.model) == ("longlive", (64, 64), ModelOptions(device="cpu"))
    parameters.set(PIPELINE, ("embedded",), "test")
    parameters.set(RELOAD, (), "test")
    assert asked[1] == SETUP, "its own autoencoder again"


def test_where_the_supervisor_goes_back_the_parameter_does_too() -> None:
    parameters = Parameters({PIPELINE: "longlive"})
    told = refusals(parameters)
    switch = ModelSwitch(parameters, told, SETUP, lambda setup: None, check_latency)
    switch.settle(Status(pipeline="longlive"))
    assert parameters.snapshot()[PIPELINE] == "longlive"
    switch.settle(Status(pipeline="embedded", went_back=1, error="longlive does not start: no weights"))
    assert parameters.snapshot()[PIPELINE] == "embedded"
    row = told.rows()[PIPELINE]
    assert isinstance(row, dict)
    assert (row["asked"], row["ruling"], row["why"]) == ("longlive", "embedded", "longlive does not start: no weights")
    parameters.set(PIPELINE, ("memflow",), "test")
    switch.settle(Status(pipeline="embedded", went_back=1))
    assert parameters.snapshot()[PIPELINE] == "memflow", "chosen for the next reload"


def test_the_choices_of_latency_are_those_of_the_model() -> None:
    assert set(osc_schema.by_address()[LATENCY].choices) == set(LATENCIES)
    assert osc_schema.by_address()[LATENCY].default == ModelOptions().latency


def test_a_latency_is_only_chosen_until_the_reload() -> None:
    asked: list[WorkerSetup] = []
    parameters = Parameters()
    parameters.listen(ModelSwitch(parameters, refusals(parameters), SETUP, asked.append, check_latency).follow)
    parameters.set(LATENCY, ("low",), "test")
    assert asked == []
    parameters.set(RELOAD, (), "test")
    assert asked == [replace(SETUP, model=replace(SETUP.model, latency="low"))]
    parameters.set(LATENCY, ("normal",), "test")
    parameters.set(RELOAD, (), "test")
    assert asked[1] == SETUP


def test_a_pipeline_without_low_latency_is_loaded_at_normal_and_the_parameter_says_why() -> None:
    asked: list[WorkerSetup] = []
    parameters = Parameters({LATENCY: "low", PIPELINE: "longlive"})
    told = refusals(parameters)
    parameters.listen(ModelSwitch(parameters, told, SETUP, asked.append, check_latency).follow)
    parameters.set(RELOAD, (), "test")
    assert (asked[0].pipeline, asked[0].model.latency) == ("longlive", "normal")
    assert parameters.snapshot()[LATENCY] == "normal"
    row = told.rows()[LATENCY]
    assert isinstance(row, dict)
    assert (row["asked"], row["ruling"]) == ("low", "normal")
    assert row["why"] == (
        "longlive has no latency low: it makes 12 frames at a time, as it was trained; embedded has it"
    )


def test_where_the_supervisor_goes_back_the_latency_does_too() -> None:
    parameters = Parameters({LATENCY: "low"})
    told = refusals(parameters)
    switch = ModelSwitch(parameters, told, SETUP, lambda setup: None, check_latency)
    switch.settle(Status(pipeline="embedded", latency="normal", went_back=1, error="it does not start"))
    assert parameters.snapshot()[LATENCY] == "normal"
    row = told.rows()[LATENCY]
    assert isinstance(row, dict)
    assert (row["asked"], row["ruling"], row["why"]) == ("low", "normal", "it does not start")
