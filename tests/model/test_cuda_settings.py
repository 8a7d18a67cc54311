"""The process-wide choices for CUDA, as PyTorch reports them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.wan_vae import LIGHT_WIDTH, WanVAE
from streamvace.model.cuda_settings import set_up_cuda, slow_convolutions


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
    order = torch._C._get_sdp_priority_order()
    yield
    torch.set_float32_matmul_precision(before[0])
    cudnn.allow_tf32, cudnn.benchmark = before[1:]
    torch._C._set_sdp_priority_order(order)


def test_fp32_beside_16_bit_networks_uses_tf32_and_fp32_that_was_asked_for_stays_exact() -> None:
    set_up_cuda(torch.bfloat16)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("high", True)
    set_up_cuda(torch.float32)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("highest", False)


def test_attention_tries_the_kernel_that_writes_all_scores_last() -> None:
    set_up_cuda(torch.bfloat16)
    names = [torch.nn.attention.SDPBackend(each).name for each in torch._C._get_sdp_priority_order()]
    assert names[:4] == ["FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION", "MATH"]
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize(
    ("version", "dtype", "codec", "warned"),
    [
        (91002, torch.bfloat16, "wan", True),
        (91400, torch.float16, "wan", True),
        (91500, torch.bfloat16, "wan", False),
        (90701, torch.bfloat16, "wan", False),
        (91002, torch.float32, "wan", False),
        (91002, torch.bfloat16, "taehv", False),
        (None, torch.bfloat16, "wan", False),
    ],
)
def test_a_codec_that_runs_without_cudnn_is_named_with_the_version_and_the_fix(
    version: int | None, dtype: torch.dtype, codec: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published reports: PyTorch keeps cuDNN 9.8 to 9.14 away from 3-D convolutions in 16 bits."""
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: version)
    with torch.device("meta"):
        network = WanVAE(LIGHT_WIDTH) if codec == "wan" else TAEHV()
    line = slow_convolutions(network, dtype)
    assert bool(line) == warned
    if warned:
        assert "9.10.2" in line or "9.14.0" in line
        assert "nvidia-cudnn-cu12>=9.15" in line
