"""What PyTorch is told about a CUDA card before anything is on it. Its memory: see `system.cuda_memory`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.attention import SDPBackend

from streamvace.model.attention import BACKENDS, HALVES
from streamvace.system.fix_hints import pip_command

WITHOUT_CUDNN = range(90800, 91500)
"""Versions of cuDNN that PyTorch does not use for 3-D convolutions in 16 bits, because their kernels are wrong or slow
(aten/src/ATen/native/Convolution.cpp). Its own take several times the time and memory (pytorch issue 166643)."""


def set_up_cuda(dtype: torch.dtype) -> None:
    """Set the process-wide choices. dtype: of the networks.

    - Matrix products of what stays in fp32 beside 16-bit networks use TF32: its 10 bits of mantissa are more than
      bf16's 7, and it is several times as fast. With `--precision fp32` they stay exact.
    - cuDNN measures its convolutions in the warm-up and keeps the fastest, because shapes do not change.
    - PyTorch's attention tries its kernels in the order of BACKENDS. Its own order puts math before cuDNN, which would
      write the whole score matrix to memory in builds without flash.
    """
    exact = dtype == torch.float32
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact
    torch.backends.cudnn.benchmark = True
    # What `sdpa_kernel(..., set_priority=True)` does, but for the whole process.
    order = [int(getattr(SDPBackend, name)) for name in BACKENDS]
    others = [each for each in torch._C._get_sdp_priority_order() if each not in order]
    torch._C._set_sdp_priority_order(order + others)


def slow_convolutions(codec: nn.Module, dtype: torch.dtype) -> str:
    """One line about a CUDA card's autoencoder that runs without cuDNN, with the fix; empty if all is well."""
    version = torch.backends.cudnn.version() or 0
    affected = dtype in HALVES and any(isinstance(each, nn.Conv3d) for each in codec.modules())
    if version not in WITHOUT_CUDNN or not affected:
        return ""
    major, minor, patch = version // 10000, version // 100 % 100, version % 100
    toolkit = (torch.version.cuda or "12").partition(".")[0]
    fix = pip_command(f"nvidia-cudnn-cu{toolkit}>=9.15")
    return (
        f"cuDNN {major}.{minor}.{patch} has no right 3-D convolutions in 16 bits, so the codec is several times slower "
        f"and takes more memory; from 9.15 on it has: {fix}, or use --codec taehv"
    )
