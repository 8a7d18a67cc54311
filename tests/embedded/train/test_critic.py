"""The decoder's critic: it learns what blur looks like, and neither side wins by the scale of its loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.embedded.train.config import load_config
from streamvace.embedded.train.critic import Critic
from streamvace.embedded.train.decoder import judged
from streamvace.embedded.train.picture_loss import bands, picture_loss
from streamvace.embedded.train.trainer import Trainer


@pytest.fixture
def true() -> Tensor:
    return torch.rand(1, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def critic() -> Critic:
    torch.manual_seed(0)
    return Critic(8)


def blurred(pixels: Tensor) -> Tensor:
    return F.avg_pool3d(pixels, (1, 5, 5), 1, (0, 2, 2))


def pull_of(made: Tensor, true: Tensor, critic: Critic, strength: float) -> Tensor:
    leaf = made.clone().requires_grad_()
    judged(leaf, true, critic, strength, 1, bfloat16=False).backward()
    assert leaf.grad is not None
    return leaf.grad


def test_the_true_picture_costs_nothing_and_a_blurred_one_costs_more_in_its_fine_bands(true: Tensor) -> None:
    assert picture_loss(true, true, 1, fine=1, texture=1) == 0
    soft = blurred(true)
    assert picture_loss(soft, true, 1, fine=2, texture=0) > picture_loss(soft, true, 1, fine=0.5, texture=0)


def test_texture_in_the_wrong_place_is_better_than_none(true: Tensor) -> None:
    moved, none = true.roll(8, -1), torch.zeros_like(true)

    def texture(made: Tensor) -> float:
        return float(picture_loss(made, true, 0, fine=1, texture=1) - picture_loss(made, true, 0, fine=1, texture=0))

    assert texture(moved) < 0.5 * texture(none)


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_bands_hold_all_of_the_picture_whatever_the_grid(true: Tensor, shift: int) -> None:
    whole = bands(true, shift)
    seen = true if not shift else true[..., shift : shift - 4, shift : shift - 4]
    torch.testing.assert_close(whole.square().sum(), seen.square().sum())
    assert bands(torch.ones_like(true), shift)[..., 1:].abs().max() < 1e-5


def test_the_critic_pulls_as_hard_as_it_is_told_and_not_at_the_frame_outside_its_groups(
    true: Tensor, critic: Critic
) -> None:
    soft = blurred(true)
    leaf = soft.clone().requires_grad_()
    picture_loss(leaf, true, 1, fine=0.4, texture=1.5).backward()
    assert leaf.grad is not None
    alone, pulled = leaf.grad, pull_of(soft, true, critic, 0.6)
    extra = pulled - alone
    assert extra[:, :, 0].abs().max() == 0
    # Two pulls of 0.6 each: together at most 1.2, and more than nothing.
    assert 0.1 < extra.norm() / alone.norm() <= 1.2 + 1e-4


def test_without_a_critic_the_loss_is_that_of_the_picture_alone(true: Tensor, critic: Critic) -> None:
    before = {key: value.clone() for key, value in critic.named_parameters()}
    soft = blurred(true)
    loss = judged(soft, true, critic, 0.0, 1, bfloat16=False)
    assert loss == picture_loss(soft, true, 1, fine=1.0, texture=0.5)
    assert all(torch.equal(value, before[key]) for key, value in critic.named_parameters())


def test_the_critic_learns_to_tell_blurred_pictures_and_flicker_from_true_ones(true: Tensor, critic: Critic) -> None:
    still = true[:, :, :1].expand(-1, -1, 4, -1, -1).contiguous()
    flickering = still + 0.3 * torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 1, 4, 1, 1)
    for wrong in (blurred(still), flickering):
        for _ in range(30):
            critic.learn(wrong, still, bfloat16=False)
        with torch.no_grad():
            assert critic(still)[0].mean() > critic(wrong)[0].mean() + 0.5


def test_a_resumed_stage_goes_on_with_the_critic_that_it_had(tmp_path: Path, true: Tensor, critic: Critic) -> None:
    stage = load_config().stages["decoder"]
    critic.learn(blurred(true)[:, :, 1:], true[:, :, 1:], bfloat16=False)
    Trainer("decoder", nn.Linear(2, 2), stage, tmp_path, beside=critic).save()
    other = Critic(8)
    assert Trainer("decoder", nn.Linear(2, 2), stage, tmp_path, beside=other).resume()
    for key, value in critic.state_dict().items():
        if isinstance(value, Tensor):
            assert torch.equal(value, other.state_dict()[key])
    assert other.optimiser.state_dict()["state"].keys() == critic.optimiser.state_dict()["state"].keys()
