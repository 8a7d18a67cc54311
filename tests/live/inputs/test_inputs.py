"""Several inputs: every role has pictures, a switch leaves no gap, and a bad input is reported in one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.control.refusals import Lack
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


class Rig:
    """Inputs with fake sources. An address with `slow` gives nothing until it is in `release`; one in `broken` cannot
    be opened."""

    def __init__(self, *given: str) -> None:
        self.lines: list[str] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.release: set[str] = set()
        self.broken: set[str] = set()
        self.refused: list[tuple[str, str, str]] = []
        self.inputs = Inputs(
            given, self.open, self.open, Reporter(self.lines.append), self.refuse, check=lambda address: None
        )
        self.values: dict[str, object] = {f"/streamvace/input/{role}": "" for role in ROLES}

    def open(self, address: str) -> Fake:
        if address in self.broken:
            raise UserError(f"no {address}; plug it in")
        self.opened.append(address)
        return Fake(self, address)

    def refuse(self, address: str, text: str, error: Exception) -> None:
        self.refused.append((address, text, str(error)))
        self.set(address.rpartition("/")[2], "")

    def set(self, role: str, text: str) -> None:
        self.values[f"/streamvace/input/{role}"] = text
        self.inputs.follow(dict(self.values))

    def showing(self, role: str) -> str:
        """The name of the source that the role would sample now."""
        newest = self.inputs.ring(role).newest()
        return newest.source if newest else ""

    def wait_for(self, role: str, address: str) -> None:
        wait_until(lambda: self.showing(role) == address, f"{role} is {address}; it is {self.showing(role)}")


class Fake:
    """A source that gives a frame at every poll."""

    def __init__(self, rig: Rig, address: str) -> None:
        self.name = address
        self._rig = rig
        self._sequence = 0

    def poll(self) -> Frame | None:
        if "slow" in self.name and self.name not in self._rig.release:
            return None
        self._sequence += 1
        return Frame(frame(0).pixels, self._sequence, self.name, self._sequence)

    def close(self) -> None:
        self._rig.closed.append(self.name)


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_poller, "_REOPEN_FIRST_S", 0.01)
        patch.setattr(source_poller, "_REOPEN_LAST_S", 0.02)
        yield


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig("camera", "matte")
    rig.inputs.start()
    yield rig
    rig.inputs.stop()
    assert sorted(rig.opened) == sorted(rig.closed)


def test_the_first_input_plays_every_role_by_default(rig: Rig) -> None:
    for role in ROLES:
        rig.wait_for(role, "camera")
        assert rig.inputs.ring(role) is rig.inputs.ring("control")


def test_a_role_takes_a_given_input_by_number_or_by_address_and_goes_back(rig: Rig) -> None:
    rig.set("mask", "2")
    rig.wait_for("mask", "matte")
    rig.set("source", "matte")
    rig.wait_for("source", "matte")
    assert rig.inputs.ring("source") is rig.inputs.ring("mask")
    assert rig.showing("control") == "camera"
    rig.set("mask", "")
    rig.wait_for("mask", "camera")
    assert rig.opened == ["camera", "matte"]


def test_the_newest_picture_of_an_open_input_is_found_by_number_and_by_address(rig: Rig) -> None:
    rig.wait_for("control", "camera")
    assert rig.inputs.lead == "camera"
    for name in ("1", "camera"):
        newest = rig.inputs.newest(name)
        assert newest is not None
        assert newest.source == "camera"
    assert rig.inputs.newest("3") is rig.inputs.newest("clip") is None
    rig.set("control", "clip")
    rig.wait_for("control", "clip")
    assert rig.inputs.newest("clip") is not None
    assert rig.inputs.lead == "clip"


def test_roles_without_an_input_follow_the_control(rig: Rig) -> None:
    rig.set("control", "2")
    for role in ROLES:
        rig.wait_for(role, "matte")


def test_another_address_is_opened_once_for_all_roles_and_closed_when_no_role_uses_it(rig: Rig) -> None:
    rig.set("control", "ndi:stage")
    rig.set("mask", "ndi:stage")
    rig.wait_for("control", "ndi:stage")
    rig.wait_for("mask", "ndi:stage")
    assert rig.opened.count("ndi:stage") == 1
    rig.set("control", "1")
    rig.wait_for("control", "camera")
    assert "ndi:stage" not in rig.closed
    rig.set("mask", "")
    wait_until(lambda: "ndi:stage" in rig.closed, "closed")


def test_a_role_keeps_its_pictures_until_the_new_input_has_one(rig: Rig) -> None:
    rig.wait_for("control", "camera")
    rig.set("control", "slow")
    wait_until(lambda: "slow" in rig.opened, "opened")
    before = rig.inputs.ring("control").counters().received
    wait_until(lambda: rig.inputs.ring("control").counters().received > before + 20, "the old input went on")
    assert rig.showing("control") == "camera"
    rig.release.add("slow")
    rig.wait_for("control", "slow")


def test_a_role_never_has_a_gap_through_two_hundred_switches(rig: Rig) -> None:
    rig.wait_for("control", "camera")
    gaps = 0
    done = threading.Event()

    def look() -> None:
        nonlocal gaps
        while not done.is_set():
            gaps += any(rig.inputs.ring(role).newest() is None for role in ROLES)

    watcher = threading.Thread(target=look)
    watcher.start()
    names = ("2", "a", "b", "1", "")
    for i in range(200):
        rig.set(ROLES[i % 3], names[i % 5])
    rig.set("control", "a")
    rig.wait_for("control", "a")
    done.set()
    watcher.join()
    assert gaps == 0


def test_an_input_that_cannot_be_opened_is_reported_once_and_used_when_it_can(rig: Rig) -> None:
    rig.broken.add("camera:7")
    rig.wait_for("control", "camera")
    rig.set("control", "camera:7")
    wait_until(lambda: bool(rig.lines), "a line")
    before = rig.inputs.ring("control").counters().received
    wait_until(lambda: rig.inputs.ring("control").counters().received > before + 20, "the old input went on")
    assert rig.lines == ["input camera:7: no camera:7; plug it in"]
    assert rig.inputs.lacks() == {"/streamvace/input/control": Lack("camera:7", "no camera:7; plug it in")}
    rig.broken.clear()
    rig.wait_for("control", "camera:7")
    wait_until(lambda: rig.inputs.lacks() == {}, "nothing is lacking any more")
    assert rig.refused == []


def test_an_unknown_number_is_refused_with_the_numbers_there_are(rig: Rig) -> None:
    rig.set("mask", " 3")
    wait_until(lambda: bool(rig.refused), "a refusal")
    why = "Only inputs 1 to 2 exist."
    assert rig.refused == [("/streamvace/input/mask", " 3", why)]
    rig.wait_for("mask", "camera")


def test_an_address_that_no_input_can_have_is_refused_and_the_others_follow_their_parameters() -> None:
    rig = Rig("camera")
    rig.inputs = Inputs(["camera"], rig.open, rig.open, Reporter(rig.lines.append), rig.refuse)
    rig.inputs.start()
    rig.values["/streamvace/input/mask"] = "pattern:edges"
    rig.set("source", "tape:1")
    wait_until(lambda: bool(rig.refused), "a refusal")
    [(address, text, why)] = rig.refused
    assert (address, text) == ("/streamvace/input/source", "tape:1")
    assert why.startswith("Unknown input 'tape:1'. Use pattern")
    rig.wait_for("mask", "pattern:edges")
    rig.inputs.stop()


def test_none_takes_the_pictures_away_at_once() -> None:
    rig = Rig("camera")
    rig.inputs = Inputs(["camera"], rig.open, lambda address: NullSource(), Reporter(rig.lines.append), rig.refuse)
    rig.inputs.start()
    rig.wait_for("mask", "camera")
    rig.set("mask", "none")
    rig.wait_for("mask", "")
    assert rig.showing("control") == "camera"
    rig.inputs.stop()


def test_the_figures_name_what_plays_each_role(rig: Rig) -> None:
    rig.set("mask", "2")
    rig.wait_for("mask", "matte")
    figures = rig.inputs.stats()
    assert (figures["input_control"], figures["input_mask"], figures["inputs"]) == ("camera", "matte", 2)
    assert figures["source"] == "camera"
    assert figures["input_switches"] == 1


def test_an_input_that_cannot_be_opened_at_the_start_ends_the_start_and_closes_the_others() -> None:
    rig = Rig("camera", "bad")
    rig.broken.add("bad")
    with pytest.raises(UserError, match="no bad; plug it in"):
        rig.inputs.start()
    assert rig.opened == rig.closed == ["camera"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(["", "1", "2", "a", "b", "slow"])), max_size=12))
def test_after_any_sequence_of_requests_the_last_one_counts(wishes: list[tuple[str, str]]) -> None:
    rig = Rig("camera", "matte")
    rig.inputs.start()
    try:
        for role, text in wishes:
            rig.set(role, text)
        last = {"": "camera", "1": "camera", "2": "matte"}
        control = rig.values["/streamvace/input/control"]
        for role in ROLES:
            text = rig.values[f"/streamvace/input/{role}"] or control
            if "slow" not in (text, control):
                rig.wait_for(role, last.get(str(text), str(text)))
        asked = {str(text) for text in rig.values.values()} - {"", "1", "2"}
        wait_until(lambda: rig.inputs.stats()["inputs"] == 2 + len(asked), "nothing else is open")
    finally:
        rig.inputs.stop()
    assert sorted(rig.opened) == sorted(rig.closed)


def test_a_file_requested_during_the_show_must_be_in_the_media_folder(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    write_clip(tmp_path / "media" / "clip.mp4", 3)
    write_clip(tmp_path / "secret.mp4", 3)
    media = MediaFolder(tmp_path / "media")
    for address in (
        "file:clip.mp4",
        "clip.mp4?loop=0",
        str(media.root / "clip.mp4"),
        (media.root / "clip.mp4").as_uri(),
    ):
        source = open_confined(address, (64, 48), media)
        assert source.name == "clip.mp4"
        source.close()
    for address in (
        *("file:../secret.mp4", str(tmp_path / "secret.mp4"), "/etc/passwd", "/etc/nothing", r"\\host\share\x.png"),
        *(
            "//host/share",
            r"C:\elsewhere\x.png",
            "file:///etc/passwd",
            "~/secret.mp4/../../x",
            "file://host/share/x.png",
        ),
    ):
        with pytest.raises(UserError, match="is outside the media folder"):
            open_confined(address, (64, 48), media)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names with a question mark")
def test_the_path_that_was_checked_is_the_path_that_is_opened(tmp_path: Path) -> None:
    """`file:x.png?` and more behind it: what is checked is x.png, so x.png is opened, whatever the whole text names."""
    root = tmp_path / "what?" / "media"
    root.mkdir(parents=True)
    write_clip(root / "clip.mp4", 3)
    secret = write_clip(tmp_path / "secret.mp4", 3)
    (root / "clip.mp4?loop=0").symlink_to(secret)
    source = open_confined("file:clip.mp4?loop=0", (64, 48), MediaFolder(root))
    assert source.name == "clip.mp4"
    source.close()
    with pytest.raises(UserError, match="unknown option"):
        open_confined(r"file:clip.mp4?\..\..\secret.mp4", (64, 48), MediaFolder(root))
