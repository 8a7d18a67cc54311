"""The signal stage: no cost when unused, never a gap, one kind in a chunk, and a fault loses one frame at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import Control, ControlSettings, Pixels
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks.base import Mask
from streamvace.control.parameters import Parameters
from streamvace.control.refusals import Refusals
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.signals.auto_kind import AutoKind
from streamvace.live.signals.parts import (
    CONTROL_KIND,
    MASK_SOURCES,
    SECOND_KIND,
    Parts,
    mask_key,
    mask_maker,
    refusing,
)
from streamvace.live.signals.settings import second_settings, signal_settings
from streamvace.live.signals.signal_stage import SECOND, SignalStage
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.video.core.resize import with_alpha
from tests.conditioning.onnx_detector import write
from tests.live.show import wait_until
from tests.live.signals.test_film_look import photograph

SIZE = (64, 48)
NETWORKS = Networks(Path("no such folder"))


class Rig:
    """A stage with inputs, parameters and a clock, stepped by hand."""

    def __init__(
        self,
        *,
        watched: Callable[[], bool] = lambda: False,
        film_kind: str = "gray",
        files: Set[str] = frozenset(),
        **made: Callable[[str], Control],
    ) -> None:
        self.parameters = Parameters()
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.address = "clip.mp4"
        reporter = Reporter(self.lines.append)
        self.refusals = Refusals(self.parameters, reporter)
        refuse_mask = refusing(self.refusals, "mask", *MASK_SOURCES)
        self.inputs: dict[str, FrameRing] = {}
        self.lead = FrameRing()
        self.now_ns = 0

        def control(kind: str) -> Control:
            return made[kind](kind) if kind in made else CONTROLS[kind](NETWORKS)

        def mask(key: str) -> Mask:
            return MASKS[key](NETWORKS)

        self.stage = SignalStage(
            inputs=self,
            snapshot=self.parameters.snapshot,
            controls=Parts(
                control, refusing(self.refusals, "control", CONTROL_KIND), "control", lambda kind: frozenset(files)
            ),
            masks=Parts(mask, refuse_mask, "mask"),
            pipeline="embedded",
            size=SIZE,
            reporter=reporter,
            watched=watched,
            auto=AutoKind(lambda: film_kind, self.notes.append, self.notes.append),
            address=lambda: self.address,
            clock=lambda: self.now_ns,
        )
        self.second = SignalStage(
            inputs=self.stage,
            snapshot=self.parameters.snapshot,
            controls=Parts(control, refusing(self.refusals, "second control", SECOND_KIND), "second control"),
            masks=Parts(mask, refuse_mask, "mask"),
            pipeline="embedded",
            size=SIZE,
            reporter=reporter,
            roles=SECOND,
            wish=second_settings,
            clock=lambda: self.now_ns,
        )

    def ring(self, role: str) -> FrameRing:
        return self.inputs.get(role, self.lead)

    def set(self, **values: object) -> None:
        for name, value in values.items():
            self.parameters.set(f"/streamvace/{name}", (value,), "test")

    def capture(self, number: int, ring: FrameRing | None = None, size: tuple[int, int] = SIZE) -> Frame:
        pixels = np.full((size[1], size[0], 4), 40, np.uint8)
        pixels[10:30, number % 30 : number % 30 + 20, :3] = 220
        pixels[..., 3] = 0
        pixels[:, size[0] // 2 :, 3] = 255
        self.now_ns = number * 40_000_000
        frame = Frame(pixels, self.now_ns, "test", number)
        (ring or self.lead).push(frame)
        return frame

    def film(self, number: int) -> None:
        self.now_ns = number * 40_000_000
        self.lead.push(Frame(with_alpha(photograph()), self.now_ns, "test", number))

    def newest(self, role: str = "control") -> Pixels:
        frame = self.stage.ring(role).newest()
        assert frame is not None
        return frame.pixels


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_raw_control_passes_through_untouched_at_no_cost(rig: Rig) -> None:
    rig.capture(1)
    assert not rig.stage.step()
    assert rig.stage.ring("control") is rig.lead
    rig.set(mask_source="alpha")
    assert not rig.stage.step()
    assert rig.stage.ring("mask") is rig.lead
    assert rig.stage.stats()["control_made"] == 0


def test_control_and_mask_are_made_of_the_newest_frame_and_keep_its_time(rig: Rig) -> None:
    rig.set(control_kind="edges", mask_source="alpha", mask_invert=True)
    for number in range(1, 6):
        frame = rig.capture(number)
    assert rig.stage.step()
    assert not rig.stage.step(), "a frame is made into signals once"
    made = rig.stage.ring("control").newest()
    assert made is not None
    assert (made.captured_ns, made.sequence) == (frame.captured_ns, 5)
    assert np.array_equal(made.pixels[..., 3], 255 - frame.pixels[..., 3])
    assert set(np.unique(made.pixels[:6, :, :3])) == {0}
    assert rig.stage.ring("mask") is rig.stage.ring("control")
    assert rig.stage.stats()["control_skipped"] == 4, "older frames are skipped and counted"


def test_other_roles_keep_the_raw_picture(rig: Rig) -> None:
    rig.set(control_kind="edges")
    rig.capture(1)
    rig.stage.step()
    assert rig.stage.ring("source") is rig.lead
    assert rig.stage.ring("control") is not rig.lead


def test_the_second_control_has_its_own_kind_of_the_same_camera_and_no_cost_without_a_weight(
    rig: Rig,
) -> None:
    rig.set(control_kind="gray", **{"second_control/kind": "edges"}, mask_source="luma")
    frame = rig.capture(1)
    assert rig.stage.step()
    assert not rig.second.step()
    assert rig.second.ring("second") is rig.lead
    rig.set(**{"second_control/weight": 0.5})
    assert rig.second.step()
    made = rig.second.ring("second").newest()
    assert made is not None
    assert made.captured_ns == frame.captured_ns
    assert (made.pixels[..., 3] == 255).all(), "it has no mask"
    assert not np.array_equal(made.pixels[..., :3], rig.newest("control")[..., :3])
    for role in ("control", "mask", "source"):
        assert rig.second.ring(role) is rig.stage.ring(role)


def test_another_kind_starts_another_ring_which_is_never_empty(rig: Rig) -> None:
    rig.set(control_kind="edges")
    for number in range(1, 4):
        rig.capture(number)
        rig.stage.step()
    first = rig.stage.ring("control")
    rig.set(control_kind="gray")
    assert rig.stage.ring("control") is first, "until the new kind has a picture the old one stays"
    rig.stage.step()
    second = rig.stage.ring("control")
    assert second is not first
    assert len({id(frame) for frame in second.sample(9, 0)}) == 1, "no frame of the old kind is left"
    rig.set(control_kind="raw")
    rig.stage.step()
    assert rig.stage.ring("control") is rig.lead


def test_a_changed_setting_is_seen_without_a_new_frame(rig: Rig) -> None:
    rig.set(control_kind="edges")
    rig.parameters.set("/streamvace/edges/width", (1,), "test")
    rig.capture(1)
    rig.stage.step()
    thin = rig.newest().copy()
    rig.parameters.set("/streamvace/edges/width", (9,), "test")
    assert rig.stage.step()
    assert rig.newest()[..., :3].sum() > 2 * thin[..., :3].sum()


def test_while_a_network_loads_the_old_kind_stays_in_use(rig: Rig) -> None:
    loaded = threading.Event()

    class Slow:
        backend = "slow"

        def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
            return np.full((*frame.shape[:2], 3), 7, np.uint8)

        def reset(self) -> None:
            pass

    def load(kind: str) -> Control:
        assert loaded.wait(10)
        return Slow()

    rig = Rig(depth=load)
    rig.set(control_kind="edges")
    rig.capture(1)
    rig.stage.step()
    rig.set(control_kind="depth")
    rig.capture(2)
    assert rig.stage.step()
    assert set(np.unique(rig.newest()[:6, :, :3])) == {0}, "still edges"
    assert str(rig.stage.stats()["control"]).startswith("edges")
    loaded.set()
    for number in range(3, 200):
        rig.capture(number)
        rig.stage.step()
        if rig.newest()[0, 0, 0] == 7:
            break
        threading.Event().wait(0.01)
    assert rig.newest()[0, 0, 0] == 7
    assert rig.stage.stats()["control"] == "depth: slow"


def test_pictures_of_a_network_that_was_downloaded_begin_a_ring_of_their_own() -> None:
    files: set[str] = set()
    rig = Rig(files=files)
    rig.set(control_kind="depth")
    for number in range(1, 3):
        rig.capture(number)
        rig.stage.step()
    first = rig.stage.ring("control")
    assert first is not rig.lead
    rig.capture(3)
    rig.stage.step()
    assert rig.stage.ring("control") is first
    files.add("network")

    def taken() -> bool:
        rig.capture(4)
        rig.stage.step()
        return rig.stage.ring("control") is not first

    wait_until(taken, "no chunk mixes what two have made")


def test_a_kind_that_cannot_be_made_is_taken_back_with_its_reason_and_the_old_one_stays_in_use() -> None:
    attempts = 0

    def refuse(kind: str) -> Control:
        nonlocal attempts
        attempts += 1
        raise UserError("pose needs a file; `streamvace models pull vision`", "streamvace models pull vision")

    rig = Rig(pose=refuse)
    rig.set(control_kind="edges")
    rig.capture(1)
    rig.stage.step()
    rig.set(control_kind="pose")
    for number in range(2, 30):
        rig.capture(number)
        rig.stage.step()
    assert rig.lines == ["control pose: pose needs a file; `streamvace models pull vision`"]
    assert str(rig.stage.stats()["control"]).startswith("edges")
    assert rig.parameters.snapshot()["/streamvace/control_kind"] == "edges", "every surface shows what rules"
    refused = rig.refusals.rows()["/streamvace/control_kind"]
    assert isinstance(refused, dict)
    assert [refused[key] for key in ("asked", "ruling", "fix")] == ["pose", "edges", "streamvace models pull vision"]
    rig.set(control_kind="pose")
    rig.capture(31)
    rig.stage.step()
    wait_until(lambda: attempts == 2, "it is tried again when it is chosen again")


def test_a_kind_that_turns_out_to_be_impossible_too_late_leaves_the_newer_choice_alone() -> None:
    going = threading.Event()

    def refuse(kind: str) -> Control:
        going.wait(60)
        raise UserError("pose needs a file")

    rig = Rig(pose=refuse)
    rig.set(control_kind="pose")
    rig.capture(1)
    rig.stage.step()
    rig.set(control_kind="edges")
    going.set()
    wait_until(lambda: rig.lines != [], "the failure is reported")
    assert rig.parameters.snapshot()["/streamvace/control_kind"] == "edges"
    assert rig.refusals.rows() == {}


def test_a_mask_that_cannot_be_made_is_reported_and_the_old_one_stays_in_use(rig: Rig) -> None:
    rig.set(mask_source="luma", **{"mask/second": "alpha"})
    rig.capture(1)
    rig.stage.step()
    rig.set(mask_source="person", **{"mask/second": "person"})
    rig.capture(2)
    rig.stage.step()
    assert rig.stage.stats()["mask"] == "luma: OpenCV, alpha: the input"
    assert rig.lines[0].startswith("mask person: ")
    held = rig.parameters.snapshot()
    assert (held["/streamvace/mask_source"], held["/streamvace/mask/second"]) == ("luma", "alpha")


def test_a_detector_without_its_network_stays_chosen_because_the_network_is_named_next(rig: Rig) -> None:
    rig.set(mask_source="detector")
    rig.capture(1)
    rig.stage.step()
    wait_until(lambda: rig.lines != [], "the failure is reported")
    assert rig.parameters.snapshot()["/streamvace/mask_source"] == "detector"


def test_a_control_that_fails_passes_its_frame_through() -> None:
    class Broken:
        backend = "broken"

        def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
            raise RuntimeError("the network answered nonsense")

        def reset(self) -> None:
            pass

    rig = Rig(flow=lambda kind: Broken())
    rig.set(control_kind="flow")
    for number in range(1, 4):
        frame = rig.capture(number)
        assert rig.stage.step()
    assert np.array_equal(rig.newest()[..., :3], frame.pixels[..., :3])
    assert rig.stage.stats()["control_faults"] == 3
    assert "nonsense" in rig.lines[0]


def test_the_masks_own_input_is_taken_at_the_controls_time(rig: Rig) -> None:
    rig.inputs["mask"] = FrameRing()
    rig.set(mask_source="input", control_kind="edges")
    dark = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    rig.inputs["mask"].push(Frame(dark + 255, 1 * 40_000_000, "matte", 0))
    rig.inputs["mask"].push(Frame(dark, 9 * 40_000_000, "matte", 1))
    rig.capture(2)
    rig.stage.step()
    assert (rig.newest("mask")[..., 3] == 255).all()
    rig.capture(8)
    rig.stage.step()
    assert not rig.newest("mask")[..., 3].any()


def test_a_mask_without_a_control_input_is_made_of_its_own(rig: Rig) -> None:
    rig.inputs["control"] = FrameRing()
    rig.inputs["mask"] = FrameRing()
    rig.set(mask_source="luma")
    rig.capture(3, rig.inputs["mask"])
    assert rig.stage.step()
    assert rig.newest("mask")[..., 3].any()


def test_frames_of_another_size_are_fitted(rig: Rig) -> None:
    rig.set(control_kind="gray")
    rig.capture(1, size=(200, 100))
    rig.stage.step()
    assert rig.newest().shape == (SIZE[1], SIZE[0], 4)


def test_a_reset_of_the_show_resets_the_signals(rig: Rig) -> None:
    rig.set(control_kind="flow")
    for number in range(1, 6):
        rig.capture(3 * number)
        rig.stage.step()
    assert (rig.newest()[..., :3] < 250).any(), "something flows"
    rig.parameters.set("/streamvace/reset", (), "test")
    rig.capture(18)
    rig.stage.step()
    assert (rig.newest()[..., :3] == 255).all()


def test_without_an_input_picture_nothing_is_made(rig: Rig) -> None:
    rig.set(control_kind="edges", mask_source="motion")
    assert not rig.stage.step()
    assert rig.stage.view is None
    assert rig.stage.ring("control").newest() is None


def test_a_watcher_sees_the_raw_picture_too() -> None:
    rig = Rig(watched=lambda: True)
    frame = rig.capture(1)
    assert rig.stage.step()
    assert rig.stage.view is not None
    assert np.array_equal(rig.stage.view.signal.control, frame.pixels[..., :3])
    assert rig.stage.ring("control") is rig.lead, "and the director still gets it untouched"


def test_a_watcher_who_comes_later_sees_a_still_picture_too() -> None:
    watched = True
    rig = Rig(watched=lambda: watched)
    rig.capture(1)
    assert rig.stage.step()
    watched = False
    assert not rig.stage.step()
    assert rig.stage.view is None
    watched = True
    assert rig.stage.step()
    assert rig.stage.view is not None


def test_the_thread_makes_signals_until_stopped(rig: Rig) -> None:
    rig.set(control_kind="gray")
    rig.stage.start()
    rig.capture(1)
    for _ in range(500):
        if rig.stage.ring("control").newest() is not None and rig.stage.ring("control") is not rig.lead:
            break
        threading.Event().wait(0.01)
    rig.stage.stop()
    rig.stage.stop()
    assert rig.stage.stats()["control_made"] == 1
    assert "signals" not in {thread.name for thread in threading.enumerate()}


def test_a_detector_is_a_file_in_the_media_folder(tmp_path: Path) -> None:
    write(tmp_path / "found.onnx")
    make = mask_maker(NETWORKS, MediaFolder(tmp_path))
    assert make(mask_key("detector", "found.onnx")).backend == "a YOLO file"
    for name in ("missing.onnx", "../found.onnx", ""):
        with pytest.raises(UserError):
            make(mask_key("detector", name))
    assert mask_key("person", "found.onnx") == "person"


def test_settings_come_from_the_parameters_and_line_width_from_the_pipeline(rig: Rig) -> None:
    rig.parameters.set("/streamvace/layout/boxes", ("0 0 0.5 0.5", "nonsense"), "test")
    rig.set(mask_source="person")
    found = signal_settings(rig.parameters.snapshot(), "embedded", 256)
    assert found.controls.edge_width == 4
    assert signal_settings(rig.parameters.snapshot(), "longlive", 480).controls.edge_width == 2
    assert len(found.controls.layout_boxes) == 1
    assert found.sources == ("person",)
    rig.set(control_kind="flow", control=False)
    assert signal_settings(rig.parameters.snapshot(), "embedded", 256).control == "raw"


def test_auto_follows_film_from_its_first_picture_and_status_tells_the_kind(rig: Rig) -> None:
    assert rig.stage.stats()["control_kind"] == "raw"
    rig.film(1)
    assert rig.stage.step()
    assert rig.stage.stats()["control_kind"] == "gray"
    assert (np.ptp(rig.newest()[..., :3], axis=-1) == 0).all()
    rig.lead, rig.address = FrameRing(), "pattern"
    rig.film(2)
    assert not rig.stage.step()
    assert rig.stage.ring("control") is rig.lead
    assert rig.stage.stats()["control_kind"] == "raw"


@pytest.mark.parametrize("values", [{"control_kind": "raw"}, {"video_to_video": True}, {"control": False}])
def test_auto_does_not_act_where_raw_was_chosen_or_the_picture_is_repainted_or_nothing_steers(
    values: dict[str, object], rig: Rig
) -> None:
    rig.set(**values)
    rig.film(1)
    assert not rig.stage.step()
    assert rig.stage.ring("control") is rig.lead
    assert len(rig.notes) == (1 if "control_kind" in values else 0), "only raw film as control is remarked"


def test_while_a_network_loads_auto_follows_edges_instead_of_the_raw_film() -> None:
    loaded = threading.Event()

    def depth(kind: str) -> Control:
        loaded.wait(10)
        return CONTROLS["gray"](NETWORKS)

    rig = Rig(film_kind="depth", depth=depth)
    rig.film(1)
    rig.stage.step()
    assert rig.stage.stats()["control_kind"] == "edges"
    loaded.set()
    numbers = iter(range(2, 1000))

    def is_depth() -> bool:
        rig.film(next(numbers))
        rig.stage.step()
        return rig.stage.stats()["control_kind"] == "depth"

    wait_until(is_depth, "depth is in use")


def test_what_a_mask_keeps_stays_the_picture_under_auto(rig: Rig) -> None:
    """The stage makes the control of the whole picture; the layout puts the untouched picture where the mask keeps."""
    rig.set(mask_source="luma")
    rig.film(1)
    rig.stage.step()
    assert rig.stage.ring("source") is rig.lead
    assert rig.stage.ring("control") is not rig.lead
