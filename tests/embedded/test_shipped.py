"""The weights that ship: small, whole, and they obey the control in a causal stream."""

import json

import pytest
import torch

from streamvace.embedded.evaluation.fidelity import to_pictures
from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.trials import as_batch, trial
from streamvace.embedded.train.network import CHUNK, encode
from streamvace.embedded.train.package import LIMIT, WEIGHTS, load_package
from streamvace.embedded.train.sampling import stream
from streamvace.world.captions import VOCABULARY

pytestmark = pytest.mark.skipif(not (WEIGHTS / "card.json").exists(), reason="no weights in this checkout")


def test_the_package_is_small_and_its_card_matches_the_vocabulary() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) <= LIMIT
    card = json.loads((WEIGHTS / "card.json").read_text(encoding="utf-8"))
    assert tuple(card["vocabulary"]) == VOCABULARY


@torch.no_grad()
def test_objects_appear_where_the_depth_control_shows_them_in_both_chunks() -> None:
    net, codec = load_package()
    trials = [trial(n, 24) for n in range(4)]
    batch = as_batch(trials, "depth")
    data = encode(codec.blocks, batch)
    contexts: list[torch.Tensor | None] = list(data.context.split(CHUNK, 2))
    pictures = to_pictures(codec, torch.cat(stream(net, data.tokens, contexts, CHUNK, 16, seed=1), 2))
    for k in (8, 20):
        right = [silhouette_iou(pictures[n][k], trials[n].maps[3 + k][4] > 127) for n in range(4)]
        wrong = [silhouette_iou(pictures[n][k], trials[n - 1].maps[3 + k][4] > 127) for n in range(4)]
        assert sum(right) / 4 > 0.6
        assert sum(right) / 4 > sum(wrong) / 4 + 0.2
