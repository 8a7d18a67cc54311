"""16-bit layers that a processor computes wrong are found and run in fp32; right ones stay as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from streamvace.model.product_check import LIMIT, relative_error, use_right_products


class BrokenConv(nn.Conv2d):
    """Adds the mean of the channels, as a wrong kernel might; right in fp32."""

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out if out.dtype == torch.float32 else out + 1


class BrokenLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out if out.dtype == torch.float32 else out * 1.05


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1),
        BrokenConv(8, 8, 2, stride=2),
        nn.Conv2d(8, 8, 1),
        nn.Flatten(2),
        BrokenLinear(4, 6),
    )


def test_a_wrong_layer_runs_in_fp32_and_the_network_keeps_its_dtype() -> None:
    wanted, module = network(), network().bfloat16()
    x = torch.randn(1, 4, 4, 4)
    found = use_right_products(module)
    assert [line.split(" differs by ")[0] for line in found] == [
        "convolution 8 -> 8, kernel 2x2, stride 2x2",
        "linear 4 -> 6",
    ]
    assert "linear 4 -> 6 differs by 5% and runs in fp32" in found
    assert [module[n].weight.dtype for n in (0, 1, 2, 4)] == [
        torch.bfloat16, torch.float32, torch.bfloat16, torch.float32,
    ]  # fmt: skip
    with torch.inference_mode():
        y = module(x.bfloat16())
        right = wanted[4].forward(wanted[:4](x))
    assert y.dtype == torch.bfloat16
    assert (y.float() - right).norm() < LIMIT * right.norm()


def test_layers_of_one_shape_are_tried_once_and_all_of_them_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[nn.Module] = []
    monkeypatch.setattr(
        "streamvace.model.product_check.relative_error",
        lambda layer: tried.append(layer) or 0.5,  # type: ignore[func-returns-value]
    )
    module = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)), nn.Linear(4, 4, bias=False)).bfloat16()
    assert len(use_right_products(module)) == 1, "one line for one shape"
    assert len(tried) == 2, "a bias can choose another kernel"
    assert {layer.weight.dtype for layer in module} == {torch.float32}


def test_fp32_networks_are_not_tried() -> None:
    assert use_right_products(network()) == []


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(192, 768),
        nn.Conv2d(96, 64, 3, padding=1),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv3d(16, 32, (1, 2, 2), (1, 2, 2)),
    ],
    ids=str,
)
def test_right_16_bit_layers_are_far_below_the_limit(layer: nn.Linear | nn.Conv2d | nn.Conv3d) -> None:
    assert relative_error(layer.bfloat16()) < LIMIT / 4
