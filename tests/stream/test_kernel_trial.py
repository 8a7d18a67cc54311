"""An attention kernel that is wrong in the network is given up in the warm-up, with one line."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from streamvace.model.attention import KernelChoice, sdpa
from streamvace.records.model_options import ModelOptions
from streamvace.stream import generator as module
from streamvace.stream.kernel_trial import PASS_LIMIT
from streamvace.stream.loading import load_generator

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]


def black(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.full_like(q, float("nan"))


def deaf(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Ignores where the keys are."""
    return v.mean(1, keepdim=True).expand_as(q)


def coarse(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """As far off as a good 8-bit kernel may be when it is tried alone."""
    exact = sdpa(q, k, v)
    noise = torch.randn(exact.shape, generator=torch.Generator().manual_seed(1))
    return exact + 0.08 * exact.abs().mean() * noise


@pytest.mark.parametrize(("kernel", "kept"), [(black, False), (deaf, False), (coarse, True)])
def test_a_kernel_that_is_wrong_in_a_pass_of_the_network_is_given_up(
    kernel: Kernel, kept: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "choose_kernel", lambda *_: KernelChoice("sage", kernel))
    monkeypatch.setattr(module, "rehearsal", lambda *_, **__: [(("control",), {})])
    generator = load_generator("embedded", (64, 64), ModelOptions("cpu", precision="fp32"))
    with caplog.at_level(logging.WARNING):
        generator.warm_up()
    lines = [record.getMessage() for record in caplog.records]
    if kept:
        assert generator.state.cache.kernel is kernel
        assert not lines
    else:
        assert generator.state.cache.kernel is sdpa
        (line,) = lines
        assert line.startswith("attention: sage differs from SDPA by ")
        assert f"more than {PASS_LIMIT:g}; the show runs with SDPA" in line
        assert generator.about["attention"].startswith("sdpa; sage differs from SDPA by ")
