"""Remarks of the model stand beside the parameter that they are about."""

from __future__ import annotations

from streamvace.control.parameters import PROMPT, Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.remarks import Remarks
from streamvace.live.worker.status import Status
from streamvace.telemetry.reporter import Reporter


def test_a_remark_is_bound_to_its_parameter_once_and_other_errors_to_none() -> None:
    parameters = Parameters({PROMPT: "a quux"})
    refusals = Refusals(parameters, Reporter(lambda line: None))
    remarks = Remarks(refusals)
    for _ in range(3):
        remarks.settle(Status(error=f"{PROMPT}: words the model does not know: quux"))
    row = refusals.rows()[PROMPT]
    assert isinstance(row, dict)
    assert (row["asked"], row["why"], row["number"]) == ("a quux", "words the model does not know: quux", 1)
    remarks.settle(Status(error="the worker ended: exit code 1"))
    assert list(refusals.rows()) == [PROMPT]
