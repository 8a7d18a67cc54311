"""What several inputs promise: every role has pictures, a switch leaves no gap, and a bad input costs one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.live.inputs import source_poller
from streamvace.live.inputs.inputs import Inputs, open_confined
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.video.memory import NullSource
from tests.live.show import frame, wait_until
from tests.video.helpers import write_clip

ROLES = ("control", "mask", "source")


class ControlSurfaces:
    """A show's inputs, made by name. An address with `slow` gives nothing until `release` has it, one with `bad`
    cannot be opened while it is in `broken`."""

    def __init__(self, *given: str) -> None:
        self.lines: list[str] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.release: set[str] = set()
        self.broken: set[str] = set()
        self.inputs = Inputs(given, self.open, self.open, Reporter(self.lines.append))
        self.values: dict[str, object] = {f"/streamvace/input/{role}": "" for role in ROLES}

    def open(self, address: str) -> Fake:
        if address in self.broken:
            raise UserError(f"no {address}; plug it in")
        self.opened.append(address)
        return Fake(self, address)

    def set(self, role: str, text: str) -> None:
        self.values[f"/streamvace/input/{role}"] = text
        self.inputs.follow(dict(self.values))

    def showing(self, role: str) -> str:
        """The name of the source whose picture the role would sample now."""
        newest = self.inputs.ring(role).newest()
        return newest.source if newest else ""

    def wait_for(self, role: str, address: str) -> None:
        wait_until(lambda: self.showing(role) == address, f"{role} is {address}; it is {self.showing(role)}")


class Fake:
    """A source that gives a frame a poll."""

    def __init__(self, desk: ControlSurfaces, address: str) -> None:
        self.name = address
        self._desk = desk
        self._sequence = 0

    def poll(self) -> Frame | None:
        if "slow" in self.name and self.name not in self._desk.release:
            return None
        self._sequence += 1
        return Frame(frame(0).pixels, self._sequence, self.name, self._sequence)

    def close(self) -> None:
        self._desk.closed.append(self.name)


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_poller, "_REOPEN_FIRST_S", 0.01)
        patch.setattr(source_poller, "_REOPEN_LAST_S", 0.02)
        yield


@pytest.fixture
def desk() -> Iterator[ControlSurfaces]:
    desk = ControlSurfaces("camera", "matte")
    desk.inputs.start()
    yield desk
    desk.inputs.stop()
    assert sorted(desk.opened) == sorted(desk.closed)


def test_the_first_input_plays_every_role_until_told_otherwise(desk: ControlSurfaces) -> None:
    for role in ROLES:
        desk.wait_for(role, "camera")
        assert desk.inputs.ring(role) is desk.inputs.ring("control")


def test_a_role_takes_a_given_input_by_number_or_by_address_and_goes_back(desk: ControlSurfaces) -> None:
    desk.set("mask", "2")
    desk.wait_for("mask", "matte")
    desk.set("source", "matte")
    desk.wait_for("source", "matte")
    assert desk.inputs.ring("source") is desk.inputs.ring("mask")
    assert desk.showing("control") == "camera"
    desk.set("mask", "")
    desk.wait_for("mask", "camera")
    assert desk.opened == ["camera", "matte"]


def test_roles_without_an_input_follow_the_control(desk: ControlSurfaces) -> None:
    desk.set("control", "2")
    for role in ROLES:
        desk.wait_for(role, "matte")


def test_another_address_is_opened_once_for_all_roles_and_closed_when_no_role_wants_it(desk: ControlSurfaces) -> None:
    desk.set("control", "ndi:stage")
    desk.set("mask", "ndi:stage")
    desk.wait_for("control", "ndi:stage")
    desk.wait_for("mask", "ndi:stage")
    assert desk.opened.count("ndi:stage") == 1
    desk.set("control", "1")
    desk.wait_for("control", "camera")
    assert "ndi:stage" not in desk.closed
    desk.set("mask", "")
    wait_until(lambda: "ndi:stage" in desk.closed, "closed")


def test_a_role_keeps_its_pictures_until_the_new_input_has_one(desk: ControlSurfaces) -> None:
    desk.wait_for("control", "camera")
    desk.set("control", "slow")
    wait_until(lambda: "slow" in desk.opened, "opened")
    before = desk.inputs.ring("control").counters().received
    wait_until(lambda: desk.inputs.ring("control").counters().received > before + 20, "the old input went on")
    assert desk.showing("control") == "camera"
    desk.release.add("slow")
    desk.wait_for("control", "slow")


def test_a_role_never_has_a_gap_through_two_hundred_switches(desk: ControlSurfaces) -> None:
    desk.wait_for("control", "camera")
    gaps = 0
    done = threading.Event()

    def look() -> None:
        nonlocal gaps
        while not done.is_set():
            gaps += any(desk.inputs.ring(role).newest() is None for role in ROLES)

    watcher = threading.Thread(target=look)
    watcher.start()
    names = ("2", "a", "b", "1", "")
    for i in range(200):
        desk.set(ROLES[i % 3], names[i % 5])
    desk.set("control", "a")
    desk.wait_for("control", "a")
    done.set()
    watcher.join()
    assert gaps == 0


def test_an_input_that_cannot_be_opened_is_one_line_and_is_taken_when_it_can(desk: ControlSurfaces) -> None:
    desk.broken.add("camera:7")
    desk.wait_for("control", "camera")
    desk.set("control", "camera:7")
    wait_until(lambda: bool(desk.lines), "a line")
    before = desk.inputs.ring("control").counters().received
    wait_until(lambda: desk.inputs.ring("control").counters().received > before + 20, "the old input went on")
    assert desk.lines == ["input camera:7: no camera:7; plug it in"]
    desk.broken.clear()
    desk.wait_for("control", "camera:7")


def test_a_number_that_no_input_has_says_how_many_there_are(desk: ControlSurfaces) -> None:
    desk.set("mask", "3")
    wait_until(lambda: bool(desk.lines), "a line")
    assert desk.lines == ["input 3: there is no input 3: --input was given 2 times; take a number from 1 to 2"]
    desk.wait_for("mask", "camera")


def test_none_takes_the_pictures_away_at_once() -> None:
    desk = ControlSurfaces("camera")
    desk.inputs = Inputs(["camera"], desk.open, lambda address: NullSource(), Reporter(desk.lines.append))
    desk.inputs.start()
    desk.wait_for("mask", "camera")
    desk.set("mask", "none")
    desk.wait_for("mask", "")
    assert desk.showing("control") == "camera"
    desk.inputs.stop()


def test_the_figures_name_what_plays_each_role(desk: ControlSurfaces) -> None:
    desk.set("mask", "2")
    desk.wait_for("mask", "matte")
    figures = desk.inputs.stats()
    assert (figures["input_control"], figures["input_mask"], figures["inputs"]) == ("camera", "matte", 2)
    assert figures["source"] == "camera"
    assert figures["input_switches"] == 1


def test_an_input_that_cannot_be_opened_at_the_start_ends_the_start_and_closes_the_others() -> None:
    desk = ControlSurfaces("camera", "bad")
    desk.broken.add("bad")
    with pytest.raises(UserError, match="no bad; plug it in"):
        desk.inputs.start()
    assert desk.opened == desk.closed == ["camera"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(["", "1", "2", "a", "b", "slow"])), max_size=12))
def test_whatever_was_asked_for_in_whatever_order_the_last_word_counts(wishes: list[tuple[str, str]]) -> None:
    desk = ControlSurfaces("camera", "matte")
    desk.inputs.start()
    try:
        for role, text in wishes:
            desk.set(role, text)
        last = {"": "camera", "1": "camera", "2": "matte"}
        control = desk.values["/streamvace/input/control"]
        for role in ROLES:
            text = desk.values[f"/streamvace/input/{role}"] or control
            if "slow" not in (text, control):
                desk.wait_for(role, last.get(str(text), str(text)))
        asked = {str(text) for text in desk.values.values()} - {"", "1", "2"}
        wait_until(lambda: desk.inputs.stats()["inputs"] == 2 + len(asked), "nothing else is open")
    finally:
        desk.inputs.stop()
    assert sorted(desk.opened) == sorted(desk.closed)


def test_a_file_asked_for_during_the_show_is_one_of_the_media_folder(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    write_clip(tmp_path / "media" / "clip.mp4", 3)
    write_clip(tmp_path / "secret.mp4", 3)
    media = MediaFolder(tmp_path / "media")
    for address in ("file:clip.mp4", "clip.mp4", str(media.root / "clip.mp4")):
        source = open_confined(address, (64, 48), media)
        assert source.name == "clip.mp4"
        source.close()
    for address in ("file:../secret.mp4", str(tmp_path / "secret.mp4"), "/etc/passwd"):
        with pytest.raises(UserError, match=r"outside the media folder|unknown input"):
            open_confined(address, (64, 48), media)
