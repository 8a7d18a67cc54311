"""What compositing promises: what the mask keeps is the untouched source, bit for bit, in the right frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamvace.control.parameters import Parameters
from streamvace.live.director.compositing import Finish, finish, share_of_generated
from streamvace.live.director.layout import Pictures, lay_out
from streamvace.records.chunk import Chunk, Pixels


def chunk(frames: Pixels) -> Chunk:
    return Chunk(frames, 0, 0, 0, 0, {})


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def a_hole(frames: int = 3, size: int = 48) -> Pixels:
    """A hole of 24 x 24 that moves by 4 pixels a frame."""
    mask = np.zeros((frames, size, size), np.uint8)
    for index in range(frames):
        mask[index, 8:32, 4 + 4 * index : 28 + 4 * index] = 255
    return mask


@pytest.mark.parametrize("feather", [0.0, 1.0, 5.0, 64.0])
def test_outside_a_moving_mask_the_source_is_there_bit_for_bit(feather: float) -> None:
    generated, source, mask = noise(1, 3, 48, 48, 3), noise(2, 3, 48, 48, 3), a_hole()
    done = finish(chunk(generated), Finish(kept=source, mask=mask, feather=feather))
    assert (done.frames[mask == 0] == source[mask == 0]).all()


def test_without_feather_the_inside_is_the_generated_picture_bit_for_bit() -> None:
    generated, source, mask = noise(1, 3, 48, 48, 3), noise(2, 3, 48, 48, 3), a_hole()
    done = finish(chunk(generated), Finish(kept=source, mask=mask))
    assert (done.frames[mask == 255] == generated[mask == 255]).all()


def test_the_feather_fades_inwards_and_the_middle_is_all_generated() -> None:
    share = share_of_generated(a_hole(1)[0], 4.0)
    across = share[20, :20]
    assert across[3] == 0
    assert across[4] == pytest.approx(0.2)
    assert (np.diff(across) >= 0).all()
    assert share[20, 16] == 1


@given(mask=arrays(np.uint8, (9, 9)), feather=st.floats(0, 20))
def test_any_mask_gives_shares_between_none_and_all_and_never_touches_what_is_kept(
    mask: Pixels, feather: float
) -> None:
    share = share_of_generated(mask, feather)
    assert ((share >= 0) & (share <= 1)).all()
    assert (share[mask == 0] == 0).all()
    generated, source = noise(1, 9, 9, 3), noise(2, 9, 9, 3)
    done = finish(chunk(generated[None]), Finish(kept=source[None], mask=mask[None], feather=feather))
    assert (done.frames[0][mask == 0] == source[mask == 0]).all()


def test_without_a_mask_or_without_composite_the_chunk_passes_untouched() -> None:
    given = chunk(noise(1, 2, 8, 8, 3))
    assert finish(given, Finish()) is given
    assert finish(given, Finish(kept=noise(2, 2, 8, 8, 3))) is given
    assert finish(given, Finish(mask=np.zeros((2, 8, 8), np.uint8))) is given


def finish_for(**values: object) -> Finish:
    """What these parameters make of an input whose left half is transparent."""
    pixels = noise(3, 2, 16, 16, 4)
    pixels[..., 3] = 255
    pixels[:, :, :8, 3] = 0
    snapshot = Parameters({f"/streamvace/{name}": value for name, value in values.items()}).snapshot()  # type: ignore[misc]
    return Finish.of(snapshot, lay_out(snapshot, Pictures.of_one(pixels)))


def test_alpha_says_where_the_picture_was_generated_or_what_the_source_said_or_nothing() -> None:
    given = chunk(noise(1, 2, 16, 16, 3))
    assert finish(given, finish_for()).alpha is None
    for choice in ("mask", "source"):
        alpha = finish(given, finish_for(output_alpha=choice, mask_source="alpha")).alpha
        assert alpha is not None
        assert (alpha[:, :, :8] == 0).all()
        assert (alpha[:, :, 8:] == 255).all()
    assert finish(given, finish_for(output_alpha="mask")).alpha is None, "without a mask everything is generated"


def test_alpha_of_a_feathered_composite_is_feathered_too() -> None:
    done = finish(
        chunk(noise(1, 2, 16, 16, 3)),
        finish_for(output_alpha="mask", mask_source="alpha", composite=True, composite_feather=3.0),
    )
    assert done.alpha is not None
    assert done.alpha[0, 8, 7:12].tolist() == [0, 64, 128, 191, 255]
