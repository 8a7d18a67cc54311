"""HDR films become sRGB by the published formulas (BT.2100, BT.2390, BT.2408), not grey."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from streamvace.video.film.decode import Video, to_rgba
from streamvace.video.film.high_dynamic_range import compressed, hdr_to_rgba, hlg_scene, pq_code, pq_light
from streamvace.video.film.source import timed_frames
from tests.video.film.files import film, flat_ten_bits

PQ, HLG, BT2020 = 16, 18, 9


@pytest.mark.parametrize(
    ("code", "light"), [(0.0, 0.0), (0.508, 100.0), (0.581, 203.0), (0.752, 1000.0), (0.903, 4000.0), (1.0, 10000.0)]
)
def test_pq_has_the_light_that_the_standard_lists(code: float, light: float) -> None:
    assert float(pq_light(np.asarray(code))) == pytest.approx(light, rel=0.01)
    assert float(pq_code(np.asarray(light))) == pytest.approx(code, abs=0.0006)


@pytest.mark.parametrize(("code", "light"), [(0.0, 0.0), (0.5, 1 / 12), (0.75, 0.2650), (1.0, 1.0)])
def test_hlg_has_the_light_that_the_standard_lists(code: float, light: float) -> None:
    assert float(hlg_scene(np.asarray(code))) == pytest.approx(light, abs=0.0002)


@pytest.mark.parametrize(("light", "shown"), [(0, 0), (10, 10), (80, 80), (203, 158), (1000, 203), (5000, 203)])
def test_shadows_keep_their_light_and_the_peak_becomes_white(light: float, shown: float) -> None:
    """By hand with the formulas of BT.2390: its knee is at 87 cd/m2 here."""
    assert float(compressed(np.asarray(float(light)))) == pytest.approx(shown, rel=0.02)


def test_the_curve_never_falls() -> None:
    assert (np.diff(compressed(np.linspace(0, 1200, 3000))) >= 0).all()


def srgb(light: float) -> float:
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(("light", "shown"), [(0, 0), (10, 10), (80, 80), (203, 158), (1000, 203), (4000, 203)])
def test_a_grey_of_known_light_has_its_byte(light: float, shown: float) -> None:
    code = float(pq_code(np.asarray(float(light))))
    frame = flat_ten_bits(code, code, code)
    frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = PQ, BT2020, BT2020, 1
    pixel = hdr_to_rgba(frame)[5, 5]
    assert np.abs(pixel[:3].astype(int) - srgb(shown / 203)).max() <= 2
    assert pixel[3] == 255


def test_white_of_hlg_is_white_and_its_graphics_white_is_that_of_pq() -> None:
    for code, light in ((1.0, 203.0), (0.75, 158.0)):
        frame = flat_ten_bits(code, code, code)
        frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = HLG, BT2020, BT2020, 1
        assert np.abs(hdr_to_rgba(frame)[5, 5, :3].astype(int) - srgb(light / 203)).max() <= 2


def test_a_colour_of_srgb_comes_back_as_itself() -> None:
    """(220, 40, 90) at half of graphics white, written in BT.2020 with the matrix of BT.2087."""
    linear = [(v / 255 + 0.055) ** 2.4 / 1.055**2.4 for v in (220, 40, 90)]
    matrix = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
    wide = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in matrix]
    codes = [float(pq_code(np.asarray(80 * each))) for each in wide]
    frame = flat_ten_bits(*codes)
    frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = PQ, BT2020, BT2020, 1
    shown = hdr_to_rgba(frame)[5, 5, :3]
    assert np.abs(shown.astype(int) - [srgb(each * 80 / 203) for each in linear]).max() <= 3


def test_light_beyond_the_peak_keeps_its_hue() -> None:
    red, rest = (float(pq_code(np.asarray(light))) for light in (4000.0, 2000.0))
    frame = flat_ten_bits(red, rest, rest)
    frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = PQ, 1, BT2020, 1
    shown = hdr_to_rgba(frame)[5, 5, :3].astype(int)
    assert shown[0] == 255
    assert np.abs(shown[1:] - srgb(0.5)).max() <= 3


def test_an_hdr_film_plays_in_srgb_and_says_so(tmp_path: Path) -> None:
    code = float(pq_code(np.asarray(80.0)))
    path = film(
        tmp_path / "phone.mkv",
        [flat_ten_bits(code, code, code) for _ in range(3)],
        codec="ffv1",
        color_trc=PQ,
        color_primaries=BT2020,
        colorspace=BT2020,
        color_range=1,
    )
    said: list[str] = []
    frames = [pixels for _, _, pixels in timed_frames(path, (32, 24), tell=said.append)]
    assert said == ["phone.mkv is tone-mapped from HDR (PQ) to sRGB"]
    assert [frame.shape for frame in frames] == [(24, 32, 4)] * 3
    assert all(np.abs(frame[..., :3].astype(int) - srgb(80 / 203)).max() <= 2 for frame in frames)


def test_a_large_film_is_shrunk_before_it_is_converted_and_never_below_what_is_needed(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [flat_ten_bits(0.3, 0.3, 0.3, (200, 100))], codec="ffv1", color_trc=HLG)
    _, _, picture = next(Video(path).frames())
    assert to_rgba(picture).shape == (100, 200, 4)
    assert to_rgba(picture, (40, 40)).shape == (40, 80, 4)
    assert to_rgba(picture, (400, 400)).shape == (100, 200, 4)
    assert math.isclose(int(to_rgba(picture, (40, 40))[3, 3, 0]), int(to_rgba(picture)[3, 3, 0]))
