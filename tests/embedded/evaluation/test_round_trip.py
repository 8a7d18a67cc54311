"""What the codec keeps of a picture: the figures know blur, noise and lag from the true frames."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamvace.embedded.evaluation.judges import picture_ssim
from streamvace.embedded.evaluation.round_trip import (
    FRAMES,
    blocks,
    drawn_clips,
    film_clips,
    linear_trip,
    material_clips,
    round_trip,
    sharpness,
    unrest,
)
from streamvace.embedded.train.package import load_package
from streamvace.records.chunk import Pixels
from streamvace.system.errors import UserError


def still_and_moving() -> Pixels:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return np.stack([np.stack([np.roll(noise, 2 * k * moves, 1) for k in range(FRAMES)]) for moves in (0, 1)])


def test_true_frames_are_as_crisp_as_themselves_and_a_blurred_clip_is_not() -> None:
    clips = still_and_moving()
    blurred = np.stack([[cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clip] for clip in clips])
    assert sharpness(clips, clips) == pytest.approx([1, 1])
    assert (sharpness(blurred, clips) < 0.2).all()


def test_noise_is_not_taken_for_detail_without_being_seen_as_unrest() -> None:
    clips = still_and_moving()
    noisy = np.clip(clips + np.random.default_rng(2).normal(0, 20, clips.shape), 0, 255).astype(np.uint8)
    assert (sharpness(noisy, clips) > 1).all()
    assert unrest(clips, clips) == pytest.approx([0, 0])
    assert unrest(noisy, clips)[0] > 5, "the still film flickers"


def test_a_frozen_picture_misses_all_of_the_motion() -> None:
    clips = still_and_moving()
    frozen = np.repeat(clips[:, :1], FRAMES, 1)
    assert unrest(frozen, clips) == pytest.approx([0, 1])


def test_blocks_are_seen_in_both_directions_and_texture_is_no_block() -> None:
    clips = still_and_moving()
    assert blocks(clips, clips) == pytest.approx([1, 1])
    for axis in (2, 3):
        lines = np.arange(64) // 16 % 2 * 40
        steps = np.clip(clips.astype(int) // 2 + lines.reshape([64 if at == axis else 1 for at in range(5)]), 0, 255)
        assert (blocks(steps.astype(np.uint8), clips) > 1.03).all()


def test_no_block_of_the_shipped_codec_is_seen() -> None:
    clips = drawn_clips(2)
    assert (blocks(round_trip(load_package()[1], clips), clips) < 1.3).all()


def test_the_shipped_decoder_is_crisper_than_the_linear_one_on_scenes_it_has_not_seen() -> None:
    clips = drawn_clips(6)
    codec = load_package()[1]
    trained, linear = round_trip(codec, clips), linear_trip(codec, clips)
    assert trained.shape == linear.shape == clips.shape
    crisp, blocky = sharpness(trained, clips), sharpness(linear, clips)
    assert (crisp > blocky).all()
    # By how much differs by scene: the steps between the linear decoder's blocks count as crisp edges.
    assert crisp.mean() > 1.4 * blocky.mean()


def test_the_shipped_decoder_keeps_materials() -> None:
    clips, codec = material_clips(3), load_package()[1]
    trained, linear = round_trip(codec, clips), linear_trip(codec, clips)
    assert sharpness(trained, clips).mean() > 2 * sharpness(linear, clips).mean()
    assert picture_ssim(trained, clips, []).mean() > picture_ssim(linear, clips, []).mean()


def test_films_are_cut_to_their_central_square_and_short_ones_are_left_out(tmp_path: Path) -> None:
    for name, frames in (("long", FRAMES + 2), ("short", FRAMES - 1)):
        with av.open(str(tmp_path / f"{name}.mp4"), "w") as film:
            stream = film.add_stream("mpeg4", rate=24)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            picture = np.zeros((64, 96, 3), np.uint8)
            picture[:, 16:80] = 200
            for _ in range(frames):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            film.mux(stream.encode())
    clips = film_clips(tmp_path)
    assert clips.shape == (1, FRAMES, 256, 256, 3)
    assert clips[0, 0, 128, 20:-20].min() > 150, "the dark sides are cut off"
    with pytest.raises(UserError, match=r"no \.mp4 films of 13 frames"):
        film_clips(tmp_path / "nothing")
