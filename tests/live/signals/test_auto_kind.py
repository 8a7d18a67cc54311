"""`auto` chooses once per input, says what it chose, and leaves alone what it must not touch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls import DEPTH_FOLDER
from streamvace.conditioning.controls.networks import VISION, Networks
from streamvace.conditioning.signals import SignalSettings
from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.live.signals.auto_kind import AUTO, LOOKS, AutoKind, FilmKind, Seen, kind_for_film, seen
from streamvace.records.chunk import Pixels
from streamvace.video.film.writer import VideoWriter
from tests.live.show import SIZE, wait_until
from tests.live.signals.test_film_look import photograph, poses

FILM, DRAWN = photograph(), poses()
EMPTY = np.zeros_like(FILM)


class Rig:
    """A choice that is given one picture at a time."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.remarks: list[str] = []
        self.chosen: list[str] = []
        self.auto = AutoKind(lambda: "depth", self.notes.append, self.remarks.append, self.chosen.append)

    def show(self, *pictures: Pixels | None, address: str = "clip.mp4", asked: str = AUTO) -> list[str]:
        return [self._one(picture, address, asked) for picture in pictures]

    def _one(self, picture: Pixels | None, address: str, asked: str) -> str:
        look: Seen | None = None if picture is None else (picture, None)
        return self.auto.resolve(SignalSettings(control=asked), address, lambda: look).control


def test_film_is_followed_from_its_first_picture_and_that_is_said_once() -> None:
    rig = Rig()
    assert rig.show(None, FILM, DRAWN, EMPTY) == ["raw", "depth", "depth", "depth"]
    assert rig.notes == ["clip.mp4 looks like film: auto follows it by depth (/streamvace/status/control_kind)"]
    assert (rig.remarks, rig.chosen) == ([], ["depth"])


def test_a_drawn_control_is_taken_as_it_is_and_does_not_change_its_mind() -> None:
    rig = Rig()
    assert rig.show(*[DRAWN] * LOOKS, FILM) == ["raw"] * (LOOKS + 1)
    assert (rig.notes, rig.remarks, rig.chosen) == ([], [], ["raw"])


def test_black_and_a_title_before_the_film_do_not_decide() -> None:
    assert Rig().show(*[EMPTY] * 100, *[DRAWN] * (LOOKS - 1), FILM)[-1] == "depth"


def test_another_input_is_judged_anew() -> None:
    rig = Rig()
    rig.show(FILM)
    assert rig.show(DRAWN, address="control.mp4") == ["raw"]
    assert rig.show(FILM, address="camera:0") == ["depth"]
    assert len(rig.notes) == 2


@pytest.mark.parametrize("address", ["pattern:scene", "pattern", "card", "none"])
def test_the_program_s_own_pictures_are_never_taken_for_film(address: str) -> None:
    rig = Rig()
    assert rig.show(FILM, address=address) == rig.show(FILM, address=address, asked="raw") == ["raw"]
    assert (rig.notes, rig.remarks) == ([], [])


@pytest.mark.parametrize("address", ["spout:Resolume", "syphon:", "ndi:PC (Out)"])
def test_what_other_programs_send_stays_raw_with_one_remark_if_it_looks_like_film(address: str) -> None:
    rig = Rig()
    assert rig.show(FILM, FILM, address=address) == ["raw", "raw"]
    (line,) = rig.remarks
    assert line.startswith(f"{address} looks like film and is used as control as it is")
    assert (rig.notes, rig.chosen) == ([], ["raw"])


@pytest.mark.parametrize("address", ["clip.mp4", "file:clip.mp4", "camera:1", "screen:1", "frames"])
def test_files_cameras_and_screens_are_followed(address: str) -> None:
    assert Rig().show(FILM, address=address) == ["depth"]


def test_a_kind_that_was_asked_for_stays_and_raw_film_is_remarked() -> None:
    rig = Rig()
    assert rig.show(FILM, asked="edges") == ["edges"]
    assert rig.remarks == []
    assert rig.show(FILM, FILM, asked="raw") == ["raw", "raw"]
    assert len(rig.remarks) == 1


def test_what_a_mask_of_the_input_keeps_is_not_judged() -> None:
    picture = np.dstack((FILM, np.zeros(FILM.shape[:2], np.uint8)))
    picture[:, :128, :3], picture[:, :128, 3] = DRAWN[:, :128], 255
    rig = Rig()

    def kind(settings: SignalSettings, address: str, given: Seen) -> str:
        return rig.auto.resolve(settings, address, lambda: given).control

    plain, alpha, other = (SignalSettings(control=AUTO, mask=mask) for mask in ("none", "alpha", "input"))
    assert kind(alpha, "a.mov", seen(picture, None, alpha)) == "raw"
    assert kind(plain, "b.mov", seen(picture, None, plain)) == "depth"
    mask = np.dstack([picture[..., 3]] * 3)
    assert kind(other, "c.mp4", seen(picture, mask, other)) == "raw"
    assert kind(other, "d.mp4", seen(picture, 255 - mask, other)) == "depth"


def test_depth_needs_its_network_and_a_gpu(tmp_path: Path) -> None:
    assert kind_for_film(Networks(tmp_path, "cuda"), "longlive") == "edges"
    (tmp_path / VISION / DEPTH_FOLDER).mkdir(parents=True)
    assert kind_for_film(Networks(tmp_path, "cuda"), "longlive") == "depth"
    assert kind_for_film(Networks(tmp_path, "cpu"), "longlive") == "edges"
    assert kind_for_film(Networks(tmp_path, "cuda"), "embedded") == "gray"


def test_the_kind_follows_the_pipeline_that_runs_and_is_said_again(tmp_path: Path) -> None:
    film = FilmKind(Networks(tmp_path, "cpu"), "embedded", lambda kind: frozenset())
    rig = Rig()
    rig.auto = AutoKind(film, rig.notes.append, rig.remarks.append, rig.chosen.append)

    wait_until(lambda: rig.show(FILM) == ["gray"], "the kind of the first pipeline")
    film.pipeline = lambda: "longlive"
    wait_until(lambda: rig.show(FILM) == ["edges"], "the kind of the other")
    film.pipeline = lambda: "embedded"
    assert rig.show(FILM) == ["gray"], "what is known is not found out again"
    film.stop()
    assert rig.chosen[-3:] == ["gray", "edges", "gray"]
    assert len(set(rig.notes)) == len(rig.notes) == 2


def test_depth_follows_film_as_soon_as_its_network_has_been_downloaded_and_nothing_else_comes_between(
    tmp_path: Path,
) -> None:
    files: set[str] = set()
    film = FilmKind(Networks(tmp_path, "cuda"), "longlive", lambda kind: frozenset(files if kind == "depth" else ()))
    rig = Rig()
    rig.auto = AutoKind(film, rig.notes.append, rig.remarks.append, rig.chosen.append)
    seen_kinds = []

    def found(kind: str) -> bool:
        seen_kinds.extend(rig.show(FILM))
        return seen_kinds[-1] == kind

    wait_until(lambda: found("edges"), "outlines without the network")
    (tmp_path / VISION / DEPTH_FOLDER).mkdir(parents=True)
    files.add(DEPTH_FOLDER)
    wait_until(lambda: found("depth"), "depth with it")
    film.pipeline = lambda: "embedded"
    wait_until(lambda: found("gray"), "the pipeline's own")
    files.clear()
    assert rig.show(FILM) == ["gray"], "while it is found out again"
    film.stop()
    assert rig.chosen[:2] == ["edges", "depth"]
    assert [line.split(" (")[0] for line in rig.notes[:2]] == [
        f"clip.mp4 looks like film: auto follows it by {kind}" for kind in ("edges", "depth")
    ]


@pytest.mark.parametrize(("picture", "line"), [(FILM, "auto follows it by gray"), (DRAWN, "")])
def test_a_render_chooses_as_a_show_does(
    picture: Pixels, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with VideoWriter(tmp_path / "in.mp4", (256, 256), 24) as writer:
        for _ in range(9):
            writer.write(picture)
    options = RenderOptions(tmp_path / "in.mp4", tmp_path / "out.mp4", size=SIZE, factory="tests.live.fakes:make")
    assert render_clip(options) == 0
    said = capsys.readouterr().err
    assert ("looks like film" in said) == bool(line)
    assert line in said
