"""Materials are told apart without their colours, stay where they are, and show what they lie on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.embedded.evaluation.texture import told_apart
from streamvace.world.backgrounds import Background
from streamvace.world.captions import VOCABULARY, caption
from streamvace.world.material_tiles import MATERIALS
from streamvace.world.materials import CELLS, baked, clad, covered, slopes
from streamvace.world.scene import Body, Scene, render, sample_scene
from streamvace.world.styles import Look, compose, rgb, sample_look, sample_materials, tint
from streamvace.world.textures import TILE

FLAT = (np.zeros((64, 64), np.float32), np.zeros((64, 64), np.float32))


def ball(x: float = 0.5) -> Scene:
    return Scene((Body("ball", "still", x, 0.5, 0.3, 0.6, 0.0, 0.0, 1.0),), Background("plain"))


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_fills_its_tile_with_texture(name: str) -> None:
    tile = baked(name, None, TILE)
    assert tile.shape == (TILE, TILE, 3)
    gray = cv2.cvtColor(tile, cv2.COLOR_RGB2GRAY).astype(float)
    assert gray.std() > 20
    quarters = [gray[y : y + 128, x : x + 128].std() for y in (0, 128) for x in (0, 128)]
    assert min(quarters) > 6, "in every part of the tile"


def test_materials_are_told_apart_without_their_colours() -> None:
    def pictures(name: str) -> list[NDArray[np.uint8]]:
        made = []
        for number in range(8):
            rng = np.random.default_rng(number)
            scene = sample_scene(rng)
            look = Look("flat", ("",) * len(scene.bodies), ("", "black"), (name,) * len(scene.bodies), name)
            place = (2 * int(rng.integers(2)), 2 * int(rng.integers(2)))
            made.append(compose(render(scene, 1.0, (256, 256)), look, place))
        return made

    assert told_apart([pictures(name) for name in MATERIALS]).mean() >= 0.9


def test_a_material_stays_where_it_is_and_its_place_moves_it() -> None:
    here = covered("honeycomb", None, FLAT, (0, 0))
    assert np.array_equal(covered("honeycomb", None, FLAT, (CELLS, -CELLS)), here)
    moved = covered("honeycomb", None, FLAT, (2, 1))  # an eighth and a sixteenth of the picture
    np.testing.assert_allclose(moved[:56, :60], here[8:, 4:], atol=1e-6)
    assert np.abs(moved - here).mean() > 0.05


def test_four_tiles_fill_the_height_of_a_picture_of_any_size() -> None:
    large = covered("paper", None, (np.zeros((256, 256), np.float32),) * 2, (2, 1))
    small = covered("paper", None, FLAT, (2, 1))
    assert np.abs(cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA) - small).mean() < 0.01
    np.testing.assert_allclose(large[:192], large[64:], atol=1e-6)


def test_a_form_bends_the_texture_where_it_rises_and_nowhere_else() -> None:
    height = np.zeros((128, 128), np.float32)
    height[40:88, 40:88] = 1
    flat = (np.zeros_like(height), np.zeros_like(height))
    change = np.abs(covered("brick", None, slopes(height), (0, 0)) - covered("brick", None, flat, (0, 0))).mean(2)
    assert change[60:68, 36:44].mean() > 0.02
    assert change[60:68, 60:68].mean() < 1e-6
    assert change[:20].mean() < 1e-6


def test_a_tint_gives_a_material_the_named_colour_and_keeps_its_pattern() -> None:
    own, blue = (covered("lava", tint(colour), FLAT, (0, 0)) for colour in ("", "blue"))
    assert own.mean((0, 1)).argmax() == 0
    assert blue.mean((0, 1)).argmax() == 2
    pattern = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).ravel() for each in (own, blue)]
    assert np.corrcoef(*pattern)[0, 1] > 0.9


def test_a_photograph_in_a_material_keeps_its_light_and_shade() -> None:
    photograph = np.zeros((128, 128, 3), np.uint8)
    cv2.circle(photograph, (64, 64), 40, (230, 230, 230), -1)
    photograph = cv2.GaussianBlur(photograph, (0, 0), 8).astype(np.uint8)
    for name in MATERIALS:
        made = cv2.cvtColor(clad(photograph, name, None, (0, 0)), cv2.COLOR_RGB2GRAY).astype(float)
        assert made[50:78, 50:78].mean() > 1.6 * made[:12].mean(), name


def test_objects_and_background_wear_their_own_materials() -> None:
    look = Look("flat", ("",), ("", "black"), ("moss",), "lava")
    picture = compose(render(ball(), 0.0, (128, 128)), look).astype(int)
    green = picture[..., 1] - picture[..., 0]
    assert green[50:78, 50:78].mean() > 10
    assert green[:20].mean() < -20


def test_a_style_stays_what_it_was_beside_a_material() -> None:
    scene = ball()
    maps = render(scene, 0.0, (128, 128))
    neon = Look("neon", ("cyan",), ("black", "blue"))
    on_wood = Look("neon", ("cyan",), ("", "blue"), (), "wood")
    assert np.abs(compose(maps, neon).astype(int) - compose(maps, on_wood))[60:68, 60:68].max() <= 1


def test_captions_name_a_material_before_its_shape_and_its_background() -> None:
    scene = ball()
    assert caption(scene, Look("flat", ("red",), ("", "black"), ("lava",), "ice"), 0.0) == (
        "red lava ball still on ice plain background"
    )
    assert caption(scene, Look("neon", ("red",), ("blue", "black"), (), "ice"), 0.0) == (
        "neon red ball still on blue ice plain background"
    )
    assert caption(scene, Look("neon", ("",), ("blue", "black"), ("lava",)), 0.0) == (
        "neon lava ball still on blue plain background"
    )


def test_random_materials_are_named_by_the_vocabulary_and_objects_differ() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(100):
        scene = sample_scene(rng)
        look = sample_materials(rng, sample_look(rng, len(scene.bodies)))
        assert look.materials or look.ground
        assert len({*look.materials, look.ground}) == len(look.materials) + 1
        assert set(caption(scene, look, 1.0, rng=rng).split()) <= set(VOCABULARY)
        seen |= {bool(look.materials), bool(look.ground), *look.materials}
    assert seen == {True, False, *MATERIALS}


def test_the_vocabulary_grows_at_its_end() -> None:
    """A word's place is its number in the weights."""
    assert VOCABULARY.index("contour") < VOCABULARY.index("lava")
    assert VOCABULARY[-len(MATERIALS) :] == tuple(MATERIALS)


def test_no_colour_is_no_tint() -> None:
    assert tint("") is None
    assert tint("red") == pytest.approx(tuple(rgb("red")))
