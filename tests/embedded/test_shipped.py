"""The weights that ship: small, whole, and they obey the control in a causal stream."""

import json

import numpy as np
import pytest
import torch

from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.painters import Condition, Variant, paint
from streamvace.embedded.evaluation.trials import as_batch, trial
from streamvace.embedded.train.data import token_table
from streamvace.embedded.train.loss import stream_noise
from streamvace.embedded.train.package import LIMIT, WEIGHTS, load_package
from streamvace.model.specs import pipeline
from streamvace.world.captions import VOCABULARY
from streamvace.world.materials import CELLS, covered

pytestmark = pytest.mark.skipif(not (WEIGHTS / "card.json").exists(), reason="no weights in this checkout")


def test_the_package_is_small_and_its_card_matches_the_vocabulary() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) <= LIMIT
    card = json.loads((WEIGHTS / "card.json").read_text(encoding="utf-8"))
    assert tuple(card["vocabulary"]) == VOCABULARY


def test_objects_appear_where_the_depth_control_shows_them_in_both_chunks() -> None:
    trials = [trial(n, 24) for n in range(4)]
    variant = Variant("streamed", *load_package(), streamed=True, ships=True)
    pictures = paint(variant, [as_batch(trials, "depth")], "depth", Condition(), seed=1)
    for k in (8, 20):
        right = [silhouette_iou(pictures[n][k], trials[n].inside(k)) for n in range(4)]
        wrong = [silhouette_iou(pictures[n][k], trials[n - 1].inside(k)) for n in range(4)]
        assert sum(right) / 4 > 0.6
        assert sum(right) / 4 > sum(wrong) / 4 + 0.2


def test_the_noise_s_tile_is_as_large_as_a_material_s() -> None:
    assert pipeline("embedded").noise_tile == CELLS


@torch.no_grad()
def test_the_shipped_network_reads_from_the_noise_which_part_of_a_texture_is_where() -> None:
    """From pure noise, without knowing the picture, a texture is nearer to the true one than to one that is moved."""
    net, codec = load_package()
    flat = (np.zeros((128, 128), np.float32),) * 2
    for name in ("honeycomb", "glass", "lava"):
        x0 = []
        for place in ((0, 0), (2, 0)):
            picture = torch.from_numpy(covered(name, None, flat, place)) * 2 - 1
            x0.append(codec.blocks(picture.permute(2, 0, 1)[None, :, None].expand(-1, -1, 4, -1, -1)))
        noise = stream_noise(x0[0].shape, torch.zeros(1, 2).long(), torch.Generator().manual_seed(0))
        tokens = torch.from_numpy(token_table([f"glossy red ball on {name} plain background"]))
        made = net(noise, torch.ones(1, 1), tokens, None, None, 1)
        here, moved = (float((made - each)[..., :5, :].square().mean()) for each in x0)
        assert here < 0.8 * moved, name
