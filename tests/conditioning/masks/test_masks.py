"""Promises of every mask, and of each one, on footage whose truth is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.keys import despill
from streamvace.world.scene import render
from streamvace.world.styles import compose, sample_look
from tests.conditioning.footage import FPS, HOSTILE, SIZE, Pixels, body, film, flicker, iou, noisy, plain_scene

NOTHING_INSTALLED = Networks(Path("no such folder"))
ALWAYS = tuple(name for name in MASKS if name not in ("person", "detector"))
SETTINGS = MaskSettings()


def run(name: str, pictures: list[Pixels], settings: MaskSettings = SETTINGS) -> list[Pixels]:
    mask = MASKS[name](NOTHING_INSTALLED)
    return [mask.update(picture, k / FPS, settings) for k, picture in enumerate(pictures)]


def before_screen(colour: tuple[int, int, int], shade: float = 1.0) -> tuple[Pixels, np.ndarray]:  # type: ignore[type-arg]
    """A figure in skin, white and grey before an unevenly lit screen; the picture and where the screen is."""
    width, height = SIZE
    light = np.linspace(0.6, 1.0, width)[None, :, None] * shade
    picture = (np.array(colour, np.float32) * light * np.ones((height, width, 1))).astype(np.uint8)
    screen = np.ones((height, width), bool)
    for box, skin in (
        ((60, 40, 60, 120), (224, 172, 140)),
        ((130, 60, 60, 90), (240, 240, 240)),
        ((220, 50, 50, 100), (70, 70, 74)),
    ):
        x, y, w, h = box
        picture[y : y + h, x : x + w] = skin
        screen[y : y + h, x : x + w] = False
    return picture, screen


@pytest.mark.parametrize("name", ALWAYS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_frame_can_stop_a_mask(name: str, kind: str) -> None:
    frame = HOSTILE[kind]
    before = frame.copy()
    for mask in run(name, [frame, frame, HOSTILE["noise"], frame]):
        assert mask.dtype == np.uint8
        assert mask.ndim == 2
    assert run(name, [frame])[0].shape == frame.shape[:2]
    assert np.array_equal(frame, before), "a mask wrote into its input"


@pytest.mark.parametrize("name", ALWAYS)
def test_a_reset_forgets_everything(name: str) -> None:
    shots = [shot.picture for shot in film(plain_scene(body(motion="orbiting")), 8)]
    mask = MASKS[name](NOTHING_INSTALLED)
    for k in range(12):
        mask.update(HOSTILE["noise"], k / FPS, SETTINGS)
    mask.reset()
    after = [mask.update(shot, 1 + k / FPS, SETTINGS) for k, shot in enumerate(shots)]
    fresh = MASKS[name](NOTHING_INSTALLED)
    assert all(
        np.array_equal(found, fresh.update(shot, 1 + k / FPS, SETTINGS))
        for k, (found, shot) in enumerate(zip(after, shots, strict=True))
    )


def test_alpha_is_taken_as_it_is_and_a_picture_without_is_opaque() -> None:
    frame = HOSTILE["noise"]
    assert np.array_equal(run("alpha", [frame])[0], frame[..., 3])
    assert (run("alpha", [frame[..., :3]])[0] == 255).all()


def test_a_luma_key_selects_a_range_with_soft_borders() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    hard = run("luma", [ramp], MaskSettings(luma_low=0.25, luma_high=0.75, softness=0.0))[0][0]
    assert (hard[66:190] == 255).all()
    assert not hard[:62].any()
    assert not hard[194:].any()
    soft = run("luma", [ramp], MaskSettings(luma_low=0.5, luma_high=1.0, softness=0.4))[0][0].astype(int)
    assert (np.diff(soft) >= 0).all()
    assert 110 < soft[128] < 145
    assert soft[255] == 255, "white stays selected whatever the softness"
    both = run("luma", [ramp], MaskSettings(luma_low=1.0, luma_high=0.0))[0]
    assert (both == 255).all(), "the two ends may come in either order"


@pytest.mark.parametrize(("colour", "hue"), [((20, 180, 40), 120.0), ((20, 60, 220), 240.0), ((220, 30, 200), 306.0)])
@pytest.mark.parametrize("shade", [1.0, 0.6])
def test_a_chroma_key_finds_its_screen_in_light_and_shade(
    colour: tuple[int, int, int], hue: float, shade: float
) -> None:
    picture, screen = before_screen(colour, shade)
    found = run("chroma", [noisy(picture, np.random.default_rng(0), 3.0)], MaskSettings(chroma_hue=hue))[0]
    assert iou(found, screen) > 0.97


def test_a_chroma_key_leaves_another_colours_screen_alone() -> None:
    picture, _ = before_screen((20, 180, 40))
    assert (run("chroma", [picture], MaskSettings(chroma_hue=240.0))[0] > 127).mean() < 0.001


def test_tolerance_selects_more() -> None:
    wheel = cv2.cvtColor(
        np.dstack([np.arange(180), np.full(180, 255), np.full(180, 255)]).astype(np.uint8), cv2.COLOR_HSV2RGB
    )
    shares = [
        float((run("chroma", [wheel], MaskSettings(chroma_tolerance=value))[0] > 127).mean())
        for value in (0.1, 0.35, 0.8)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_spill_is_taken_out_of_what_is_kept_and_brightness_stays() -> None:
    tinted = np.full((8, 8, 3), (150, 190, 150), np.uint8)
    cleaned = despill(tinted, 120.0, 1.0)[0, 0].astype(int)
    assert cleaned.max() - cleaned.min() < 12
    assert abs(int(cleaned @ [299, 587, 114]) - int(tinted[0, 0].astype(int) @ [299, 587, 114])) < 3000
    for own in ((224, 172, 140), (240, 240, 240), (200, 40, 40), (60, 80, 200)):
        kept = despill(np.full((8, 8, 3), own, np.uint8), 120.0, 1.0)[0, 0]
        assert np.abs(kept.astype(int) - own).max() <= 4, f"{own} is no spill"
    assert np.abs(despill(tinted, 120.0, 0.0).astype(int) - tinted).max() <= 2


def test_motion_finds_who_enters_a_still_stage() -> None:
    rng = np.random.default_rng(0)
    # The very same background, first without and then with somebody in front of it.
    stage = plain_scene(body(motion="orbiting", radius=0.2), kind="floor")
    look = sample_look(np.random.default_rng(4), 1)
    mask = MASKS["motion"](NOTHING_INSTALLED)
    maps = render(stage, 0.0, SIZE)
    maps[4:] = 0
    empty = compose(maps, look)
    for k in range(96):
        found = mask.update(noisy(empty, rng), k / FPS, SETTINGS)
    assert (found > 127).mean() < 0.002, "nobody is there, only noise"
    scores = []
    for k, shot in enumerate(film(stage, 24, look_seed=4)):
        picture = empty.copy()
        picture[shot.objects] = shot.picture[shot.objects]
        found = mask.update(noisy(picture, rng), (96 + k) / FPS, SETTINGS)
        scores.append(iou(found, shot.objects))
    assert np.mean(scores[4:]) > 0.8


def test_motion_is_steady_before_a_noisy_camera() -> None:
    rng = np.random.default_rng(0)
    still = film(plain_scene(), 1)[0].picture
    pictures = [noisy(still, rng, 6.0) for _ in range(48)]
    assert flicker(run("motion", pictures)[24:]) < 0.1


def test_sensitivity_sees_fainter_motion() -> None:
    rng = np.random.default_rng(0)
    empty = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    faint = empty.copy()
    faint[60:120, 100:180] = 102

    def seen(sensitivity: float) -> float:
        settings = MaskSettings(motion_sensitivity=sensitivity)
        return float(run("motion", [*(noisy(empty, rng, 2.0) for _ in range(24)), faint], settings)[-1].mean())

    assert seen(0.0) < seen(1.0)


def test_a_second_input_is_a_mask_by_its_brightness() -> None:
    frame = np.zeros((4, 4, 4), np.uint8)
    frame[:2, :, :3] = 255
    found = run("input", [frame])[0]
    assert (found[:2] == 255).all()
    assert not found[2:].any()
