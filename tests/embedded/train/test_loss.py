"""What the training asks for: faults that come and go cost more than faults that stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from streamvace.embedded.train.data import token_table
from streamvace.embedded.train.loss import (
    MOTION_WEIGHT,
    OBJECT_WEIGHT,
    channel_weights,
    colourless,
    denoising_loss,
    object_weights,
)
from streamvace.embedded.train.network import CHUNK, Encoded, Network
from streamvace.embedded.train.package import load_package
from streamvace.world.text import tokens_of

FRAMES = 2 * CHUNK


def data() -> Encoded:
    torch.manual_seed(0)
    x0 = torch.randn(2, 32, FRAMES, 16, 16)
    quiet = torch.zeros(2, dtype=torch.bool)
    return Encoded(
        x0,
        torch.zeros(2, 128, FRAMES, 16, 16),
        torch.zeros(2, 24).long(),
        quiet,
        torch.zeros(2, FRAMES, 16, 16),
        x0[:, :, :1],
    )


def loss_of(fault: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch, causal: bool) -> float:
    """The loss of a network that knows the truth but for `fault`."""
    sample = data()

    def forward(net: Network, noisy: Tensor, *rest: object) -> Tensor:
        return fault(sample.x0.clone())

    monkeypatch.setattr(Network, "forward", forward)
    draw = torch.Generator().manual_seed(1)
    loss = denoising_loss(
        Network(),
        sample,
        0,
        channels=torch.ones(32),
        causal=causal,
        hears=False,
        refers=False,
        generator=draw,
        bfloat16=False,
    )
    return float(loss)


def flicker(x0: Tensor) -> Tensor:
    x0[:, :, ::2] += 0.5
    x0[:, :, 1::2] -= 0.5
    return x0


def test_the_truth_costs_nothing_within_a_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loss_of(lambda x0: x0, monkeypatch, causal=False) == 0


@pytest.mark.parametrize("causal", [True, False])
def test_a_fault_that_flickers_costs_more_than_one_that_stays(monkeypatch: pytest.MonkeyPatch, causal: bool) -> None:
    stays = loss_of(lambda x0: x0 + 0.5, monkeypatch, causal)
    comes_and_goes = loss_of(flicker, monkeypatch, causal)
    assert comes_and_goes > 1.5 * stays > 0


def test_cells_with_objects_and_beside_them_weigh_more() -> None:
    objects = torch.zeros(1, 1, 16, 16)
    objects[..., 5, 5] = 1
    weights = object_weights(objects)[0, 0, 0]
    assert weights[5, 5] == 1 + OBJECT_WEIGHT
    assert 1 < weights[5, 6] < weights[5, 5]
    assert weights[5, 7] == 1


def test_channels_that_hold_movement_weigh_more() -> None:
    _, codec = load_package()
    weights = channel_weights(codec.blocks)
    still = codec.blocks(torch.rand(1, 3, 1, 128, 128).expand(-1, -1, 4, -1, -1)).abs().amax((0, 2, 3, 4))
    assert weights.min() >= 1
    assert weights.max() <= 1 + MOTION_WEIGHT
    # A picture that stands still leaves the heaviest channels nearly silent.
    assert still[weights > 2.8].max() < 0.2 * still[weights < 1.2].max()


def test_a_colourless_prompt_keeps_all_other_words_in_order() -> None:
    tokens = torch.from_numpy(token_table(["neon red ball and black cube on blue stripes background", ""]))
    plain = tokens_of("neon ball and cube on stripes background")
    assert colourless(tokens)[0].tolist() == [*plain, *[0] * (24 - len(plain))]
    assert not colourless(tokens)[1].any()
