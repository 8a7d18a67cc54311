"""Outputs of what the model sees: named before the `@`, at the output's rate, and only while somebody watches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.signals import Signal, SignalSettings
from streamvace.live.signals.signal_stage import SignalView
from streamvace.live.signals.views import (
    SignalOutputs,
    check_views,
    control_picture,
    mask_picture,
    split_views,
    view_openers,
)
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from tests.live.show import SECOND, frame, wait_until

SIZE = (64, 64)


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self, name: str = "kept") -> None:
        self.name = name
        self.frames: list[Frame] = []
        self.rates: list[float] = []
        self.closed = False

    def publish(self, frame: Frame) -> None:
        self.frames.append(frame)

    def set_rate(self, rate: float) -> None:
        self.rates.append(rate)

    def close(self) -> None:
        self.closed = True


def view(number: int = 1, mask: bool = True) -> SignalView:
    """A control of 200, a picture of 50; the left half is generated."""
    plane = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    plane[:, :32] = 255
    control = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    signal = Signal(control, plane if mask else None, 1.0, 1.0, False)
    return SignalView(frame(number * SECOND, 50, number), signal, SignalSettings(control="depth", mask="luma"))


def test_the_control_is_shown_as_the_model_sees_it_and_the_mask_in_black_and_white() -> None:
    control = control_picture(view())
    assert (control[:, :32] == 200).all()
    assert (control[:, 32:] == 50).all()
    mask = mask_picture(view())
    assert (mask[:, :32] == 255).all()
    assert not mask[:, 32:].any()
    assert (mask_picture(view(mask=False)) == 255).all()
    assert (control_picture(view(mask=False)) == 200).all()


def test_the_view_stands_before_the_at() -> None:
    outputs = ("ndi:show", "control@ndi:", "mask@C:\\films\\mask.mp4", "file:a@b.mp4")
    pictures, views = split_views(outputs)
    assert pictures == ("ndi:show", "file:a@b.mp4")
    assert views == (("control", "ndi:"), ("mask", "C:\\films\\mask.mp4"))


@pytest.mark.parametrize("uri", ["window", "web", "nowhere:", ""])
def test_an_address_that_cannot_show_a_view_is_refused_in_one_line(uri: str) -> None:
    with pytest.raises(UserError) as raised:
        check_views([("control", uri)], overwrite=False)
    assert "\n" not in str(raised.value)


def test_a_film_of_a_view_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mask.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="overwrite"):
        check_views([("mask", str(tmp_path / "mask.mp4"))], overwrite=False)


def test_an_address_without_a_name_is_named_after_its_view(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_sink(uri: str, size: tuple[int, int], rate: float) -> Kept:
        opened.append(uri)
        return Kept(uri)

    monkeypatch.setattr("streamvace.live.signals.views.open_sink", open_sink)
    openers = view_openers([("control", "ndi:"), ("control", "ndi:mine"), ("mask", "spout:")], SIZE, 30)
    for each in openers.values():
        for opener in each:
            opener()
    assert opened == ["ndi:streamvace-control", "ndi:mine", "spout:streamvace-mask"]


def test_each_view_goes_to_its_outputs_and_the_newest_is_repeated() -> None:
    control, mask, unwatched = Kept("c"), Kept("m"), Kept("u")
    outputs = SignalOutputs(
        {"control": [lambda: control, lambda: unwatched], "mask": [lambda: mask]},
        watched=lambda name: True,
        reporter=Reporter(lambda line: None),
        rate=lambda: 200.0,
    )
    shown = view()
    outputs.start(lambda: shown)
    wait_until(lambda: len(control.frames) > 3 and len(mask.frames) > 3, "frames of both")
    assert outputs.names == ("control@c", "control@u", "mask@m")
    assert control.frames[0].pixels[0, 0].tolist() == [200, 200, 200, 255]
    assert mask.frames[0].pixels[0, 63].tolist() == [0, 0, 0, 255]
    assert control.frames[0] is control.frames[-1], "a picture is made once and shown until there is another"
    shown = view(2)
    wait_until(lambda: control.frames[-1].sequence == 2, "the next picture")
    outputs.stop()
    outputs.stop()
    assert control.closed
    assert mask.closed


def test_a_new_output_rate_reaches_the_outputs_of_views() -> None:
    control, rate = Kept(), 100.0
    outputs = SignalOutputs(
        {"control": [lambda: control]},
        watched=lambda name: True,
        reporter=Reporter(lambda line: None),
        rate=lambda: rate,
    )
    shown = view()
    outputs.start(lambda: shown)
    wait_until(lambda: bool(control.frames), "the first frame")
    rate = 200.0
    wait_until(lambda: bool(control.rates), "the new rate")
    outputs.stop()
    assert control.rates == [200.0]


def test_a_view_that_nobody_watches_is_not_made() -> None:
    sinks = {"control": Kept(), "mask": Kept()}
    outputs = SignalOutputs(
        {name: [lambda sink=sink: sink] for name, sink in sinks.items()},  # type: ignore[misc]
        watched=lambda name: name == "mask",
        reporter=Reporter(lambda line: None),
        rate=lambda: 200.0,
    )
    assert outputs.wanted
    shown = view()
    outputs.start(lambda: shown)
    wait_until(lambda: len(sinks["mask"].frames) > 5, "the mask")
    outputs.stop()
    assert sinks["control"].frames == []


def test_an_output_that_cannot_be_opened_is_reported_and_the_others_go_on() -> None:
    lines: list[str] = []

    def refuse() -> Kept:
        raise UserError("no such driver")

    mask = Kept()
    outputs = SignalOutputs(
        {"control": [refuse], "mask": [lambda: mask]},
        watched=lambda name: True,
        reporter=Reporter(lines.append),
        rate=lambda: 200.0,
    )
    shown = view()
    outputs.start(lambda: shown)
    wait_until(lambda: len(mask.frames) > 3, "the mask")
    outputs.stop()
    assert "no such driver" in lines[0]
