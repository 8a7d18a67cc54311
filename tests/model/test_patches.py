"""The patch embedding is the published convolution, computed as a matrix product."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from streamvace.model.context import ContextBranch
from streamvace.model.patches import PatchEmbedding
from streamvace.model.product_check import use_right_products
from streamvace.model.specs import pipeline
from streamvace.model.transformer import CausalWan


@pytest.mark.parametrize("patch", [(1, 2, 2), (2, 3, 1)], ids=str)
def test_tokens_are_those_of_the_convolution_with_the_same_weights(patch: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(5, 7, patch, patch)
    ours = PatchEmbedding(5, 7, patch)
    ours.load_state_dict(conv.state_dict())
    x = torch.randn(2, 5, 4, 6, 8)
    torch.testing.assert_close(ours(x), conv(x).flatten(2).transpose(1, 2), atol=1e-6, rtol=0)


def test_latents_may_be_a_part_of_a_longer_clip() -> None:
    torch.manual_seed(0)
    ours, clip = PatchEmbedding(3, 4, (1, 2, 2)), torch.randn(1, 3, 5, 4, 4)
    assert torch.equal(ours(clip[:, :, 1:3]), ours(clip[:, :, 1:3].contiguous()))


class _Names(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_no_convolution_runs_in_the_networks_embeddings() -> None:
    size = pipeline("embedded").size
    wan, branch = CausalWan(size), ContextBranch(size)
    with _Names() as names, torch.inference_mode(False), torch.no_grad():
        _, grid = wan.embed(torch.zeros(1, size.in_dim, 3, 4, 6))
        branch.embed(torch.zeros(1, size.vace_in_dim, 3, 4, 6))
    assert (grid.frames, grid.height, grid.width) == (3, 2, 3)
    assert not [name for name in names.seen if "conv" in name]


def test_its_16_bit_product_is_checked_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = PatchEmbedding(4, 6, (1, 2, 2)).bfloat16()
    assert use_right_products(embedding) == []
    right = PatchEmbedding.forward

    def wrong(self: PatchEmbedding, x: torch.Tensor) -> torch.Tensor:
        out = right(self, x)
        return out if out.dtype == torch.float32 else out * 2

    monkeypatch.setattr(PatchEmbedding, "forward", wrong)
    assert [line.split(" differs by ")[0] for line in use_right_products(embedding)] == ["patch embedding 4 -> 6"]
    assert embedding.weight.dtype == torch.float32
