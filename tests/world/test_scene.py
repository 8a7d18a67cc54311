"""The procedural world keeps its promises: deterministic, bounded, near is bright, colours never move the shapes."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from streamvace.world.backgrounds import BACKGROUNDS, Background
from streamvace.world.captions import VOCABULARY, caption
from streamvace.world.pattern_stream import KINDS, PatternStream
from streamvace.world.scene import Body, Scene, edges, render, sample_scene
from streamvace.world.styles import Look, compose, paint, rgb, sample_look


@pytest.mark.parametrize("kind", KINDS)
def test_the_pattern_is_the_same_for_the_same_moment_whatever_was_asked_before(kind: str) -> None:
    one, other = PatternStream(kind, (96, 64), 5), PatternStream(kind, (96, 64), 5)
    other.frame(100.0)
    frame = one.frame(20.25)
    assert frame.shape == (64, 96, 3)
    assert frame.dtype == np.uint8
    assert np.array_equal(frame, other.frame(20.25))


def test_the_depth_pattern_moves_and_always_shows_something() -> None:
    stream = PatternStream("depth", (128, 128), 1)
    frames = [stream.frame(16 * act + t) for act in range(4) for t in (0, 3.5, 8, 12)]
    assert all((f > 60).mean() > 0.02 for f in frames)
    assert all(np.abs(a.astype(int) - b).mean() > 0.5 for a, b in pairwise(frames))


def test_the_light_pattern_is_grey_fills_the_picture_and_never_jumps() -> None:
    stream = PatternStream("light", (64, 64), 1)
    for act in range(4):
        frames = [stream.frame(16 * act + t).astype(int) for t in (0, 5, 8)]
        assert all((f[..., 0] == f[..., 1]).all() and (f[..., 0] == f[..., 2]).all() for f in frames)
        assert all((f > 200).any() and (f > 40).mean() > 0.25 and (f < 30).mean() > 0.05 for f in frames)
    steps = [stream.frame(12.0 + k / 24).astype(int) for k in range(100)]  # over the end of an act
    assert max(np.abs(a - b).mean() for a, b in pairwise(steps)) < 14


def test_grey_painted_in_one_channel_is_grey_painted_in_three() -> None:
    rng = np.random.default_rng(2)
    white, gray, black = (rgb(name)[:1] for name in ("white", "gray", "black"))
    for seconds in range(8):
        maps = render(sample_scene(rng), seconds, (64, 64))
        three = cv2.cvtColor(compose(maps, Look("glossy", ("white",) * 3, ("black", "gray"))), cv2.COLOR_RGB2GRAY)
        assert np.abs(paint(maps, "glossy", [white] * 3, (black, gray))[..., 0] - three.astype(int)).max() <= 2


def test_different_seeds_give_different_pictures() -> None:
    one, other = (PatternStream("depth", (64, 64), seed).frame(5) for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_near_is_bright_and_a_nearer_object_covers_a_farther_one() -> None:
    def ball(near: float) -> Body:
        return Body("ball", "still", 0.5, 0.5, 0.3, near, 0.0, 0.0, 1.0)

    far, near = ball(0.3), ball(0.6)
    backdrop = Background("plain")
    depth = [render(Scene((b,), backdrop), 0.0)[1][64, 64] for b in (far, near)]
    assert depth[1] > depth[0] > 0
    both = render(Scene((far, near), backdrop), 0.0)
    assert both[1][64, 64] == depth[1]
    assert both[4][64, 64] == 0
    assert both[5][64, 64] == 255


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_every_background_renders_at_any_shape_and_moment(kind: str) -> None:
    scene = Scene((), Background(kind, 0.4, 1.1, 1.0, 3))
    for size in ((64, 64), (80, 48), (48, 80)):
        maps = render(scene, 123.4, size)
        assert maps.shape == (7, size[1], size[0])


def test_recolouring_a_clip_leaves_its_edges_alone() -> None:
    rng = np.random.default_rng(3)
    scene = sample_scene(rng)
    maps = render(scene, 1.0)
    outline = edges(maps)
    first, second = (compose(maps, sample_look(rng, len(scene.bodies))) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(outline, edges(maps))
    assert outline.max() == 255


def test_captions_use_only_the_closed_vocabulary_and_name_objects_from_left_to_right() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        scene = sample_scene(rng)
        look = sample_look(rng, len(scene.bodies))
        assert set(caption(scene, look, 1.0, rng=rng).split()) <= set(VOCABULARY)
    scene = sample_scene(rng, bodies=2)
    look = sample_look(rng, 2)
    words = caption(scene, look, 1.0).split()
    mirrored = caption(scene, look, 1.0, flipped=True).split()
    assert words.index(look.bodies[0]) < words.index(look.bodies[1]) or mirrored.index(look.bodies[0]) < mirrored.index(
        look.bodies[1]
    )
    assert words != mirrored
