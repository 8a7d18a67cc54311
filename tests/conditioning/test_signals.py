"""One chain from a picture to a control and a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import Control, ControlSettings, Pixels
from streamvace.conditioning.controls.networks import Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks.base import Mask, MaskSettings
from streamvace.conditioning.masks.shape import Shaping
from streamvace.conditioning.signals import SignalChain, SignalSettings, as_seen, to_keep
from tests.conditioning.footage import film, plain_scene, texture, travelling

NETWORKS = Networks(Path("no such folder"))


def chain() -> SignalChain:
    controls: dict[str, Control] = {}
    masks: dict[str, Mask] = {}
    return SignalChain(
        lambda kind: controls.setdefault(kind, CONTROLS[kind](NETWORKS)),
        lambda kind: masks.setdefault(kind, MASKS[kind](NETWORKS)),
    )


def picture() -> Pixels:
    """RGBA: the left half transparent, with a bright patch in each half."""
    canvas = np.full((48, 64, 4), 60, np.uint8)
    canvas[10:30, 8:24, :3] = canvas[10:30, 40:56, :3] = 220
    canvas[..., 3] = 0
    canvas[:, 32:, 3] = 255
    return canvas


def test_raw_without_a_mask_is_the_picture_itself() -> None:
    signal = chain().update(picture(), None, 0.0, SignalSettings())
    assert np.array_equal(signal.control, picture()[..., :3])
    assert signal.mask is None


def seen(settings: SignalSettings, frame: Pixels) -> Pixels:
    signal = chain().update(frame, None, 0.0, settings)
    return as_seen(signal.control, to_keep(frame, settings), signal.mask)


def test_where_the_mask_keeps_there_is_the_picture_and_where_it_generates_the_control() -> None:
    joined = seen(SignalSettings(control="edges", mask="alpha"), picture())
    assert np.array_equal(joined[:, :32], picture()[:, :32, :3]), "kept: the picture"
    generated = joined[:, 34:]
    assert set(np.unique(generated[2:6])) == {0}, "generated: lines on black"
    assert generated.max() == 255


def test_an_inverted_mask_swaps_the_two() -> None:
    joined = seen(SignalSettings(control="edges", mask="alpha", shaping=Shaping(invert=True)), picture())
    assert np.array_equal(joined[:, 33:], picture()[:, 33:, :3])


def test_two_masks_are_combined() -> None:
    both = {"mask": "alpha", "second_mask": "luma", "masks": MaskSettings(luma_low=0.5, softness=0.0)}
    bright, right = picture()[..., 0] > 127, picture()[..., 3] > 127
    for combine, truth in (
        ("union", bright | right),
        ("intersection", bright & right),
        ("difference", right & ~bright),
    ):
        mask = chain().update(picture(), None, 0.0, SignalSettings(combine=combine, **both)).mask  # type: ignore[arg-type]
        assert mask is not None
        assert np.array_equal(mask > 127, truth), combine


def test_a_second_mask_alone_is_the_mask() -> None:
    signal = chain().update(picture(), None, 0.0, SignalSettings(second_mask="alpha", combine="intersection"))
    assert signal.mask is not None
    assert np.array_equal(signal.mask, picture()[..., 3])


def test_another_inputs_picture_can_be_the_mask() -> None:
    other = np.zeros((48, 64, 4), np.uint8)
    other[:24, :, :3] = 255
    mask = chain().update(picture(), other, 0.0, SignalSettings(mask="input")).mask
    assert mask is not None
    assert (mask[:24] == 255).all()
    assert not mask[24:].any()


def test_what_is_kept_before_a_screen_loses_its_spill() -> None:
    screen = np.full((48, 64, 3), (20, 200, 40), np.uint8)
    screen[12:36, 16:48] = (170, 200, 165)  # a grey coat that reflects the screen
    settings = SignalSettings(mask="chroma", masks=MaskSettings(chroma_spill=1.0, chroma_tolerance=0.2))
    coat = to_keep(screen, settings)[24, 32].astype(int)
    assert coat.max() - coat.min() < 15
    untouched = SignalSettings(mask="luma", masks=MaskSettings(chroma_spill=1.0))
    assert np.array_equal(to_keep(screen, untouched), screen)


def test_a_control_that_cannot_be_had_leaves_the_picture_and_a_mask_none() -> None:
    broken = SignalChain(lambda kind: None, lambda kind: None)
    signal = broken.update(picture(), None, 0.0, SignalSettings(control="pose", mask="person"))
    assert np.array_equal(signal.control, picture()[..., :3])
    assert signal.mask is None


def test_after_a_cut_nothing_of_the_old_scene_is_left() -> None:
    running = chain()
    settings = SignalSettings(control="flow", mask="motion", shaping=Shaping(hold=5.0))
    old, new = texture(seed=1), texture(seed=2) // 4
    for k in range(10):
        running.update(travelling(old, 9 * k, 0), None, k / 24, settings)
    signal = running.update(travelling(new, 0, 0), None, 10 / 24, settings)
    assert signal.cut
    assert signal.mask is not None
    assert not signal.mask.any(), "nothing moved yet, and nothing is held"
    unmasked = chain()
    for k in range(2):
        unmasked.update(travelling(old, 9 * k, 0), None, k / 24, SignalSettings(control="flow"))
    signal = unmasked.update(travelling(new, 0, 0), None, 2 / 24, SignalSettings(control="flow"))
    assert (signal.control == 255).all(), "nothing flows from one scene to another"


def test_a_kind_taken_up_again_has_forgotten_what_it_saw_before() -> None:
    running, scene = chain(), [shot.picture for shot in film(plain_scene(), 3)]
    for k in range(3):
        running.update(travelling(texture(), 9 * k, 0), None, k / 24, SignalSettings(control="flow"))
    running.update(scene[0], None, 3 / 24, SignalSettings(control="raw"))
    again = running.update(scene[0], None, 4 / 24, SignalSettings(control="flow"))
    assert (again.control == 255).all()


def test_settings_reach_the_control() -> None:
    thin, wide = (
        chain().update(
            picture(), None, 0.0, SignalSettings(control="edges", controls=ControlSettings(edge_width=width))
        )
        for width in (1, 9)
    )
    assert wide.control.mean() > 2 * thin.control.mean()


@pytest.mark.parametrize("kind", sorted(set(CONTROLS) - {"pose"}))
def test_every_control_works_under_every_kind_of_mask(kind: str) -> None:
    for mask in sorted(set(MASKS) - {"person", "detector"}):
        signal = chain().update(picture(), None, 0.0, SignalSettings(control=kind, mask=mask))
        assert signal.control.shape == (48, 64, 3)
        assert signal.mask is not None
        assert signal.mask.shape == (48, 64)
