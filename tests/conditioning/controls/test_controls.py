"""Promises of every control, and of each one: measured on footage whose truth is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import Box, ControlSettings, Steady, luma, share
from streamvace.conditioning.controls.cut import CutDetector
from streamvace.conditioning.controls.depth import DepthRange
from streamvace.conditioning.controls.flow import Flow, flow_colours
from streamvace.conditioning.controls.layout import parse_box
from streamvace.conditioning.controls.lines import automatic_width
from streamvace.conditioning.controls.networks import Networks
from tests.conditioning.footage import (
    FPS,
    HOSTILE,
    SIZE,
    Pixels,
    body,
    film,
    flicker,
    noisy,
    plain_scene,
    texture,
    travelling,
)

NOTHING_INSTALLED = Networks(Path("no such folder"))
ALWAYS = tuple(name for name in CONTROLS if name != "pose")
"""What needs no files; the pose control has tests of its own."""

SETTINGS = ControlSettings()


def run(name: str, pictures: list[Pixels], settings: ControlSettings = SETTINGS) -> list[Pixels]:
    control = CONTROLS[name](NOTHING_INSTALLED)
    return [control.update(picture, k / FPS, settings) for k, picture in enumerate(pictures)]


def order(plane: Pixels, front: np.ndarray) -> float:  # type: ignore[type-arg]
    """How often a point of the front is drawn nearer than one behind it: 1 always, one half is chance."""
    near, far = np.sort(plane[front].ravel()), np.sort(plane[~front].ravel())
    below, upto = np.searchsorted(far, near, "left"), np.searchsorted(far, near, "right")
    return float((below + upto).mean() / 2 / len(far))


@pytest.mark.parametrize("name", ALWAYS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_frame_can_stop_a_control(name: str, kind: str) -> None:
    frame = HOSTILE[kind]
    before = frame.copy()
    for picture in run(name, [frame, frame, HOSTILE["noise"], frame, frame]):
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
    assert run(name, [frame])[0].shape[:2] == frame.shape[:2]
    assert np.array_equal(frame, before), "a control wrote into its input"


@pytest.mark.parametrize("name", ALWAYS)
def test_a_reset_forgets_everything(name: str) -> None:
    scene = [noisy(shot.picture, np.random.default_rng(3)) for shot in film(plain_scene(body(motion="swaying")), 8)]
    other = [travelling(texture(seed=9), 3 * k, 0) for k in range(8)]
    control = CONTROLS[name](NOTHING_INSTALLED)
    for k, picture in enumerate(other):
        control.update(picture, k / FPS, SETTINGS)
    control.reset()
    after = [control.update(picture, 1 + k / FPS, SETTINGS) for k, picture in enumerate(scene)]
    fresh = CONTROLS[name](NOTHING_INSTALLED)
    for k, picture in enumerate(scene):
        assert np.array_equal(after[k], fresh.update(picture, 1 + k / FPS, SETTINGS)), f"frame {k}"


@pytest.mark.parametrize("name", ["edges", "scribble", "flow", "depth", "layout"])
def test_a_still_scene_is_steadier_than_its_camera(name: str) -> None:
    rng = np.random.default_rng(0)
    still = film(plain_scene(), 1)[0].picture
    pictures = [noisy(still, rng) for _ in range(24)]
    assert flicker(run(name, pictures)[8:]) < 0.35 * flicker(pictures[8:])


def test_edges_flicker_far_less_than_plain_canny() -> None:
    rng = np.random.default_rng(0)
    still = film(plain_scene(kind="floor"), 1)[0].picture
    pictures = [noisy(still, rng, 6.0) for _ in range(20)]
    plain = [cv2.Canny(cv2.GaussianBlur(luma(picture), (5, 5), 1.2), 40, 100) for picture in pictures]
    ours = run("edges", pictures, ControlSettings(edge_width=1))
    per_line = [flicker(drawn[6:]) / max(float(drawn[-1].mean()), 1e-6) for drawn in (ours, plain)]
    assert per_line[0] < 0.5 * per_line[1]


def test_raw_is_the_picture_and_gray_is_bt601() -> None:
    frame = HOSTILE["noise"]
    assert np.array_equal(run("raw", [frame])[0], frame[..., :3])
    exact = frame[..., :3] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(run("gray", [frame])[0] - exact[..., None]).max() <= 1


def test_edges_lie_on_the_outlines_of_the_objects() -> None:
    shots = film(plain_scene(body(motion="swaying", shape="cube"), kind="plain"), 8)
    drawn = run("edges", [shot.picture for shot in shots], ControlSettings(edge_width=3))[-1][..., 0]
    solid = shots[-1].objects.astype(np.uint8) * 255
    outline = cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    assert (drawn[outline] > 127).mean() > 0.9
    outside = cv2.dilate(solid, np.ones((9, 9), np.uint8)) == 0
    assert (drawn[outside] > 127).mean() < 0.01


def test_colours_of_the_same_brightness_have_an_edge_between_them() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (200, 0, 0), (0, 102, 0)
    assert abs(int(luma(picture)[0, 0]) - int(luma(picture)[0, -1])) <= 1
    assert run("edges", [picture])[0][:, 30:34].max() == 255


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_an_edge_is_as_wide_as_asked(width: int) -> None:
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[:, 48:] = 200
    drawn = run("edges", [picture], ControlSettings(edge_width=width))[0]
    assert abs(int((drawn[48, :, 0] > 127).sum()) - width) <= 1


def test_sensitivity_draws_more() -> None:
    picture = film(plain_scene(kind="floor"), 1)[0].picture // 4 + 60
    counts = [
        int((run("edges", [picture], ControlSettings(edge_sensitivity=value))[0] > 127).sum()) for value in (0, 0.5, 1)
    ]
    assert counts[0] < counts[1] < counts[2]


def test_an_automatic_width_follows_the_picture() -> None:
    assert [automatic_width(height, 64) for height in (16, 128, 256, 480)] == [1, 2, 4, 8]


@pytest.mark.parametrize("step", [(2, 0), (5, 3), (-8, 2), (0, -6), (12, 0)])
def test_flow_finds_how_far_the_picture_moved(step: tuple[int, int]) -> None:
    flow, picture = Flow(), texture()
    for k in range(4):
        speed = flow.speeds(travelling(picture, step[0] * k, step[1] * k), k / FPS)
    pixels = speed[24:-24, 24:-24] * SIZE[0] / FPS
    error = np.linalg.norm(pixels - np.array(step), axis=-1).mean()
    assert error < 0.25, f"{error:.2f} pixels off, of {np.hypot(*step):.1f}"


def test_flow_has_a_fixed_scale_that_does_not_depend_on_the_rate_of_the_input() -> None:
    picture = texture()
    fast = run("flow", [travelling(picture, 4 * k, 0) for k in range(4)])[-1]
    control = CONTROLS["flow"](NOTHING_INSTALLED)
    for k in range(4):  # every other frame of the same movement
        slow = control.update(travelling(picture, 8 * k, 0), 2 * k / FPS, SETTINGS)
    inside = (slice(40, -40), slice(60, -60))
    assert np.abs(fast[inside].astype(int).mean((0, 1)) - slow[inside].astype(int).mean((0, 1))).max() < 6


@pytest.mark.parametrize("size", [(640, 30), (2000, 60), (128, 16), (16, 128), (64, 64), (33, 640), (640, 32)])
def test_a_narrow_strip_does_not_take_the_process_down(size: tuple[int, int]) -> None:
    """OpenCV's search reads outside pictures that are too low for its pyramid."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(3)]
    assert all(drawn.shape == pictures[0].shape for drawn in run("flow", pictures))


def test_a_still_picture_flows_nowhere_and_a_first_one_neither() -> None:
    picture = texture()[:184, :320]
    assert all((drawn == 255).all() for drawn in run("flow", [picture] * 3))


def test_the_flow_wheel_is_the_usual_one() -> None:
    right, left, down, up = flow_colours(np.array([[[1, 0], [-1, 0], [0, 1], [0, -1]]], np.float32))[0]
    assert right.tolist() == [255, 0, 0]
    assert left[0] == 0
    assert min(left[1:]) > 100, "left is cyan"
    assert down[2] == 0
    assert min(down[:2]) > 150, "down is yellow to green"
    assert up[2] > 200
    assert flow_colours(np.zeros((1, 1, 2), np.float32))[0, 0].tolist() == [255, 255, 255]
    assert np.array_equal(
        flow_colours(np.full((1, 1, 2), 5.0, np.float32)), flow_colours(np.full((1, 1, 2), 0.8, np.float32))
    )


@pytest.mark.parametrize("kind", ["plain", "gradient", "waves", "stars", "floor"])
def test_guessed_depth_puts_the_object_before_its_background(kind: str) -> None:
    shots = film(plain_scene(body(motion="swaying"), kind=kind), 12)
    drawn = run("depth", [shot.picture for shot in shots])[-1][..., 0]
    assert order(drawn, shots[-1].objects) > 0.9


def test_the_range_of_a_depth_does_not_pump_when_something_comes_near() -> None:
    steady = DepthRange()
    far = np.linspace(1, 2, 64 * 64, dtype=np.float32).reshape(64, 64)
    for k in range(24):
        before = steady.picture(far, k / FPS, 1.0)
    near = far.copy()
    near[:32, :32] = 6.0
    after = steady.picture(near, 1.0, 1.0)
    assert np.abs(after[40:, 40:].astype(int) - before[40:, 40:]).max() < 40, "a stretched one falls by 200"
    for k in range(96):
        settled = steady.picture(near, 1 + k / FPS, 1.0)
    assert settled[0, 0] == 255
    assert settled[60, 60] < 64


def test_a_flat_depth_is_not_stretched_into_noise() -> None:
    flat = np.full((32, 32), 5.0, np.float32) + np.random.default_rng(0).normal(0, 0.001, (32, 32)).astype(np.float32)
    assert DepthRange().picture(flat, 0.0, 1.0).max() < 16


def test_a_layout_box_is_drawn_where_it_was_sent_in_black_on_white() -> None:
    settings = ControlSettings(layout_boxes=(Box(0.25, 0.5, 0.5, 0.25),))
    drawn = run("layout", [np.zeros((200, 400, 3), np.uint8)], settings)[0]
    rows, columns = np.nonzero(drawn[..., 0] < 128)
    assert abs(rows.min() - 100) <= 2
    assert abs(rows.max() - 150) <= 2
    assert abs(columns.min() - 100) <= 2
    assert abs(columns.max() - 300) <= 2
    assert drawn[125, 200, 0] == 255
    assert drawn[0, 0, 0] == 255


def test_a_layout_box_glides_and_leaves_a_trail() -> None:
    layout = CONTROLS["layout"](NOTHING_INSTALLED)
    blank = np.zeros((200, 400, 3), np.uint8)
    here, there = Box(0.0, 0.0, 0.2, 0.2), Box(0.8, 0.0, 0.2, 0.2)

    def left(box: Box, seconds: float, trail: float = 0.0) -> Pixels:
        settings = ControlSettings(layout_boxes=(box,), layout_glide=0.3, layout_trail=trail)
        return layout.update(blank, seconds, settings)

    left(here, 0.0)
    columns = [int(np.nonzero(left(there, k / FPS)[30, :, 0] < 128)[0].min()) for k in range(1, 48)]
    assert columns == sorted(columns), "it never turns back"
    assert 0 < columns[0] < 100
    assert columns[-1] > 315
    assert (left(there, 2.1, trail=5.0) < 128).sum() > (left(there, 2.2) < 128).sum()


def test_without_boxes_a_layout_outlines_what_moves() -> None:
    shots = film(plain_scene(body(motion="orbiting", radius=0.18), kind="plain"), 16)
    drawn = run("layout", [shot.picture for shot in shots])[-1][..., 0]
    rows, columns = np.nonzero(drawn < 128)
    truth = np.nonzero(shots[-1].objects)
    assert len(rows), "nothing was outlined"
    assert abs(rows.mean() - truth[0].mean()) < 30
    assert abs(columns.mean() - truth[1].mean()) < 30


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("0.1 0.2 0.3 0.4", Box(0.1, 0.2, 0.3, 0.4)),
        ("0.1, 0.2,0.3 ,0.4", Box(0.1, 0.2, 0.3, 0.4)),
        ("", None),
        ("0.1 0.2 0.3", None),
        ("a b c d", None),
        ("nan 0 1 1", None),
        ("0 0 inf 1", None),
        ("0 0 0 1", None),
        ("0 0 -1 1", None),
    ],
)
def test_a_box_is_four_parts_of_the_picture(text: str, box: Box | None) -> None:
    assert parse_box(text) == box


def test_a_cut_is_noticed_and_motion_noise_and_fades_are_not() -> None:
    cuts = CutDetector()
    first, second = texture(seed=1), texture(seed=2) // 4
    assert cuts.update(travelling(first, 0, 0))
    rng = np.random.default_rng(0)
    moving = [noisy(travelling(first, 6 * k, 2 * k), rng) for k in range(1, 9)]
    assert not any(cuts.update(picture) for picture in moving)
    assert cuts.update(travelling(second, 0, 0))
    fade = [(travelling(second, 0, 0) * (k / 12)).astype(np.uint8) for k in range(12, -1, -1)]
    assert not any(cuts.update(picture) for picture in fade)
    assert cuts.update(HOSTILE["one pixel"]), "another size is another scene"


def test_a_strobe_is_not_taken_for_a_row_of_cuts() -> None:
    cuts = CutDetector()
    picture = texture()[:184, :320]
    found = [cuts.update(picture if k % 2 else np.full_like(picture, 255)) for k in range(30)]
    assert sum(found[4:]) == 0


def test_settling_takes_the_same_time_at_every_rate() -> None:
    def after_one_second(rate: int) -> float:
        value = Steady(0.5)
        value.follow(0.0, 0.0)
        return [value.follow(1.0, k / rate) for k in range(1, rate + 1)][-1]

    assert abs(after_one_second(15) - after_one_second(60)) < 1e-6
    assert share(0.1, 0.0) == 1.0
    assert share(-5.0, 1.0) == 0.0
