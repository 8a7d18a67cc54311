"""Muon goes down, by the same length in every direction of a matrix."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from streamvace.embedded.train.muon import Muon, orthogonalise


def test_updates_are_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((64, 64), (64, 128), (128, 64)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(2, *shape)))
        assert values.max() < 1.6
        assert values.median() > 0.6


def nearest_orthogonal(matrix: Tensor) -> Tensor:
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    return u @ v


@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (24, 8), (8, 4, 3, 3)])
def test_two_steps_go_against_the_momentum_made_orthogonal(shape: tuple[int, ...]) -> None:
    """A convolution is the matrix [out, in * height * width]."""
    torch.manual_seed(0)
    rows, rate, momentum = shape[0], 0.1, 0.9
    parameter = torch.nn.Parameter(torch.randn(shape))
    optimiser = Muon([parameter], rate, momentum)
    average = torch.zeros(shape)
    for gradient in (torch.randn(shape), 3 * torch.randn(shape)):
        before, parameter.grad = parameter.detach().clone(), gradient
        optimiser.step()
        average = momentum * average + (1 - momentum) * gradient
        direction = nearest_orthogonal((momentum * average + (1 - momentum) * gradient).view(rows, -1))
        step = (parameter.detach() - before).view(rows, -1)
        longest = rate * 0.2 * max(direction.shape) ** 0.5
        assert float(torch.cosine_similarity(step.flatten(), -direction.flatten(), dim=0)) > 0.95
        assert float(step.norm() / direction.norm()) == pytest.approx(longest, rel=0.3)


def test_a_loss_falls() -> None:
    torch.manual_seed(0)
    aim, parameter = torch.randn(8, 8), torch.nn.Parameter(torch.zeros(8, 8))
    optimiser = Muon([parameter], 0.3)
    losses = []
    for _ in range(20):
        loss = (parameter - aim).square().mean()
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.3 * losses[0]
