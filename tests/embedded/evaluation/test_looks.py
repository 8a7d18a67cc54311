"""Every built-in look is judged as a wall shows it."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.look import NEUTRAL
from streamvace.embedded.evaluation import looks
from streamvace.embedded.evaluation.looks import LOOK_FRAMES, Shown, built_in_looks, look_cells, look_picture
from streamvace.embedded.evaluation.references import Clip
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.records.chunk import Chunk, ChunkInput, Pixels

SIDE = 64


class Mirror:
    """A generator whose pictures are its control, and which remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[ChunkInput] = []

    def reset(self) -> None:
        """Nothing is kept."""

    def frames_wanted(self) -> int:
        return LOOK_FRAMES

    def step(self, given: ChunkInput) -> Chunk:
        self.given.append(given)
        assert given.control is not None
        return Chunk(given.control, 0, 0, 0, 0, {"total": 0.0})


def clip(seed: int) -> Clip:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (LOOK_FRAMES, SIDE, SIDE, 3), np.uint8)
    depth: Pixels = np.full_like(frames, 90 + seed)
    return Clip(frames, depth, frames[..., 0] > 0, "ball", "ball")


def test_a_look_of_shapes_follows_depth_and_a_look_for_cameras_follows_brightness() -> None:
    shapes, camera = Shown("a", "neon red ball", NEUTRAL), Shown("b", "duotone red and blue", NEUTRAL)
    scene = clip(3)
    assert (look_picture(Mirror(), shapes, scene, PLAIN) == scene.depth[-1]).all()  # type: ignore[arg-type]
    shown = look_picture(Mirror(), camera, scene, PLAIN)  # type: ignore[arg-type]
    assert (shown[..., 0] == shown[..., 1]).all()
    assert np.abs(shown[..., 0] - scene.frames[-1] @ (0.299, 0.587, 0.114)).max() < 1


def test_the_built_in_looks_are_read_with_their_screens() -> None:
    found = {each.name: each for each in built_in_looks()}
    assert len(found) == 54
    assert found["ember"].screen == NEUTRAL
    assert not found["ember"].filters
    assert found["heat camera"].filters
    assert found["eruption"].filters
    assert found["jade"].filters
    assert not found["fire and ice"].filters
    assert next(each.name for each in found.values() if each.material) == "eruption"
    assert (found["comic"].screen.screen, found["comic"].screen.screen_cells) == ("halftone", 36)


def test_looks_with_different_screens_are_told_apart_and_those_that_differ_by_nothing_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screened = [each for each in built_in_looks() if each.name in ("comic", "banknote", "tesserae")]
    same = [Shown(name, "neon red ball", NEUTRAL) for name in "abcd"]
    monkeypatch.setattr(looks, "built_in_looks", lambda: [*screened, *same])
    cells = list(look_cells("streamed", Mirror(), [clip(k) for k in range(8)], lambda _: None))  # type: ignore[arg-type]
    found = {(cell.variant, cell.condition): cell.figure.mean for cell in cells}
    assert found[("wrong", "4 looks, without a screen")] == 0.25
    assert found[("streamed", "4 looks, without a screen")] == 0.25
    assert found[("streamed", "7 looks, all")] == pytest.approx((3 + 1) / 7)
