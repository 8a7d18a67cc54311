"""The weights that ship: small, whole, and they obey the control in a causal stream."""

import json

import pytest

from streamvace.embedded.evaluation.judges import silhouette_iou
from streamvace.embedded.evaluation.painters import Condition, Variant, paint
from streamvace.embedded.evaluation.trials import as_batch, trial
from streamvace.embedded.train.package import LIMIT, WEIGHTS, load_package
from streamvace.world.captions import VOCABULARY

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
