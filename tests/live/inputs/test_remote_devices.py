"""Another machine switches on no screen and no camera; this one does, and everything else is chosen from everywhere."""

from __future__ import annotations

import pytest

from streamvace.live.inputs.remote_devices import forbid_devices
from streamvace.video.endpoints import SOURCES

STRANGER = "192.0.2.7"
CONTROL = "/streamvace/input/control"


@pytest.mark.parametrize("text", ["screen:1", "screen:", "screen", "camera:0", " camera:0 ", "camera"])
@pytest.mark.parametrize("role", ["control", "mask", "source"])
def test_a_stranger_chooses_no_device_for_any_role(role: str, text: str) -> None:
    line = forbid_devices(STRANGER, f"/streamvace/input/{role}", text)
    assert "--allow-remote-devices" in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["screen:1", "camera:0"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_chooses_every_device(host: str, text: str) -> None:
    assert forbid_devices(host, CONTROL, text) == ""


@pytest.mark.parametrize("text", ["", "1", "2", "pattern", "ndi:stage", "file:clip.mp4", "none"])
def test_a_stranger_chooses_everything_else(text: str) -> None:
    assert forbid_devices(STRANGER, CONTROL, text) == ""


def test_only_inputs_are_looked_at() -> None:
    assert forbid_devices(STRANGER, "/streamvace/prompt", "screen: a cinema") == ""
    assert forbid_devices(STRANGER, "/streamvace/seed", 7) == ""


def test_every_source_that_shows_the_room_is_known() -> None:
    assert {"screen", "camera"} <= set(SOURCES)
    assert set(SOURCES) - {"screen", "camera"} == {"pattern", "file", "ndi", "spout", "syphon", "card", "none"}, (
        "a new source: does it show what is around the machine? Then it belongs to DEVICES"
    )


def test_a_microphone_is_as_private_as_a_camera() -> None:
    address = "/streamvace/sound/input"
    assert "--allow-remote-devices" in forbid_devices(STRANGER, address, "default")
    assert forbid_devices(STRANGER, address, "") == "", "anybody may close it"
    assert forbid_devices("127.0.0.1", address, "default") == ""
