"""A real detector, written as ONNX, run for real; and every layout that is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.detector import Detector, letterbox
from streamvace.conditioning.masks.yolo import COCO, class_names, decode
from streamvace.system.errors import UserError
from tests.conditioning.footage import HOSTILE, Pixels
from tests.conditioning.onnx_detector import write

LAYOUTS = ("v8", "v5", "v10", "masks")
RED, BLUE = (255, 0, 0), (0, 0, 255)


def detector(folder: Path, layout: str) -> Detector:
    return Detector(Networks(folder, detector=write(folder / f"{layout}.onnx", layout)))


def picture() -> Pixels:
    """128x64, a red patch on the left and a blue one on the right, each on the detector's grid."""
    canvas = np.full((64, 128, 3), 40, np.uint8)
    canvas[16:48, 16:48] = RED
    canvas[16:48, 80:112] = BLUE
    return canvas


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_selects_what_it_finds_in_every_layout(layout: str, tmp_path: Path) -> None:
    mask = detector(tmp_path, layout).update(picture(), 0.0, MaskSettings())
    assert mask.shape == (64, 128)
    assert (mask[18:46, 18:46] > 127).mean() > 0.7
    assert not mask[:12].any()
    assert not mask[:, 52:76].any()
    if layout != "masks":  # that network's masks are of what is red
        assert (mask[18:46, 82:110] > 127).mean() > 0.7


def test_a_network_with_masks_gives_outlines_and_not_boxes(tmp_path: Path) -> None:
    canvas = np.full((64, 64, 3), 40, np.uint8)
    canvas[16:48, 20:36] = RED  # half of two rows of cells
    mask = detector(tmp_path, "masks").update(canvas, 0.0, MaskSettings(confidence=0.2))
    assert (mask[20:44, 22:34] > 127).all()
    assert not (mask[20:44, 38:] > 127).any()


@pytest.mark.parametrize(("asked", "side"), [(("red",), "left"), (("BLUE",), "right"), (("1",), "right")])
def test_only_the_named_classes_are_selected(asked: tuple[str, ...], side: str, tmp_path: Path) -> None:
    mask = detector(tmp_path, "v8").update(picture(), 0.0, MaskSettings(classes=asked))
    left, right = bool(mask[:, :64].any()), bool(mask[:, 64:].any())
    assert (left, right) == ((True, False) if side == "left" else (False, True))


def test_a_name_that_the_detector_does_not_know_selects_nothing(tmp_path: Path) -> None:
    assert not detector(tmp_path, "v8").update(picture(), 0.0, MaskSettings(classes=("unicorn",))).any()


def test_confidence_is_a_threshold(tmp_path: Path) -> None:
    dim = (picture() * 0.5).astype(np.uint8)
    found = detector(tmp_path, "v8")
    assert found.update(dim, 0.0, MaskSettings(confidence=0.3)).any()
    assert not found.update(dim, 0.0, MaskSettings(confidence=0.8)).any()


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_frame_can_stop_it(kind: str, tmp_path: Path) -> None:
    frame = HOSTILE[kind]
    assert detector(tmp_path, "v8").update(frame, 0.0, MaskSettings()).shape == frame.shape[:2]


def test_a_tall_picture_lands_where_it_was(tmp_path: Path) -> None:
    mask = detector(tmp_path, "v8").update(np.ascontiguousarray(picture().transpose(1, 0, 2)), 0.0, MaskSettings())
    assert (mask[18:46, 18:46] > 127).mean() > 0.7
    assert (mask[82:110, 18:46] > 127).mean() > 0.7


def test_letterboxing_keeps_the_shape() -> None:
    blob, scale, offset = letterbox(np.full((50, 100, 3), 255, np.uint8), (64, 64))
    assert blob.shape == (1, 3, 64, 64)
    assert scale == pytest.approx(0.64)
    assert offset == (0, 16)
    assert blob[0, :, 16:48].min() == 1.0
    assert blob[0, 0, 0, 0] == pytest.approx(114 / 255)


def test_a_file_that_is_no_detector_is_refused_in_one_line(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.onnx"
    nonsense.write_bytes(b"not a network" * 20)
    with pytest.raises(UserError, match=r"nonsense\.onnx does not load") as told:
        Detector(Networks(tmp_path, detector=nonsense))
    assert "\n" not in str(told.value)
    with pytest.raises(UserError, match="/streamvace/mask/model"):
        Detector(Networks(tmp_path))


def test_an_answer_of_an_unknown_shape_is_told() -> None:
    with pytest.raises(UserError, match="known are"):
        decode([np.zeros((1, 1000), np.float32)], 0.5)


def test_overlapping_boxes_of_one_class_are_one_thing_and_of_two_are_two() -> None:
    boxes = np.array([[50, 50, 20, 20], [52, 50, 20, 20], [52, 50, 20, 20], [90, 90, 10, 10]], np.float32)
    scores = np.array([[0.9, 0], [0.8, 0], [0, 0.7], [0.6, 0]], np.float32)
    table = np.concatenate([boxes, scores], 1).T[None]
    padded = np.concatenate([table, np.zeros((1, 6, 20), np.float32)], 2)
    found = decode([padded], 0.5)
    assert [(round(each.score, 1), each.label) for each in found] == [(0.9, 0), (0.7, 1), (0.6, 0)]


def test_a_network_that_thins_out_by_itself_may_give_masks_too() -> None:
    prototypes = np.zeros((1, 32, 8, 8), np.float32)
    prototypes[0, 3, :4] = 9.0
    rows = np.zeros((1, 300, 6 + 32), np.float32)
    rows[0, 0, :6] = 10, 20, 30, 40, 0.9, 5
    rows[0, 0, 6 + 3] = 1.0
    (found,) = decode([rows, prototypes], 0.5)
    assert (found.box, found.label) == ((10.0, 20.0, 30.0, 40.0), 5)
    assert found.mask is not None
    assert (found.mask[:4] > 0.99).all()
    assert (found.mask[4:] < 0.51).all()


def test_a_detector_of_one_class_that_has_not_thinned_out_is_not_taken_for_one_that_has() -> None:
    rows = np.zeros((1, 25200, 6), np.float32)
    rows[0, 7] = 50, 60, 20, 10, 0.9, 0.8
    (found,) = decode([rows], 0.5)
    assert (found.box, found.label) == ((40.0, 55.0, 60.0, 65.0), 0)
    assert found.score == pytest.approx(0.72)


@pytest.mark.parametrize(
    ("text", "first"),
    [("{0: 'Tree', 2: 'dog'}", "tree"), ("['a', 'b']", "a"), ("", "person"), ("{", "person"), ("(" * 500, "person")],
)
def test_class_names_come_from_the_file_or_are_cocos(text: str, first: str) -> None:
    assert class_names(text)[0] == first
    assert len(COCO) == 80
